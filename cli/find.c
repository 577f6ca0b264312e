/* find.c: messages of the store, gathered as records, the oldest first. */
#include "cli.h"

#include <stdlib.h>

#define ROWS_MAX 100000000u /* read until enough were found */

void cli_found_add(cli_found *found, json_t *record)
{
    if ((found->n & (found->n - 1)) == 0)
        found->v = app_realloc(found->v, (found->n ? found->n * 2 : 1) * sizeof *found->v);
    found->v[found->n++] = record;
}

void cli_found_reverse(cli_found *found)
{
    for (size_t i = 0; i < found->n / 2; i++) {
        json_t *other = found->v[found->n - 1 - i];
        found->v[found->n - 1 - i] = found->v[i];
        found->v[i] = other;
    }
}

void cli_found_free(cli_found *found)
{
    for (size_t i = 0; i < found->n; i++)
        json_decref(found->v[i]);
    free(found->v);
    *found = (cli_found){0};
}

/* Where the message stands before which the list ends. */
struct place {
    int there;
    int64_t rank, stamp;
};

static int on_place(void *arg, const jab_kept_message *kept)
{
    *(struct place *)arg = (struct place){1, kept->rank, kept->stamp};
    return 0;
}

struct gather {
    cli_found *found;
    unsigned limit;
    int64_t behind; /* nothing counts before this key has come; 0: all does */
};

/* Several may stand at the same place: the one that was named is met again. */
static int on_row(void *arg, const jab_kept_message *kept)
{
    struct gather *g = arg;
    if (g->behind) {
        if (g->behind == kept->key)
            g->behind = 0;
        return 0;
    }
    json_t *record = cli_kept_record(kept);
    if (record)
        cli_found_add(g->found, record);
    return g->found->n >= g->limit;
}

static int say_store(cli *c, int err)
{
    jab_str words = jab_store_error(c->store);
    if (err != JAB_ESTORE || !words.n)
        return app_say_error("store", err);
    return app_say(jab_err_exit(err), "store: " JAB_FMT, JAB_ARG(words));
}

int cli_find_kept(cli *c, const cli_find *find, cli_found *found)
{
    struct place place = {0};
    struct gather g = {.found = found, .limit = find->limit, .behind = find->before};
    int err = 0;
    if (find->before)
        err = jab_store_read(c->store, JAB_KEPT_QUERY(.key = find->before), on_place, &place);
    if (err >= 0 && find->before && !place.there)
        return app_say(APP_USAGE, "--before: no such message is kept here");
    jab_kept_query q = {.size = sizeof q,
                        .conversation = find->with,
                        .since = find->since,
                        .until = find->until,
                        .limit = ROWS_MAX,
                        .words = find->words};
    if (place.there)
        q.before = (find->with.p && !find->words.p ? place.rank : place.stamp) + 1;
    if (err >= 0)
        err = find->words.p ? jab_store_search(c->store, &q, on_row, &g)
                            : jab_store_read(c->store, &q, on_row, &g);
    cli_found_reverse(found);
    return err < 0 ? say_store(c, err) : APP_OK;
}
