/* ping.c: jabiru ping: the round trip to an entity (XEP-0199). */
#include "cli.h"

#include <jabiru/ping.h>

struct values {
    app_number count;
    app_time interval;
    int stats;
};
CLI_VALUES_FIT(struct values);

const app_opt cli_ping_options[] = {
    {"count", 'c', APP_OPT_NUMBER, offsetof(struct values, count), "N",
     "send so many pings; 1 without it", 1, 1000000, 0},
    {"interval", 'i', APP_OPT_TIME, offsetof(struct values, interval), "SEC",
     "time between two pings; 1 second without it", 0, 0, 0},
    {"stats", 0, APP_OPT_FLAG, offsetof(struct values, stats), NULL,
     "print only the sum: sent, received, min/avg/max", 0, 0, 0},
    {0},
};

struct tally {
    int64_t sent, received, least, most, total;
};

static void count(struct tally *t, int64_t ms)
{
    t->least = t->received == 0 || ms < t->least ? ms : t->least;
    t->most = ms > t->most ? ms : t->most;
    t->total += ms;
    t->received++;
}

static void print_pong(cli *c, jab_str from, int64_t seq, int64_t ms)
{
    json_t *record = app_record_new("pong");
    app_set_text(record, "from", from);
    app_set_int(record, "seq", seq);
    app_set_int(record, "ms", ms);
    app_out_record(&c->out, record);
}

static void print_tally(cli *c, const struct tally *t)
{
    json_t *record = app_record_new("ping-stats");
    app_set_int(record, "sent", t->sent);
    app_set_int(record, "received", t->received);
    if (t->received) {
        app_set_int(record, "min", t->least);
        app_set_int(record, "avg", t->total / t->received);
        app_set_int(record, "max", t->most);
    }
    app_out_record(&c->out, record);
}

static int ping_once(cli *c, jab_str to, struct tally *t)
{
    const struct values *v = c->values;
    const jab_event *ev;
    uint64_t tag = cli_tag(c);
    int64_t began = app_now();
    int err = jab_ping(cli_session(c), to, tag);
    if (err < 0)
        return app_say_error("ping", err);
    t->sent++;
    int status = cli_answer(c, JAB_EV_PONG, tag, &ev);
    if (status != APP_OK)
        return status;
    const jab_pong *pong = ev->data;
    if (pong->error)
        return cli_say_reply("ping", pong->error, &pong->refusal);
    int64_t took = app_now() - began;
    count(t, took);
    if (!v->stats)
        print_pong(c, to.p ? pong->from.full : c->jid.domain, t->sent, took);
    return APP_OK;
}

static int pause_for(cli *c, int64_t ms)
{
    const jab_event *ev;
    int64_t until = app_now() + ms;
    while (app_now() < until)
        if (cli_wait(c, &ev, NULL, until) == CLI_ENDED)
            return c->status;
    return APP_OK;
}

int cli_ping(cli *c)
{
    const struct values *v = c->values;
    struct tally tally = {0};
    jab_jid_buf bytes;
    jab_jid to = {0};
    int times = v->count.given ? v->count.value : 1;
    int status = cli_want(c, 0, 1);
    if (status == APP_OK && c->n)
        status = cli_address(c->operands[0], &to, &bytes);
    if (status == APP_OK)
        status = cli_connect(c);
    for (int i = 0; status == APP_OK && i < times; i++) {
        if (i > 0)
            status = pause_for(c, v->interval.given ? v->interval.ms : 1000);
        if (status == APP_OK)
            status = ping_once(c, to.full, &tally);
    }
    if (v->stats && tally.sent)
        print_tally(c, &tally);
    return status;
}
