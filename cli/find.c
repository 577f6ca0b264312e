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

/* Where a record stands in its conversation. */
struct seat {
    char *conversation;
    int64_t rank, key;
    size_t at; /* in the list */
};

struct gather {
    cli_found *found;
    struct seat *seats;
    unsigned limit;
    int64_t behind; /* nothing counts before this key has come; 0: all does */
};

static void add_seat(struct gather *g, const jab_kept_message *kept)
{
    size_t n = g->found->n;
    if ((n & (n - 1)) == 0)
        g->seats = app_realloc(g->seats, (n ? n * 2 : 1) * sizeof *g->seats);
    g->seats[n] = (struct seat){app_copy(kept->conversation), kept->rank, kept->key, n};
}

static int by_place(const void *a, const void *b)
{
    const struct seat *one = a, *other = b;
    int order = strcmp(one->conversation, other->conversation);
    if (order)
        return order;
    if (one->rank != other->rank)
        return one->rank > other->rank ? -1 : 1;
    return one->key > other->key ? -1 : 1;
}

static int by_list(const void *a, const void *b)
{
    const struct seat *one = a, *other = b;
    int order = strcmp(one->conversation, other->conversation);
    return order ? order : one->at < other->at ? -1 : 1;
}

/* All together they stand in the order of their times, which are to the second in some
 * archives; those of one conversation change places until they are in the order of the server. */
static void put_in_order(struct gather *g)
{
    size_t n = g->found->n;
    if (n < 2)
        return;
    struct seat *places = app_alloc(n * sizeof *places);
    json_t **ordered = app_alloc(n * sizeof *ordered);
    memcpy(places, g->seats, n * sizeof *places);
    qsort(g->seats, n, sizeof *g->seats, by_place);
    qsort(places, n, sizeof *places, by_list);
    for (size_t i = 0; i < n; i++)
        ordered[places[i].at] = g->found->v[g->seats[i].at];
    memcpy(g->found->v, ordered, n * sizeof *ordered);
    free(ordered);
    free(places);
}

static void free_seats(struct gather *g)
{
    for (size_t i = 0; i < g->found->n; i++)
        free(g->seats[i].conversation);
    free(g->seats);
}

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
    if (record) {
        add_seat(g, kept);
        cli_found_add(g->found, record);
    }
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
    put_in_order(&g);
    free_seats(&g);
    cli_found_reverse(found);
    return err < 0 ? say_store(c, err) : APP_OK;
}

static int on_id(void *arg, const jab_kept_message *kept)
{
    *(char **)arg = kept->archive_id.n ? app_copy(kept->archive_id) : NULL;
    return 1;
}

int cli_archive_id(cli *c, int64_t key, char **id)
{
    *id = NULL;
    int err = jab_store_read(c->store, JAB_KEPT_QUERY(.key = key), on_id, id);
    return err < 0 ? say_store(c, err) : APP_OK;
}

/* -- Two lists in one ------------------------------------------------------------------- */

/* A kept record by its id in the archive. */
struct place_of {
    jab_str id;
    json_t **record;
};

static int compare(const void *a, const void *b)
{
    jab_str one = ((const struct place_of *)a)->id, other = ((const struct place_of *)b)->id;
    size_t n = one.n < other.n ? one.n : other.n;
    int order = n ? memcmp(one.p, other.p, n) : 0;
    return order ? order : (one.n > other.n) - (one.n < other.n);
}

/* Replaces archived records by the kept ones that are the same: these know more. What is
 * left in `kept` is in no archive. */
static void match(cli_found *kept, cli_found *archived)
{
    struct place_of *places = app_alloc((kept->n + 1) * sizeof *places);
    size_t n = 0;
    for (size_t i = 0; i < kept->n; i++) {
        jab_str id = app_text_at(kept->v[i], "archive_id");
        if (id.n)
            places[n++] = (struct place_of){id, &kept->v[i]};
    }
    qsort(places, n, sizeof *places, compare);
    for (size_t i = 0; i < archived->n; i++) {
        struct place_of key = {app_text_at(archived->v[i], "archive_id"), NULL};
        struct place_of *found = bsearch(&key, places, n, sizeof *places, compare);
        if (!found || !*found->record)
            continue;
        json_decref(archived->v[i]);
        archived->v[i] = *found->record;
        *found->record = NULL;
    }
    free(places);
}

/* ISO 8601 in UTC, with and without a fraction: "...05Z" comes before "...05.2Z". */
static int is_before(const json_t *a, const json_t *b)
{
    jab_str one = app_text_at(a, "stamp"), other = app_text_at(b, "stamp");
    size_t n = strlen("2026-11-02T14:03:05");
    return one.n > n && other.n > n && memcmp(one.p, other.p, n) < 0;
}

void cli_found_merge(cli_found *kept, cli_found *archived, unsigned limit)
{
    cli_found all = {0};
    size_t next = 0;
    match(kept, archived);
    for (size_t i = 0; i < kept->n; i++) {
        if (!kept->v[i])
            continue;
        while (next < archived->n && !is_before(kept->v[i], archived->v[next]))
            cli_found_add(&all, archived->v[next++]);
        cli_found_add(&all, kept->v[i]);
    }
    while (next < archived->n)
        cli_found_add(&all, archived->v[next++]);
    size_t spare = all.n > limit ? all.n - limit : 0;
    for (size_t i = 0; i < spare; i++)
        json_decref(all.v[i]);
    if (spare)
        memmove(all.v, all.v + spare, (all.n - spare) * sizeof *all.v);
    all.n -= spare;
    free(kept->v);
    free(archived->v);
    *archived = (cli_found){0};
    *kept = all;
}
