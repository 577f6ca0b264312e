/* sasl1.c: SASL as RFC 6120 §6 has it on the wire. */
#include "stream/auth.h"

/* RFC 6120 §6.4.2: an empty initial response is "=". */
static void write_first(jabi_stream *str, jabi_writer *w, jab_str base64)
{
    (void)str;
    jabi_writer_text(w, base64.p && !base64.n ? JAB_STR("=") : base64);
}

static void write_response(jabi_writer *w, jab_str base64)
{
    jabi_writer_start(w, JAB_STR(JABI_NS_SASL), JAB_STR("response"));
    jabi_writer_text(w, base64);
}

const jabi_dialect jabi_dialect_sasl1 = {
    .ns = JABI_NS_SASL,
    .first = "auth",
    .write_first = write_first,
    .write_response = write_response,
};

static int begin(jabi_stream *str, const jab_xml *offer)
{
    (void)offer;
    return jabi_auth_begin(str, &jabi_dialect_sasl1);
}

static int ahead(jabi_stream *str, const jab_xml *offer)
{
    return offer && jabi_auth_may_go_ahead(str, 0);
}

static int element(jabi_stream *str, const jab_xml *el)
{
    if (jab_xml_is(el, JABI_NS_SASL, "failure") && str->sasl)
        return jabi_auth_failed(str, el);
    if (str->sasl && jab_xml_is(el, JABI_NS_SASL, "challenge"))
        return jabi_auth_challenge(str, el);
    if (!str->sasl || !jab_xml_is(el, JABI_NS_SASL, "success"))
        return jabi_stream_broken(str, "not-authorized", "broke the order of authentication");
    int err = jabi_auth_verify(str, el);
    if (err >= 0)
        err = jabi_auth_succeed(str);
    return err < 0 ? err : JABI_STEP_RESTART;
}

static int missing(jabi_stream *str)
{
    jabi_stream_close(str);
    return jabi_stream_fault(str, JAB_EMECH, JAB_AT_SASL, NULL,
                             "the server " JAB_FMT " offers no authentication",
                             JAB_ARG(str->account.domain));
}

const jabi_feature jabi_feature_sasl = {
    .ns = JABI_NS_SASL,
    .name = "mechanisms",
    .stage = JAB_AT_SASL,
    .forbidden = JABI_AUTHENTICATED,
    .begin = begin,
    .element = element,
    .missing = missing,
    .ahead = ahead,
};
