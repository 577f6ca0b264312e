/*
 * login_bench.c: logs in with libjabiru, with the ways and the vault that it is told: see
 * login_bench.h.
 */
#include "login_bench.h"
#include <jabiru/jabiru.h>

static const struct {
    const char *way;
    unsigned flag;
} FLAGS[] = {
    {"classic", JAB_LOGIN_NO_SASL2},
    {"bind2", JAB_LOGIN_BIND2},
    {"no-fast", JAB_LOGIN_NO_FAST},
    {"early-data", JAB_LOGIN_EARLY_DATA},
};

static void wire(void *arg, int out, jab_str bytes)
{
    (void)arg;
    fprintf(stderr, "%.6f %s %.*s\n", seconds(CLOCK_MONOTONIC), out ? "C:" : "S:", (int)bytes.n,
            bytes.p);
}

static unsigned flags_of(const char *ways)
{
    unsigned flags = 0;
    for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
        if (has_way(ways, FLAGS[i].way))
            flags |= FLAGS[i].flag;
    return flags;
}

/* Until the roster is there: 1, or 0 when that fails. */
static int log_in(jab_client *c, times *t)
{
    const jab_event *ev;
    while (jab_client_wait(c, &ev, 30000) > 0) {
        if (ev->type == JAB_EV_ROSTER_READY)
            return 1;
        if (ev->type == JAB_EV_OFFLINE)
            fprintf(stderr, "login_bench: %.*s\n", (int)ev->fault->text.n, ev->fault->text.p);
        if (ev->type != JAB_EV_ONLINE)
            continue;
        t->online = seconds(CLOCK_MONOTONIC);
        if (jab_set_presence(jab_client_session(c), (jab_str){0}) < 0)
            return 0;
    }
    return 0;
}

/* The words that bench/login.py compares. */
static void say_how(const times *t, jab_client *c)
{
    jab_login_info i = jab_session_login(jab_client_session(c));
    char how[80];
    snprintf(how, sizeof how, "%s%s%s%s", i.sasl2 ? "sasl2 " : "", i.bind2 ? "bind2 " : "",
             i.token ? "token" : "password", i.tls_resumed ? " resumed" : "");
    say_ready(t, how);
}

/* The server is told of the end, and has the time to say what is for the next time. */
static void log_out(jab_client *c)
{
    const jab_event *ev;
    jab_client_close(c);
    while (jab_client_wait(c, &ev, 5000) > 0)
        continue;
}

int main(int argc, char **argv)
{
    jab_vault *vault = NULL;
    jab_client *c = NULL;
    char why[300] = "";
    if (argc != 5 && argc != 6) {
        fprintf(stderr, "usage: login_bench JID PORT CA WAYS [VAULT]\n");
        return 2;
    }
    if (argc == 6 && jab_vault_file_new(&vault, jab_cstr(argv[5]), NULL, why, sizeof why) < 0) {
        fprintf(stderr, "login_bench: %s\n", why);
        return 1;
    }
    times t = begun();
    int err = jab_client_new(
        &c, JAB_CONFIG(.jid = jab_cstr(argv[1]), .password = jab_cstr(getenv("PEER_PASSWORD")),
                       .host = jab_cstr("127.0.0.1"), .port = (uint16_t)strtoul(argv[2], NULL, 10),
                       .ca_file = jab_cstr(argv[3]), .no_reconnect = 1,
                       .tls = has_way(argv[4], "direct") ? JAB_TLS_DIRECT : JAB_TLS_REQUIRED,
                       .login = flags_of(argv[4]), .vault = vault,
                       .wire = has_way(argv[4], "trace") ? wire : NULL));
    int ready = err < 0 ? 0 : log_in(c, &t);
    if (ready) {
        say_how(&t, c);
        log_out(c);
    }
    jab_client_free(c);
    jab_vault_free(vault);
    return !ready;
}
