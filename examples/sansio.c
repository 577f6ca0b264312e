/*
 * sansio.c: the core without the library's input and output. A session is
 * driven by hand over one end of a socket pair; at the other end a thread
 * plays a server from a script, so that the program needs no network.
 */
#include <jabiru/jabiru.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER                                                                                     \
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "        \
    "from='example.org' id='1' version='1.0'>"

/* What the server waits for, and what it answers. */
static const char *const script[][2] = {
    {"<stream:stream", HEADER "<stream:features><mechanisms "
                              "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                              "<mechanism>PLAIN</mechanism></mechanisms></stream:features>"},
    {"</auth>", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"},
    {"<stream:stream", HEADER "<stream:features><bind "
                              "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"},
    {"</iq>", NULL}, /* binds the resource: the answer has the request's id */
    {"<presence", "<message from='romeo@example.net/garden' type='chat'>"
                  "<body>Wherefore art thou?</body></message>"},
    {"</message>", "</stream:stream>"},
};

static void grant_bind(int fd, const char *request)
{
    const char *id = strstr(request, "id='");
    char text[512];
    if (!id)
        return;
    id += 4;
    int n = snprintf(text, sizeof text,
                     "<iq type='result' id='%.*s'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                     "<jid>juliet@example.org/balcony</jid></bind></iq>",
                     (int)strcspn(id, "'"), id);
    (void)!write(fd, text, (size_t)n);
}

static void *serve(void *arg)
{
    int fd = *(int *)arg;
    char got[8192];
    for (size_t i = 0; i < sizeof script / sizeof *script; i++) {
        size_t n = 0;
        got[0] = '\0';
        while (!strstr(got, script[i][0])) {
            ssize_t more = read(fd, got + n, sizeof got - 1 - n);
            if (more <= 0)
                return NULL;
            n += (size_t)more;
            got[n] = '\0';
        }
        if (script[i][1])
            (void)!write(fd, script[i][1], strlen(script[i][1]));
        else
            grant_bind(fd, got);
    }
    return NULL;
}

/* -- The application ------------------------------------------------------------- */

static int on_event(jab_session *s, const jab_event *ev)
{
    switch (ev->type) {
    case JAB_EV_ONLINE:
        printf("online as " JAB_FMT "\n", JAB_ARG(ev->jid->full));
        return jab_out_send(jab_presence_to(s, (jab_str){NULL, 0}), 0);
    case JAB_EV_MESSAGE: {
        printf(JAB_FMT ": " JAB_FMT "\n", JAB_ARG(ev->message->from.bare),
               JAB_ARG(ev->message->body));
        jab_out *o = jab_reply(s, ev->message);
        jab_out_body(o, JAB_STR("Deny thy father."));
        return jab_out_send(o, 0);
    }
    case JAB_EV_OFFLINE:
        printf("offline: " JAB_FMT "\n", JAB_ARG(ev->fault->text));
        return 0;
    default:
        return 0;
    }
}

/* -- The driver: bytes, events, time ------------------------------------------------ */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for bytes, no longer than the session wants. */
static int wait_readable(int fd, int64_t deadline)
{
    int64_t left = deadline == JAB_NEVER ? 60000 : deadline - now_ms();
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, left < 0 ? 0 : left > 60000 ? 60000 : (int)left);
}

static int pull_events(jab_session *s)
{
    int err = 0;
    for (const jab_event *ev; err >= 0 && (ev = jab_session_next(s));)
        err = on_event(s, ev);
    return err;
}

/* Writes what there is; the socket is a blocking one. */
static int write_out(jab_session *s, int fd)
{
    for (jab_str out; (out = jab_session_out(s)).n > 0;) {
        ssize_t n = write(fd, out.p, out.n);
        if (n < 0)
            return JAB_EIO;
        jab_session_out_done(s, (size_t)n);
    }
    return 0;
}

/* Feeds what arrived. Taken is what there is room for: events are pulled, and
 * a log-in computes in slices, before the rest goes in. */
static int read_in(jab_session *s, int fd)
{
    char in[4096];
    ssize_t n = read(fd, in, sizeof in);
    if (n <= 0)
        jab_session_eof(s, n == 0, now_ms());
    int err = 0;
    for (ssize_t at = 0; at < n && err >= 0 && !jab_session_closed(s);) {
        ptrdiff_t taken = jab_session_feed(s, in + at, (size_t)(n - at), now_ms());
        if (taken < 0)
            break; /* JAB_EV_OFFLINE says why */
        at += taken;
        jab_session_tick(s, now_ms());
        err = pull_events(s);
    }
    return err;
}

static int drive(jab_session *s, int fd)
{
    int err = 0;
    while (err >= 0 && !jab_session_closed(s)) {
        err = write_out(s, fd);
        if (err >= 0 && wait_readable(fd, jab_session_deadline(s)) > 0)
            err = read_in(s, fd);
        jab_session_tick(s, now_ms());
        if (err >= 0)
            err = pull_events(s);
    }
    return err;
}

int main(void)
{
    int fds[2];
    pthread_t server;
    jab_session *s = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 ||
        pthread_create(&server, NULL, serve, &fds[1]) != 0)
        return 9;
    /* No TLS on a socket pair, so PLAIN has to be allowed by name. */
    int err = jab_session_new(&s, JAB_CONFIG(.jid = JAB_STR("juliet@example.org"),
                                             .password = JAB_STR("s3cret"), .tls = JAB_TLS_OFF,
                                             .mechanisms = JAB_STR("PLAIN")));
    if (err >= 0)
        err = jab_session_connected(s, NULL, now_ms());
    if (err >= 0)
        err = drive(s, fds[0]);
    jab_session_free(s);
    close(fds[0]);
    pthread_join(server, NULL);
    close(fds[1]);
    if (err < 0)
        fprintf(stderr, "sansio: %s\n", jab_strerror(err));
    return jab_err_exit(err);
}
