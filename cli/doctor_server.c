/* doctor_server.c: what a probe found, as lines: DNS, TCP, TLS, stream. */
#include "doctor.h"

#define RENEW_DAYS    14
#define RECORDS_SHOWN 6

static void put_host(app_text *text, const jab_probe_target *t)
{
    int is_v6 = memchr(t->host.p, ':', t->host.n) != NULL;
    app_text_fmt(text, "%s" JAB_FMT "%s:%u", is_v6 ? "[" : "", JAB_ARG(t->host), is_v6 ? "]" : "",
                 (unsigned)t->port);
}

/* -- DNS ----------------------------------------------------------------------------------- */

static void put_records(app_text *text, const jab_probe_dns *dns)
{
    for (size_t i = 0; i < dns->n && i < RECORDS_SHOWN; i++) {
        const jab_probe_srv *srv = &dns->records[i];
        app_text_fmt(text, "%s%s %u %u %u " JAB_FMT, i ? " · " : "",
                     srv->direct_tls ? "_xmpps-client" : "_xmpp-client", (unsigned)srv->priority,
                     (unsigned)srv->weight, (unsigned)srv->port,
                     JAB_ARG(srv->host.n ? srv->host : JAB_STR(".")));
    }
    if (dns->n > RECORDS_SHOWN)
        app_text_fmt(text, " · and %zu more", dns->n - RECORDS_SHOWN);
}

/* There is no address at all. */
static void say_no_address(doctor *d, const jab_probe_report *report)
{
    const jab_probe_dns *dns = &report->dns;
    doctor_line line = {.check = "dns", .state = DOCTOR_BAD, .code = dns->fault.code};
    app_text next = {0};
    line.next = "ask again later, or name the server with --host";
    if (dns->no_such_name) {
        const char *parent = strchr(report->domain.p, '.');
        app_text_fmt(&line.text, "no SRV, no A/AAAA for " JAB_FMT " (NXDOMAIN, %lld ms)",
                     JAB_ARG(report->domain), (long long)dns->took);
        app_text_z(&next, "Is the part after @ right?");
        if (parent && strchr(parent + 1, '.'))
            app_text_fmt(&next, " Try: jabiru doctor %s", parent + 1);
        line.next = next.p;
    } else {
        app_text_add(&line.text, dns->fault.text);
        app_text_fmt(&line.text, " (%lld ms)", (long long)dns->took);
        if (dns->direct == JAB_PROBE_SOME || dns->starttls == JAB_PROBE_SOME)
            line.next = "give the hosts of the SRV records A or AAAA records";
        else if (dns->fault.code == JAB_EDNS)
            line.next = "check the part after @, or name the server with --host";
    }
    doctor_print(d, &line);
    app_text_free(&next);
}

static void say_dns(doctor *d, const jab_probe_report *report)
{
    const jab_probe_dns *dns = &report->dns;
    const jab_probe_target *first = report->n ? &report->targets[0] : NULL;
    doctor_line line = {.check = "dns"};
    if (dns->fault.code) {
        say_no_address(d, report);
        return;
    }
    put_records(&line.text, dns);
    if (dns->fallback && first)
        app_text_z(&line.text,
                   dns->starttls == JAB_PROBE_UNASKED && dns->direct == JAB_PROBE_UNASKED
                       ? "nothing to ask: "
                       : "no SRV record; the domain itself: ");
    else if (report->proxied)
        app_text_z(&line.text, "not asked: the proxy looks up ");
    else if (dns->n == 0)
        app_text_z(&line.text, "not asked for services: as given, ");
    if (dns->n == 0 && first)
        put_host(&line.text, first);
    if (dns->direct == JAB_PROBE_FAILED || dns->starttls == JAB_PROBE_FAILED) {
        app_text_fmt(&line.text, "; no answer for %s",
                     dns->direct == JAB_PROBE_FAILED ? "_xmpps-client" : "_xmpp-client");
        doctor_worse(&line, DOCTOR_NOTE, "see why the name server fails: clients wait for it");
    }
    if (dns->fallback && (dns->starttls == JAB_PROBE_NONE || dns->direct == JAB_PROBE_NONE))
        doctor_worse(&line, DOCTOR_NOTE,
                     "add _xmpp-client._tcp and _xmpps-client._tcp SRV records");
    doctor_print(d, &line);
}

/* -- TCP ----------------------------------------------------------------------------------- */

static void put_address(app_text *text, const jab_probe_address *a)
{
    const char *port = a->address.p + a->address.n; /* behind the last colon: left out */
    while (port > a->address.p && port[-1] != ':')
        port--;
    app_text_add(text, (jab_str){a->address.p,
                                 (size_t)(port - a->address.p) - (port > a->address.p ? 1u : 0u)});
    if (a->state == JAB_PROBE_CONNECTED)
        app_text_fmt(text, " ok (%lld ms)", (long long)a->took);
    else if (a->state == JAB_PROBE_UNTRIED)
        app_text_z(text, " not tried in time");
    else if (a->is_local)
        app_text_fmt(text, " no way there from here (" JAB_FMT ")", JAB_ARG(a->words));
    else
        app_text_fmt(text, " " JAB_FMT, JAB_ARG(a->words));
}

/* How many addresses of a family are well, or are not through the server's fault. */
static size_t count(const jab_probe_target *t, int family, int well)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        const jab_probe_address *a = &t->addresses[i];
        int fits = well ? a->state == JAB_PROBE_CONNECTED
                        : a->state == JAB_PROBE_FAILED_TCP && !a->is_local;
        n += fits && (family == 0 || a->family == family);
    }
    return n;
}

static void judge_target(doctor_line *line, const jab_probe_target *t)
{
    if (t->n == 0) {
        app_text_z(&line->text, " no address");
        doctor_worse(line, DOCTOR_BAD, "give it an A or AAAA record, or remove its SRV record");
    } else if (count(t, 0, 1) == 0) {
        doctor_worse(line, DOCTOR_BAD,
                     count(t, 0, 0) == 0 && t->addresses[0].is_local
                         ? "check the network of this machine"
                         : "check that the server runs and that no firewall is between");
    } else if (count(t, 0, 0) > 0) {
        int family = count(t, 6, 1) == 0 ? 6 : count(t, 4, 1) == 0 ? 4 : 0;
        if (family)
            app_text_fmt(&line->text, "   ← broken IPv%d, clients will be slow", family);
        doctor_worse(line, DOCTOR_BAD,
                     "make the server listen there, or take the address out of the DNS");
    }
}

static void say_target(doctor *d, const jab_probe_report *report, const jab_probe_target *t)
{
    doctor_line line = {.check = "tcp"};
    put_host(&line.text, t);
    app_text_z(&line.text, report->proxied ? " through" : "");
    for (size_t i = 0; i < t->n; i++) {
        app_text_z(&line.text, i ? ", " : " ");
        put_address(&line.text, &t->addresses[i]);
    }
    judge_target(&line, t);
    if (report->fault.stage == JAB_AT_TCP)
        line.code = report->fault.code;
    else if (d->all)
        line.code = JAB_ECONNECT;
    doctor_print(d, &line);
}

/* -- TLS and the stream ----------------------------------------------------------------------- */

static const char *cert_step(const jab_probe_cert *cert)
{
    if (cert->until && doctor_days_left(cert) < 0)
        return "renew the certificate";
    if (!cert->trusted)
        return "let the server send the whole chain, or trust its authority with --ca-file";
    if (!cert->matches)
        return "the certificate has to be for the domain after @, whatever host the DNS names";
    return "if the server has a new key, pin that one";
}

static void put_tls(app_text *text, const jab_probe_tls *tls, int direct)
{
    const jab_probe_cert *cert = &tls->cert;
    app_text_add(text, doctor_tls_word(tls->version));
    if (tls->alpn.n)
        app_text_fmt(text, ", ALPN " JAB_FMT, JAB_ARG(tls->alpn));
    else if (direct)
        app_text_z(text, ", no ALPN");
    if (cert->issuer.n)
        app_text_fmt(text, ", " JAB_FMT, JAB_ARG(cert->issuer));
    if (cert->until)
        app_text_fmt(text, ", %lld days left", (long long)doctor_days_left(cert));
    app_text_z(text, cert->by_dane   ? ", by DANE"
                     : cert->matches ? ", name matches"
                                     : ", name does not match");
}

static void judge_cert(doctor_line *line, const jab_probe_tls *tls)
{
    const jab_probe_cert *cert = &tls->cert;
    if (!cert->trusted || !cert->matches || !cert->pinned)
        doctor_worse(line, DOCTOR_BAD, cert_step(cert));
    else if (doctor_days_left(cert) < RENEW_DAYS)
        doctor_worse(line, DOCTOR_NOTE, "renew the certificate soon");
}

static void begin_line(doctor *d, doctor_line *line, const jab_probe_report *report,
                       const jab_probe_address *a)
{
    int several = report->best != a || d->all;
    if (several)
        app_text_fmt(&line->text, JAB_FMT " ", JAB_ARG(a->address));
    /* With a way in elsewhere it is a fault, and not the end; unless all are to be well. */
    if (report->fault.code || d->all)
        line->code = a->fault.code;
}

static void say_tls(doctor *d, const jab_probe_report *report, const jab_probe_target *t,
                    const jab_probe_address *a)
{
    doctor_line line = {.check = "tls"};
    begin_line(d, &line, report, a);
    if (a->tls) {
        put_tls(&line.text, a->tls, t->direct_tls);
        judge_cert(&line, a->tls);
        if (line.state == DOCTOR_BAD)
            app_text_fmt(&line.text, ": " JAB_FMT, JAB_ARG(a->fault.text));
    } else if (a->fault.stage == JAB_AT_TLS) {
        app_text_add(&line.text, a->fault.text);
        doctor_worse(&line, DOCTOR_BAD,
                     a->fault.code == JAB_ENOTLS
                         ? "switch TLS on at the server; nothing secret is sent without"
                         : "check the port, --tls, and whether something between changes the "
                           "connection");
    } else if (a->offer) {
        app_text_z(&line.text, "none, as --tls=off wants it: everybody on the way reads along");
        doctor_worse(&line, DOCTOR_NOTE, "only for a private network");
    }
    if (line.text.n && (a->tls || line.state != DOCTOR_OK))
        doctor_print(d, &line);
    else
        app_text_free(&line.text);
}

/* A log-in that is offered before TLS tempts clients that do not know better. */
static void say_clear(doctor *d, const jab_probe_address *a)
{
    doctor_line line = {.check = "starttls"};
    if (!a->clear || !a->clear->starttls || a->clear->mechanisms.n == 0)
        return;
    app_text_z(&line.text, "a log-in is offered before TLS, too");
    doctor_worse(&line, DOCTOR_NOTE, "let the server require TLS of clients");
    doctor_print(d, &line);
}

/* Also of a connection that was refused after it had been let in once, or by a proxy. */
static void say_stream(doctor *d, const jab_probe_report *report, const jab_probe_address *a)
{
    int in_tcp = a->fault.stage == JAB_AT_TCP;
    doctor_line line = {.check = in_tcp ? "tcp" : "stream"};
    if (!a->fault.code || (!in_tcp && a->fault.stage != JAB_AT_STREAM))
        return;
    begin_line(d, &line, report, a);
    app_text_add(&line.text, a->fault.text);
    if (a->fault.condition.n)
        app_text_fmt(&line.text, " (" JAB_FMT ")", JAB_ARG(a->fault.condition));
    doctor_worse(&line, DOCTOR_BAD, app_fault_step(&a->fault));
    doctor_print(d, &line);
}

static void say_checked(doctor *d, const jab_probe_report *report, const jab_probe_target *t)
{
    for (size_t i = 0; i < t->n; i++) {
        const jab_probe_address *a = &t->addresses[i];
        if (!a->checked)
            continue;
        say_tls(d, report, t, a);
        say_clear(d, a);
        say_stream(d, report, a);
    }
}

void doctor_server(doctor *d, const jab_probe_report *report)
{
    d->is_usable = report->fault.code == 0;
    doctor_records(d, report);
    say_dns(d, report);
    for (size_t i = 0; i < report->n && !report->dns.fault.code; i++)
        say_target(d, report, &report->targets[i]);
    for (size_t i = 0; i < report->n; i++)
        say_checked(d, report, &report->targets[i]);
    if (report->best && report->best->offer)
        doctor_offer(d, report->best);
    /* No line has told of it, as when time was up before an address had its turn. */
    if (report->fault.code && d->status == APP_OK) {
        doctor_line line = {.check = jab_stage_name(report->fault.stage),
                            .state = DOCTOR_BAD,
                            .code = report->fault.code,
                            .next = "try again, or give it more time with --timeout SEC"};
        app_text_add(&line.text, report->fault.text);
        doctor_print(d, &line);
    }
}
