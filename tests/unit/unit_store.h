/* unit_store.h: what tests of stores share: folders, messages, and what was read. */
#ifndef UNIT_STORE_H
#define UNIT_STORE_H

#include "unit.h"

#include <jabiru/store.h>

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

typedef struct store_folder {
    char name[64];
    char path[96]; /* of a store in it */
} store_folder;

static inline void folder_make(store_folder *f)
{
    snprintf(f->name, sizeof f->name, "/tmp/jabiru-store-XXXXXX");
    assert_non_null(mkdtemp(f->name));
    snprintf(f->path, sizeof f->path, "%s/s.db", f->name);
}

static inline void folder_remove(const store_folder *f)
{
    DIR *d = opendir(f->name);
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", f->name, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(f->name);
}

/* What was handed out, one thing after the other. */
typedef struct store_got {
    char text[16384];
    size_t n;
    int stop_after; /* 0: never */
    int count;
} store_got;

static inline void got_add(store_got *g, jab_str s)
{
    assert_true(g->n + s.n + 2 < sizeof g->text);
    memcpy(g->text + g->n, s.p ? s.p : "-", s.p ? s.n : 1);
    g->n += s.p ? s.n : 1;
    g->text[g->n] = '\0';
}

static inline int got_more(store_got *g)
{
    got_add(g, JAB_STR(" "));
    return ++g->count == g->stop_after ? 7 : 0;
}

static inline int got_value(void *arg, jab_str key, jab_str value)
{
    store_got *g = (store_got *)arg;
    got_add(g, key);
    got_add(g, JAB_STR("="));
    got_add(g, value);
    return got_more(g);
}

static inline int got_body(void *arg, const jab_kept_message *m)
{
    store_got *g = (store_got *)arg;
    got_add(g, m->body);
    return got_more(g);
}

static inline int64_t add_body(jab_store *st, const char *conversation, int64_t rank,
                               const char *body)
{
    jab_kept_message m = {.rank = rank,
                          .stamp = rank / 1000,
                          .conversation = jab_cstr(conversation),
                          .sender = JAB_STR("ann@example.org"),
                          .type = JAB_MSG_CHAT,
                          .fingerprint = rank,
                          .body = jab_cstr(body),
                          .xml = JAB_STR("<message/>")};
    int64_t key = 0;
    assert_int_equal(st->table->add(st, &m, &key), 0);
    assert_true(key > 0);
    return key;
}

/* What a query finds, bodies with a blank behind each. */
#define assert_bodies(got, call, expected)                                                         \
    do {                                                                                           \
        store_got got = {.n = 0};                                                                  \
        int bodies_ = (call);                                                                      \
        assert_string_equal(got.text, expected);                                                   \
        assert_int_equal(bodies_, got.count);                                                      \
    } while (0)

#define assert_read(st, expected, ...)                                                             \
    assert_bodies(g, jab_store_read(st, JAB_KEPT_QUERY(__VA_ARGS__), got_body, &g), expected)
#define assert_found(st, expected, ...)                                                            \
    assert_bodies(g, jab_store_search(st, JAB_KEPT_QUERY(__VA_ARGS__), got_body, &g), expected)

#endif
