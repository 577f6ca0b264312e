/* doctor_sasl.c: what a stream offers before the log-in, as lines: mechanisms, channel
 * binding, SASL2 with what belongs to it, and the rest. */
#include "doctor.h"

#define WORDS_SHOWN 8

static int has(const jab_probe_list *list, const char *word)
{
    for (size_t i = 0; i < list->n; i++)
        if (jab_str_is(list->v[i], word))
            return 1;
    return 0;
}

static int begins(jab_str s, const char *start)
{
    size_t n = strlen(start);
    return s.n >= n && memcmp(s.p, start, n) == 0;
}

static int is_plus(jab_str name)
{
    return name.n > 5 && memcmp(name.p + name.n - 5, "-PLUS", 5) == 0;
}

static void put_list(app_text *text, const jab_probe_list *list)
{
    for (size_t i = 0; i < list->n && i < WORDS_SHOWN; i++)
        app_text_fmt(text, "%s" JAB_FMT, i ? ", " : "", JAB_ARG(list->v[i]));
    if (list->n > WORDS_SHOWN)
        app_text_fmt(text, " and %zu more", list->n - WORDS_SHOWN);
}

/* -- Mechanisms ------------------------------------------------------------------------------ */

/* The mechanisms that count: those of SASL2 when it is offered, as a client would use them. */
static const jab_probe_list *mechanisms_of(const jab_probe_offer *o)
{
    return o->sasl2.n ? &o->sasl2 : &o->mechanisms;
}

/* What never goes over the wire is the password: SCRAM, and a certificate. */
static size_t put_safe(app_text *text, const jab_probe_list *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (begins(list->v[i], "SCRAM-") || jab_str_is(list->v[i], "EXTERNAL"))
            app_text_fmt(text, "%s" JAB_FMT, n++ ? ", " : "", JAB_ARG(list->v[i]));
    return n;
}

static void say_mechanisms(doctor *d, const jab_probe_offer *o)
{
    static const char *const weak[] = {"PLAIN", "DIGEST-MD5"};
    const jab_probe_list *list = mechanisms_of(o);
    doctor_line line = {.check = "sasl", .code = JAB_EMECH};
    size_t safe = put_safe(&line.text, list);
    if (!safe)
        app_text_z(&line.text, list->n ? "no SCRAM" : "no mechanism at all");
    for (size_t i = 0; i < 2; i++)
        app_text_fmt(&line.text, "%s%s %s", i ? ", " : "; ", weak[i],
                     has(list, weak[i]) ? "offered" : "not offered");
    if (has(list, "ANONYMOUS"))
        app_text_z(&line.text, ", ANONYMOUS offered");
    if (!safe && has(list, "ANONYMOUS"))
        doctor_worse(&line, DOCTOR_NOTE, "only guests may log in: --mechanism ANONYMOUS");
    else if (!safe && (d->c->g.mechanism.n || d->c->account.mechanism))
        doctor_worse(&line, DOCTOR_NOTE, "let the server offer SCRAM-SHA-256");
    else if (!safe && (has(list, "PLAIN") || has(list, "DIGEST-MD5")))
        doctor_worse(&line, DOCTOR_BAD,
                     "let the server offer SCRAM-SHA-256; --mechanism PLAIN goes without");
    else if (!safe)
        doctor_worse(&line, DOCTOR_BAD,
                     o->starttls ? "the server lets nobody log in without TLS"
                                 : "let the server offer SCRAM-SHA-256");
    else if (has(list, "DIGEST-MD5"))
        doctor_worse(&line, DOCTOR_NOTE, "let the server drop DIGEST-MD5, which is broken");
    d->is_usable &= line.state != DOCTOR_BAD;
    doctor_print(d, &line);
}

/* -- Channel binding -------------------------------------------------------------------------- */

static void put_possible(app_text *text, const jab_probe_tls *tls)
{
    static const char *const names[] = {"tls-exporter", "tls-unique", "tls-server-end-point"};
    const int there[] = {tls->exporter, tls->unique, tls->end_point};
    int n = 0;
    for (size_t i = 0; i < 3; i++)
        if (there[i])
            app_text_fmt(text, "%s%s", n++ ? ", " : "", names[i]);
}

/* Whether one that is announced can be had on this connection. */
static int agrees(const jab_probe_tls *tls, const jab_probe_list *announced)
{
    return (tls->exporter && has(announced, "tls-exporter")) ||
           (tls->unique && has(announced, "tls-unique")) ||
           (tls->end_point && has(announced, "tls-server-end-point"));
}

static void say_binding(doctor *d, const jab_probe_tls *tls, const jab_probe_offer *o)
{
    const jab_probe_list *list = mechanisms_of(o);
    doctor_line line = {.check = "binding"};
    int plus = 0;
    for (size_t i = 0; i < list->n; i++)
        plus |= is_plus(list->v[i]);
    app_text_z(&line.text, "possible: ");
    put_possible(&line.text, tls);
    app_text_z(&line.text, "; announced: ");
    if (o->has_bindings && o->bindings.n)
        put_list(&line.text, &o->bindings);
    else
        app_text_z(&line.text, "none");
    if (!plus) {
        app_text_z(&line.text, "; no -PLUS mechanism");
        doctor_worse(&line, DOCTOR_NOTE,
                     "with channel binding, a stolen certificate would not be enough");
    } else if (!o->has_bindings) {
        doctor_worse(&line, DOCTOR_NOTE, "let the server announce them (XEP-0440)");
    } else if (!agrees(tls, &o->bindings)) {
        doctor_worse(&line, DOCTOR_NOTE, "let the server announce one that this TLS has");
    }
    doctor_print(d, &line);
}

/* -- SASL2 and the rest --------------------------------------------------------------------------
 */

/* "urn:xmpp:carbons:2" as "carbons", each once. */
static void put_bind2(app_text *text, const jab_probe_list *list)
{
    static const char prefix[] = "urn:xmpp:";
    for (size_t i = 0; i < list->n && i < WORDS_SHOWN; i++) {
        jab_str name = list->v[i];
        int again = 0;
        for (size_t k = 0; k < i; k++)
            again |= jab_str_eq(list->v[k], name);
        if (again)
            continue;
        if (begins(name, prefix)) {
            name.p += sizeof prefix - 1;
            name.n -= sizeof prefix - 1;
            const char *version = memchr(name.p, ':', name.n);
            name.n = version ? (size_t)(version - name.p) : name.n;
        }
        app_text_fmt(text, "%s" JAB_FMT, i ? ", " : "", JAB_ARG(name));
    }
}

static void say_sasl2(doctor *d, const jab_probe_offer *o)
{
    doctor_line line = {.check = "sasl2"};
    if (!o->has_sasl2) {
        app_text_z(&line.text, "not offered");
        doctor_worse(&line, DOCTOR_NOTE, "with XEP-0388 a log-in takes fewer round trips");
        doctor_print(d, &line);
        return;
    }
    app_text_z(&line.text, o->has_bind2 ? "Bind 2" : "no Bind 2");
    if (o->bind2.n) {
        app_text_z(&line.text, " (");
        put_bind2(&line.text, &o->bind2);
        app_text_char(&line.text, ')');
    }
    if (o->resumes_inline)
        app_text_z(&line.text, ", resumption");
    if (o->upgrades.n) {
        app_text_z(&line.text, ", ");
        put_list(&line.text, &o->upgrades);
    }
    if (!o->has_bind2)
        doctor_worse(&line, DOCTOR_NOTE, "with XEP-0386 the log-in binds a resource, too");
    doctor_print(d, &line);
}

static void say_fast(doctor *d, const jab_probe_offer *o)
{
    doctor_line line = {.check = "fast"};
    put_list(&line.text, &o->fast);
    if (o->early_data)
        app_text_z(&line.text, ", in early data");
    if (!o->has_fast && !d->names_account) {
        app_text_z(&line.text, "not offered to everybody");
        doctor_worse(&line, DOCTOR_NOTE, "some servers tell it only to an account: name one");
    } else if (!o->has_fast) {
        app_text_z(&line.text, "not offered");
        doctor_worse(&line, DOCTOR_NOTE, "with XEP-0484 a log-in takes one round trip");
    }
    doctor_print(d, &line);
}

static void say_rest(doctor *d, const jab_probe_offer *o)
{
    doctor_line line = {.check = "stream"};
    app_text_fmt(&line.text, "%lld ms, %scompression%s", (long long)o->took,
                 o->compression.n ? "" : "no ", o->compression.n ? " " : "");
    put_list(&line.text, &o->compression);
    if (o->registration)
        app_text_z(&line.text, ", registration");
    if (o->max_bytes)
        app_text_fmt(&line.text, ", stanzas up to %lld bytes", (long long)o->max_bytes);
    doctor_print(d, &line);
}

void doctor_offer(doctor *d, const jab_probe_address *a)
{
    const jab_probe_offer *o = a->offer;
    say_rest(d, o);
    say_mechanisms(d, o);
    if (a->tls)
        say_binding(d, a->tls, o);
    say_sasl2(d, o);
    if (o->has_sasl2)
        say_fast(d, o);
}
