/* roster.c: prints the contact list and leaves. Wants JAB_JID and JAB_PASSWORD;
 * JAB_HOST, JAB_PORT and JAB_CA_FILE lead to a test server. */
#include <jabiru/jabiru.h>
#include <stdio.h>
#include <stdlib.h>

static int print_roster(jab_session *s, const jab_roster_ready *ready)
{
    static const char *const subscriptions[] = {"none", "to", "from", "both"};
    if (ready->error < 0)
        return ready->error;
    for (size_t i = 0; i < jab_roster_count(s); i++) {
        const jab_roster_item *item = jab_roster_at(s, i);
        printf(JAB_FMT "\t%s\t" JAB_FMT "\n", JAB_ARG(item->jid.bare),
               subscriptions[item->subscription], JAB_ARG(item->name));
    }
    return 0;
}

static int on_event(jab_client *c, const jab_event *ev)
{
    jab_session *s = jab_client_session(c);
    int err = 0;
    switch (ev->type) {
    case JAB_EV_ONLINE:
        return jab_roster_get(s, 0);
    case JAB_EV_ROSTER_READY:
        err = print_roster(s, ev->data);
        jab_client_close(c); /* JAB_EV_OFFLINE follows, then the end */
        return err;
    case JAB_EV_OFFLINE:
        if (ev->fault->code < 0)
            fprintf(stderr, "roster: " JAB_FMT "\n", JAB_ARG(ev->fault->text));
        return 0;
    default:
        return 0;
    }
}

static uint16_t port(void)
{
    const char *text = getenv("JAB_PORT");
    return (uint16_t)(text ? strtoul(text, NULL, 10) : 0);
}

int main(void)
{
    jab_client *c = NULL;
    const jab_event *ev;
    int err = jab_client_new(&c, JAB_CONFIG(.jid = jab_cstr(getenv("JAB_JID")),
                                            .password = jab_cstr(getenv("JAB_PASSWORD")),
                                            .host = jab_cstr(getenv("JAB_HOST")), .port = port(),
                                            .ca_file = jab_cstr(getenv("JAB_CA_FILE")),
                                            .no_reconnect = 1));
    while (err >= 0 && (err = jab_client_wait(c, &ev, -1)) > 0)
        err = on_event(c, ev);
    jab_client_free(c);
    if (err < 0)
        fprintf(stderr, "roster: %s\n", jab_strerror(err));
    return jab_err_exit(err);
}
