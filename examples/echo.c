/* echo.c: logs in, prints each message and answers it. Wants JAB_JID and
 * JAB_PASSWORD; JAB_HOST, JAB_PORT and JAB_CA_FILE lead to a test server. */
#include <jabiru/jabiru.h>
#include <stdio.h>
#include <stdlib.h>

static int answer(jab_session *s, const jab_message *m)
{
    if (m->type == JAB_MSG_ERROR || m->flags || m->body.n == 0)
        return 0; /* bounces, history, own copies */
    printf(JAB_FMT ": " JAB_FMT "\n", JAB_ARG(m->from.bare), JAB_ARG(m->body));
    jab_out *o = jab_reply(s, m); /* borrowed until jab_out_send() */
    jab_out_body(o, JAB_STR("Heard you."));
    return jab_out_send(o, 0); /* builder errors surface here */
}

static int on_event(jab_session *s, const jab_event *ev)
{
    switch (ev->type) {
    case JAB_EV_ONLINE:
        return jab_set_presence(s, JAB_STR("echoing"));
    case JAB_EV_MESSAGE:
        return answer(s, ev->message);
    case JAB_EV_OFFLINE: /* will reconnect by itself */
        fprintf(stderr, "offline: " JAB_FMT "\n", JAB_ARG(ev->fault->text));
        return 0;
    default:
        return 0; /* later versions add events */
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
    const jab_event *ev; /* valid until the next wait */
    setvbuf(stdout, NULL, _IOLBF, 0);
    int err = jab_client_new(&c, JAB_CONFIG(.jid = jab_cstr(getenv("JAB_JID")),
                                            .password = jab_cstr(getenv("JAB_PASSWORD")),
                                            .host = jab_cstr(getenv("JAB_HOST")), .port = port(),
                                            .ca_file = jab_cstr(getenv("JAB_CA_FILE"))));
    while (err >= 0 && (err = jab_client_wait(c, &ev, -1)) > 0)
        err = on_event(jab_client_session(c), ev);
    jab_client_free(c); /* NULL is fine */
    if (err < 0)
        fprintf(stderr, "echo: %s\n", jab_strerror(err));
    return err < 0;
}
