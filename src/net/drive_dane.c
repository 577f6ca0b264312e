/* drive_dane.c: what DNSSEC says of a server, on its way from DNS to TLS. */
#include <stdio.h>

#include "net/conn.h"

static int required(jab_client *c)
{
    char text[JABI_HOST_MAX + 100];
    snprintf(text, sizeof text, "DANE is required, and no TLSA record of %s can be used",
             c->target);
    return jabi_tls_fail(c->tls, JAB_ECERT, text);
}

int jabi_drive_dane(jab_client *c)
{
    jabi_dane_facts facts;
    if (!c->cfg->dane || !c->dial || c->proxy)
        return 0;
    int used = 0;
    if (jabi_resolve_dane(c->dial->resolve, c->dial->race.target, &facts))
        used = jabi_tls_use_dane(c->tls, facts.host, facts.records);
    return used == 0 && c->cfg->dane == JABI_DANE_REQUIRED ? required(c) : used < 0 ? used : 0;
}
