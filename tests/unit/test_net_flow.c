/* test_net_flow.c: a client whose two sides are not equally fast: what waits,
 * who is woken for it, and that nobody turns in circles meanwhile. */
#include "peer.h"

#include <arpa/inet.h>
#include <jabiru/client.h>
#include <poll.h>
#include <unistd.h>
#include <zlib.h>

#include "net/conn.h"

#define COMPRESSION                                                                                \
    "<stream:features><compression xmlns='http://jabber.org/features/compress'>"                   \
    "<method>zlib</method></compression></stream:features>"
#define COMPRESSED "<compressed xmlns='http://jabber.org/protocol/compress'/>"
#define MESSAGE    "<message from='romeo@example.net/o'><body>%d</body></message>"

/* The server's part is played by the test, in the same thread. */
static struct {
    jab_client *c;
    int listener, fd;
    int compressed;
    z_stream in, out;
    char got[1 << 18]; /* what the client sent, inflated */
    size_t n_got, from;
} sv;

static jab_config flow_config(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int small = 4096;
    memset(&sv, 0, sizeof sv);
    sv.fd = -1;
    sv.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(sv.listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    assert_int_equal(bind(sv.listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(sv.listener, 8), 0);
    assert_int_equal(getsockname(sv.listener, (struct sockaddr *)&a, &size), 0);
    return (jab_config){.size = sizeof(jab_config),
                        .jid = JAB_STR("juliet@example.org/balcony"),
                        .password = JAB_STR("s3cret"),
                        .mechanisms = JAB_STR("PLAIN"),
                        .tls = JAB_TLS_OFF,
                        .host = JAB_STR("127.0.0.1"),
                        .port = ntohs(a.sin_port)};
}

static void flow_free(void)
{
    jab_client_free(sv.c);
    close(sv.listener);
    if (sv.fd >= 0)
        close(sv.fd);
    if (sv.compressed) {
        inflateEnd(&sv.in);
        deflateEnd(&sv.out);
    }
}

/* -- The server's side --------------------------------------------------------- */

static void keep(const char *p, size_t n)
{
    size_t room = sizeof sv.got - 1 - sv.n_got;
    if (!sv.compressed) {
        assert_true(n <= room);
        memcpy(sv.got + sv.n_got, p, n);
        sv.n_got += n;
    } else {
        sv.in.next_in = (Bytef *)p;
        sv.in.avail_in = (uInt)n;
        sv.in.next_out = (Bytef *)sv.got + sv.n_got;
        sv.in.avail_out = (uInt)room;
        assert_int_equal(inflate(&sv.in, Z_SYNC_FLUSH), Z_OK);
        sv.n_got += room - sv.in.avail_out;
    }
    sv.got[sv.n_got] = '\0';
}

/* Lets the client work and reads what it sends, until that holds `text`. */
static void hears(const char *text)
{
    char *at;
    int64_t until = jabi_now() + 5000;
    while (!(at = strstr(sv.got + sv.from, text))) {
        char chunk[4096];
        if (jabi_now() > until)
            fail_msg("the client did not send \"%s\"", text);
        (void)!jab_client_process(sv.c);
        ssize_t n = recv(sv.fd, chunk, sizeof chunk, MSG_DONTWAIT);
        if (n > 0)
            keep(chunk, (size_t)n);
        else
            usleep(200);
    }
    sv.from = (size_t)(at - sv.got) + strlen(text);
}

static void says(const char *text)
{
    char pressed[65536];
    size_t n = strlen(text);
    if (sv.compressed) {
        sv.out.next_in = (Bytef *)text;
        sv.out.avail_in = (uInt)n;
        sv.out.next_out = (Bytef *)pressed;
        sv.out.avail_out = sizeof pressed;
        assert_int_equal(deflate(&sv.out, Z_SYNC_FLUSH), Z_OK);
        n = sizeof pressed - sv.out.avail_out;
        text = pressed;
    }
    assert_int_equal(send(sv.fd, text, n, MSG_NOSIGNAL), n);
}

static void meets(const jab_config *cfg)
{
    assert_int_equal(jab_client_new(&sv.c, cfg), 0);
    struct pollfd p = {sv.listener, POLLIN, 0};
    for (int64_t until = jabi_now() + 5000; poll(&p, 1, 1) == 0 && jabi_now() < until;)
        (void)!jab_client_process(sv.c);
    sv.fd = accept(sv.listener, NULL, NULL);
    assert_true(sv.fd >= 0);
}

static void compress_stream(void)
{
    hears("<compress ");
    hears("</compress>");
    says(COMPRESSED);
    sv.compressed = 1;
    assert_int_equal(inflateInit(&sv.in), Z_OK);
    assert_int_equal(deflateInit(&sv.out, 9), Z_OK);
    hears("<stream:stream");
    says(PEER_HEADER PEER_BIND);
}

static void logs_in(const jab_config *cfg)
{
    meets(cfg);
    hears("<stream:stream");
    says(PEER_HEADER PEER_PLAIN);
    hears("</auth>");
    says(PEER_SUCCESS);
    hears("<stream:stream");
    if (cfg->compress == JAB_COMPRESS_OFF) {
        says(PEER_HEADER PEER_BIND);
    } else {
        says(PEER_HEADER COMPRESSION);
        compress_stream();
    }
    hears(" id='");
    const char *id = sv.got + sv.from;
    hears("</iq>");
    char text[512];
    snprintf(text, sizeof text,
             "<iq type='result' id='%.*s'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
             "<jid>juliet@example.org/balcony</jid></bind></iq>",
             (int)strcspn(id, "'"), id);
    says(text);
    const jab_event *ev = NULL;
    while (!ev)
        assert_true(jab_client_wait(sv.c, &ev, 5000) >= 0);
    assert_int_equal(ev->type, JAB_EV_ONLINE);
    while (jab_client_next(sv.c))
        continue;
}

/* -- Waking -------------------------------------------------------------------- */

/* XEP-0138: a read of a few bytes holds hundreds of stanzas; those that wait
 * inside the session are announced too, as soon as there is room for them. */
static void what_was_inflated_and_waits_is_announced(void **state)
{
    (void)state;
    jab_config cfg = flow_config();
    cfg.compress = JAB_COMPRESS_PLAIN;
    cfg.max_events = 16;
    logs_in(&cfg);
    char text[100 * 80];
    size_t n = 0;
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, MESSAGE, i);
    says(text);
    struct pollfd p = {jab_client_fd(sv.c), POLLIN, 0};
    for (int seen = 0; seen < 100;) {
        assert_int_equal(poll(&p, 1, 5000), 1);
        assert_int_equal(jab_client_process(sv.c), 0);
        for (const jab_event *ev; (ev = jab_client_next(sv.c));)
            seen += ev->type == JAB_EV_MESSAGE;
        assert_int_equal(jab_client_timeout(sv.c) == 0, seen < 100);
    }
    flow_free();
}

/* -- Rest ---------------------------------------------------------------------- */

#define ASK "<iq from='example.org' id='p%d' type='get'><x xmlns='urn:x'/></iq>"

/* Asks until the client, whose answers nobody takes, reads no more. */
static int ask_without_reading(void)
{
    int small = 4096, asked = 0;
    char text[100];
    assert_int_equal(setsockopt(sv.c->watch.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    while (asked < 5000 && sv.c->pending.n == 0) {
        snprintf(text, sizeof text, ASK, asked++);
        says(text);
        assert_int_equal(jab_client_process(sv.c), 0);
    }
    assert_in_range(asked, 100, 4999);
    assert_int_equal(jab_client_process(sv.c), 0);
    return asked;
}

/* Both sides are full: nothing is to be done until the server reads. */
static void a_client_that_the_server_does_not_read_rests(void **state)
{
    (void)state;
    jab_config cfg = flow_config();
    cfg.max_output_bytes = 20000;
    cfg.max_stanza_bytes = 4000;
    logs_in(&cfg);
    int asked = ask_without_reading();
    struct pollfd p = {jab_client_fd(sv.c), POLLIN, 0};
    assert_null(jab_client_next(sv.c));
    assert_in_range(jab_client_timeout(sv.c), 1000, 60000);
    assert_int_equal(poll(&p, 1, 50), 0);
    char last[40];
    snprintf(last, sizeof last, "id='p%d'", asked - 1);
    hears(last);
    flow_free();
}

static int longest(void *arg, void *p, size_t n)
{
    (void)arg;
    memset(p, 0xFF, n);
    return 0;
}

/* With unsent output left over, too. */
static void a_client_that_waits_for_its_next_connection_rests(void **state)
{
    (void)state;
    for (int is_full = 0; is_full < 2; is_full++) {
        jab_config cfg = flow_config();
        cfg.random = longest; /* the delay is */
        cfg.max_output_bytes = 20000;
        cfg.max_stanza_bytes = 4000;
        logs_in(&cfg);
        if (is_full)
            (void)ask_without_reading();
        close(sv.fd);
        sv.fd = -1;
        const jab_event *ev = NULL;
        assert_int_equal(jab_client_wait(sv.c, &ev, 5000), 1);
        assert_int_equal(ev->type, JAB_EV_OFFLINE);
        assert_int_equal(jab_client_wait(sv.c, &ev, 0), 0);
        assert_null(jab_client_next(sv.c));
        assert_in_range(jab_client_timeout(sv.c), 100, 60000);
        flow_free();
    }
}

/* A server that says <proceed/> and then nothing. */
static void proceed_and_fall_silent(void)
{
    static const char header[] =
        PEER_HEADER "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
                    "</stream:features>";
    static const char proceed[] = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    struct pollfd p = {sv.fd < 0 ? sv.listener : sv.fd, POLLIN, 0};
    if (poll(&p, 1, 0) <= 0)
        return;
    if (sv.fd < 0) {
        sv.fd = accept(sv.listener, NULL, NULL);
        return;
    }
    ssize_t n = recv(sv.fd, sv.got, sizeof sv.got - 1, MSG_DONTWAIT);
    sv.got[n > 0 ? n : 0] = '\0';
    if (strstr(sv.got, "<stream:stream"))
        assert_true(send(sv.fd, header, sizeof header - 1, MSG_NOSIGNAL) > 0);
    else if (strstr(sv.got, "<starttls"))
        assert_true(send(sv.fd, proceed, sizeof proceed - 1, MSG_NOSIGNAL) > 0);
}

static void the_log_ins_time_runs_on_in_the_handshake(void **state)
{
    (void)state;
    jab_config cfg = flow_config();
    cfg.tls = JAB_TLS_REQUIRED;
    cfg.login_timeout = 300;
    cfg.connect_timeout = 10000;
    cfg.no_reconnect = 1;
    assert_int_equal(jab_client_new(&sv.c, &cfg), 0);
    int64_t began = jabi_now();
    const jab_event *ev = NULL;
    int turns = 0;
    while (!ev && jabi_now() - began < 5000) {
        proceed_and_fall_silent();
        (void)!jab_client_wait(sv.c, &ev, 10);
        turns++;
    }
    assert_non_null(ev);
    assert_int_equal(ev->type, JAB_EV_OFFLINE);
    assert_int_equal(ev->fault->code, JAB_ETIMEOUT);
    assert_in_range(jabi_now() - began, 290, 4000);
    assert_in_range(turns, 1, 1000);
    flow_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_inflated_and_waits_is_announced),
        cmocka_unit_test(a_client_that_the_server_does_not_read_rests),
        cmocka_unit_test(a_client_that_waits_for_its_next_connection_rests),
        cmocka_unit_test(the_log_ins_time_runs_on_in_the_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
