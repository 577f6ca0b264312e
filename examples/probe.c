/* probe.c: says what a server offers before a log-in. Wants JAB_JID, an address or a domain;
 * JAB_HOST, JAB_PORT and JAB_CA_FILE lead to a test server. */
#include <jabiru/jabiru.h>
#include <stdio.h>
#include <stdlib.h>

static void print_offer(const jab_probe_offer *o)
{
    printf("log-in by:");
    for (size_t i = 0; i < o->mechanisms.n; i++)
        printf(" " JAB_FMT, JAB_ARG(o->mechanisms.v[i])); /* for a terminal, clean it first */
    printf("\nin one round trip: %s\n", o->has_fast ? "yes" : "no");
}

static int print_report(const jab_probe_report *report)
{
    const jab_probe_address *best = report->best; /* NULL: nobody answers */
    if (best && best->tls)
        printf("TLS 1.%d with " JAB_FMT "\n", best->tls->version - 10, JAB_ARG(best->address));
    if (best && best->offer)
        print_offer(best->offer);
    if (report->fault.code)
        fprintf(stderr, JAB_FMT "\n", JAB_ARG(report->fault.text));
    return report->fault.code;
}

static uint16_t port(void)
{
    const char *text = getenv("JAB_PORT");
    return (uint16_t)(text ? strtoul(text, NULL, 10) : 0);
}

int main(void)
{
    jab_probe *p = NULL;
    int err = jab_probe_new(&p,
                            JAB_CONFIG(.jid = jab_cstr(getenv("JAB_JID")),
                                       .host = jab_cstr(getenv("JAB_HOST")), .port = port(),
                                       .ca_file = jab_cstr(getenv("JAB_CA_FILE"))),
                            0);
    if (err >= 0)
        err = jab_probe_wait(p, -1);
    if (err > 0) /* done */
        err = print_report(jab_probe_result(p));
    jab_probe_free(p); /* NULL is fine */
    if (err < 0)
        fprintf(stderr, "%s\n", jab_strerror(err));
    return jab_err_exit(err);
}
