/* starttls.c: STARTTLS negotiation (RFC 6120 §5). The handshake is the driver's. */
#include "stream/stream.h"

static int wanted(const jabi_stream *str)
{
    return str->cfg->tls != JAB_TLS_OFF;
}

static int begin(jabi_stream *str, const jab_xml *offer)
{
    (void)offer;
    jabi_writer w;
    size_t mark;
    jabi_stream_write(str, &w, &mark);
    jabi_writer_start(&w, JAB_STR(JABI_NS_TLS), JAB_STR("starttls"));
    return jabi_stream_write_end(str, &w, mark, NULL);
}

static int element(jabi_stream *str, const jab_xml *el)
{
    if (jab_xml_is(el, JABI_NS_TLS, "proceed"))
        return JABI_STEP_TLS;
    if (jab_xml_is(el, JABI_NS_TLS, "failure")) {
        jabi_stream_close(str);
        return jabi_stream_fault(str, JAB_ETLS, JAB_AT_TLS, "tls-failure",
                                 "the server " JAB_FMT " could not start TLS",
                                 JAB_ARG(str->account.domain));
    }
    return jabi_stream_broken(str, "bad-format", "did not answer the request for TLS");
}

/* RFC 6120 §5.3.1 and §13.8: never on without TLS because it is not offered. */
static int missing(jabi_stream *str)
{
    jabi_stream_close(str);
    return jabi_stream_fault(str, JAB_ENOTLS, JAB_AT_TLS, NULL,
                             "the server " JAB_FMT
                             " offers no TLS, or somebody on the way removed the offer",
                             JAB_ARG(str->account.domain));
}

/* XEP-0305 §3: nothing is lost by asking before the offer: without TLS the log-in ends. */
static int ahead(jabi_stream *str, const jab_xml *offer)
{
    (void)str;
    (void)offer;
    return 1;
}

const jabi_feature jabi_feature_starttls = {
    .ns = JABI_NS_TLS,
    .name = "starttls",
    .stage = JAB_AT_TLS,
    .forbidden = JABI_SECURE | JABI_AUTHENTICATED,
    .wanted = wanted,
    .begin = begin,
    .element = element,
    .missing = missing,
    .ahead = ahead,
};
