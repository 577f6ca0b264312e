/*
 * catchup_bench.c: a program with a store that catches up with its archive, and counts.
 *
 *     catchup_bench JID PORT CA STORE COUNT      password in $PEER_PASSWORD
 *
 * ends when so many messages came.
 */
#include <jabiru/jabiru.h>
#include <stdio.h>
#include <stdlib.h>

static long catch_up(jab_client *c, long count)
{
    const jab_event *ev;
    long got = 0;
    while (got < count && jab_client_wait(c, &ev, 60000) > 0) {
        if (ev->type == JAB_EV_ONLINE && jab_send_presence(jab_client_session(c), (jab_str){0},
                                                           JAB_SHOW_ONLINE, (jab_str){0}, 0) < 0)
            break;
        got += ev->type == JAB_EV_MESSAGE && ev->message->body.n > 0;
    }
    return got;
}

int main(int argc, char **argv)
{
    jab_store *st = NULL;
    jab_client *c = NULL;
    char words[300];
    if (argc != 6) {
        fprintf(stderr, "usage: catchup_bench JID PORT CA STORE COUNT\n");
        return 2;
    }
    if (jab_store_open(
            &st, JAB_STORE_FILE(.path = argv[4], .words = words, .words_size = sizeof words)) < 0) {
        fprintf(stderr, "catchup_bench: %s\n", words);
        return 1;
    }
    int err = jab_client_new(
        &c, JAB_CONFIG(.jid = jab_cstr(argv[1]), .password = jab_cstr(getenv("PEER_PASSWORD")),
                       .host = jab_cstr("127.0.0.1"), .port = (uint16_t)strtoul(argv[2], NULL, 10),
                       .ca_file = jab_cstr(argv[3]), .store = st));
    long count = strtol(argv[5], NULL, 10), got = err < 0 ? 0 : catch_up(c, count);
    jab_client_free(c);
    jab_store_free(st);
    printf("%ld\n", got);
    return got < count;
}
