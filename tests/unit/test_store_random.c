/*
 * test_store_random.c: by chance, but the same to a store in memory and to one
 * in a file, which are not to differ. A run is its seed; one that fails is tried
 * alone with STORE_SEED.
 */
#include "unit_store.h"

#include "../sim/rng.h"

#define MESSAGES 700
#define STEPS    3000

typedef struct pair {
    sim_rng rng;
    store_folder folder;
    jab_store *st[2]; /* memory, file */
    int64_t keys[2][MESSAGES];
    int n, committed;
    store_got got[2];
} pair;

#define BOTH(i) (int i = 0; i < 2; i++)

static const char *pick(sim_rng *r, const char *const *list, size_t n)
{
    return list[sim_below(r, n)];
}

#define PICK(r, list) pick(r, list, sizeof(list) / sizeof((list)[0]))

static const char *const jids[] = {"ann@example.org", "bob@example.org", "room@conf.example.org/x",
                                   "eve@example.org", "nobody@example.org"};
static const char *const ids[] = {"", "a", "b", "c", "d", "e", NULL, NULL};
static const char *const words[] = {"hello",
                                    "Hell",
                                    "help",
                                    "w\u00F6rld",
                                    "WORLD",
                                    "world's",
                                    "\u6771\u4EAC",
                                    "\u4EAC",
                                    "\u4EAC\u6771",
                                    "h",
                                    "w",
                                    "hello wor",
                                    "\u041A\u0430\u0439",
                                    "\u043A\u0430\u0438",
                                    "\U0001F44D",
                                    "a1",
                                    "_1",
                                    "\u0E01\u0E34\u0E19",
                                    "",
                                    "\"x\" OR h*",
                                    "stra\u00DFe",
                                    "STRASSE",
                                    "e\u0301t\u00E9"};

static void write_body(sim_rng *r, char *out, size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (uint64_t left = sim_below(r, 5); left > 0; left--)
        n += (size_t)snprintf(out + n, size - n, "%s%s", PICK(r, words),
                              sim_chance(r, 800) ? " " : "");
}

/* After a failure of both, both are brought back to the last commit. */
static void roll_back(pair *p)
{
    for
        BOTH(i)
    p->st[i]->table->rollback(p->st[i]);
    p->n = p->committed;
}

static void same(pair *p, const int *err)
{
    assert_int_equal(err[0], err[1]);
    if (err[0] < 0)
        roll_back(p);
}

static void add(pair *p)
{
    char body[200], xml[32];
    sim_rng *r = &p->rng;
    if (p->n == MESSAGES)
        return;
    write_body(r, body, sizeof body);
    snprintf(xml, sizeof xml, "%d", p->n);
    jab_kept_message m = {.rank = sim_between(r, -5, 40),
                          .stamp = sim_between(r, -3, 40),
                          .conversation = jab_cstr(PICK(r, jids)),
                          .sender = jab_cstr(PICK(r, jids)),
                          .own = (jab_own_state)sim_below(r, 7),
                          .id = jab_cstr(PICK(r, ids)),
                          .origin_id = jab_cstr(PICK(r, ids)),
                          .fingerprint = sim_between(r, -4, 4),
                          .body = sim_chance(r, 900) ? jab_cstr(body) : jab_cstr(NULL),
                          .xml = jab_cstr(xml)};
    char archive_id[8];
    snprintf(archive_id, sizeof archive_id, "%d", (int)sim_below(r, 600));
    if (sim_chance(r, 300)) {
        m.archive = jab_cstr(PICK(r, jids));
        m.archive_id = jab_cstr(archive_id);
    }
    int err[2];
    for
        BOTH(i)
    err[i] = p->st[i]->table->add(p->st[i], &m, &p->keys[i][p->n]);
    p->n += err[0] == 0;
    same(p, err);
}

static void change(pair *p)
{
    sim_rng *r = &p->rng;
    uint64_t which = sim_below(r, (uint64_t)p->n);
    char id[8];
    snprintf(id, sizeof id, "%d", (int)sim_below(r, 2000));
    jab_kept_change c = {.size = sizeof c,
                         .rank = sim_below(r, 2) ? sim_between(r, 0, 40) : 0,
                         .stamp = sim_below(r, 2) ? sim_between(r, 0, 40) : 0,
                         .own = (jab_own_state)sim_below(r, 4)};
    if (sim_chance(r, 100)) {
        c.archive = jab_cstr(PICK(r, jids));
        c.archive_id = jab_cstr(id);
    }
    int err[2] = {0, 0};
    for (int i = 0; p->n && i < 2; i++)
        err[i] = p->st[i]->table->change(p->st[i], p->keys[i][which], &c);
    same(p, err);
}

static void take_out(pair *p)
{
    uint64_t which = sim_below(&p->rng, (uint64_t)p->n);
    for (int i = 0; p->n && i < 2; i++)
        assert_int_equal(p->st[i]->table->remove(p->st[i], p->keys[i][which]), 0);
}

static void put(pair *p)
{
    jab_str key = jab_cstr(PICK(&p->rng, words));
    jab_str value = sim_chance(&p->rng, 700) ? jab_cstr(PICK(&p->rng, words)) : jab_cstr(NULL);
    const char *space = sim_below(&p->rng, 2) ? "x" : "y";
    for
        BOTH(i)
    assert_int_equal(p->st[i]->table->put(p->st[i], space, key, value), 0);
}

static void end(pair *p)
{
    if (sim_chance(&p->rng, 200)) {
        roll_back(p);
        return;
    }
    for
        BOTH(i)
    assert_int_equal(p->st[i]->table->commit(p->st[i]), 0);
    p->committed = p->n;
    if (!sim_chance(&p->rng, 100))
        return;
    jab_store_free(p->st[1]);
    assert_int_equal(jab_store_open(&p->st[1], JAB_STORE_FILE(.path = p->folder.path)), 0);
}

/* -- What is read ------------------------------------------------------------------ */

static int got_message(void *arg, const jab_kept_message *m)
{
    store_got *g = arg;
    char text[100];
    snprintf(text, sizeof text, "%lld:%lld:%d:", (long long)m->rank, (long long)m->stamp,
             (int)m->own);
    got_add(g, jab_cstr(text));
    got_add(g, m->archive_id);
    got_add(g, JAB_STR(":"));
    got_add(g, m->xml);
    return got_more(g);
}

static void assert_same_got(pair *p, const int *n)
{
    size_t at = 0;
    while (p->got[0].text[at] && p->got[0].text[at] == p->got[1].text[at])
        at++;
    /* Only from a bit before the first difference: there may be much in front. */
    at -= at < 40 ? at : 40;
    p->got[0].text[at + 200] = p->got[1].text[at + 200] = '\0';
    assert_string_equal(p->got[0].text + at, p->got[1].text + at);
    assert_int_equal(n[0], n[1]);
    assert_true(n[0] < 0 || n[0] == p->got[0].count);
}

static void begin_got(pair *p)
{
    for
        BOTH(i)
        {
            p->got[i].n = 0;
            p->got[i].text[0] = '\0';
            p->got[i].count = 0;
        }
}

static int64_t some(sim_rng *r, unsigned per_mille, int64_t most)
{
    return sim_chance(r, per_mille) ? sim_between(r, 1, most) : 0;
}

static void read_some(pair *p)
{
    sim_rng *r = &p->rng;
    char archive_id[8];
    snprintf(archive_id, sizeof archive_id, "%d", (int)sim_below(r, 600));
    int search = sim_chance(r, 500), n[2];
    jab_kept_query q = {.size = sizeof q,
                        .fingerprint = some(r, 100, 4),
                        .before = some(r, 300, 40),
                        .after = some(r, 300, 40),
                        .since = some(r, 200, 40),
                        .until = some(r, 200, 40),
                        .limit = (unsigned)sim_between(r, 1, sim_chance(r, 300) ? 200 : 5),
                        .forwards = (int)sim_below(r, 2),
                        .words = jab_cstr(PICK(r, words))};
    if (sim_chance(r, 500))
        q.conversation = jab_cstr(PICK(r, jids));
    if (sim_chance(r, 100))
        q.id = jab_cstr(PICK(r, ids));
    if (sim_chance(r, 100)) {
        q.archive = jab_cstr(PICK(r, jids));
        q.archive_id = jab_cstr(archive_id);
    }
    int64_t which = sim_chance(r, 50) ? (int64_t)sim_below(r, (uint64_t)p->n) : -1;
    begin_got(p);
    for
        BOTH(i)
        {
            q.key = which >= 0 && p->n ? p->keys[i][which] : 0;
            n[i] = search ? jab_store_search(p->st[i], &q, got_message, &p->got[i])
                          : jab_store_read(p->st[i], &q, got_message, &p->got[i]);
        }
    assert_same_got(p, n);
}

static void read_values(pair *p)
{
    sim_rng *r = &p->rng;
    jab_str after = sim_below(r, 2) ? jab_cstr(PICK(r, words)) : jab_cstr(NULL);
    unsigned limit = (unsigned)sim_below(r, 6);
    int n[2];
    begin_got(p);
    for
        BOTH(i)
    n[i] = p->st[i]->table->each(p->st[i], "x", after, limit, got_value, &p->got[i]);
    assert_same_got(p, n);
}

static void run(uint64_t seed)
{
    static void (*const steps[])(pair * p) = {
        add, add,       add,       add,       change,    take_out,   put,
        end, read_some, read_some, read_some, read_some, read_values};
    pair *p = calloc(1, sizeof *p);
    p->rng.state = seed;
    folder_make(&p->folder);
    assert_int_equal(jab_store_memory(&p->st[0], NULL), 0);
    assert_int_equal(jab_store_open(&p->st[1], JAB_STORE_FILE(.path = p->folder.path)), 0);
    for (int i = 0; i < STEPS; i++)
        steps[sim_below(&p->rng, sizeof steps / sizeof steps[0])](p);
    assert_true(p->n > 100);
    for
        BOTH(i)
    jab_store_free(p->st[i]);
    folder_remove(&p->folder);
    free(p);
}

static void stores_do_not_differ(void **state)
{
    (void)state;
    const char *seed = getenv("STORE_SEED");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1;
    for (uint64_t i = 0; i < (seed ? 1 : 4); i++) {
        print_message("STORE_SEED=%llu\n", (unsigned long long)(first + i));
        run(first + i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stores_do_not_differ)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
