/* disk_work.h: work on a store by chance, and a model, written apart from it, of what it must have.
 */
#ifndef UNIT_DISK_WORK_H
#define UNIT_DISK_WORK_H

#include <jabiru/store.h>
#include <stdio.h>

#include "sim/disk.h"
#include "sim/rng.h"
#include "unit.h"

#define WORK_PATH  "/folder/x.db"
#define WORK_VFS   "disk"
#define WORK_SPACE "outbox"
#define WORK_SLOTS 12
#define WORK_KEPT  16
#define WORK_OWN   "juliet@verona.example"

typedef struct work_message {
    int64_t key;
    int version; /* tells what is in it */
    int own;
    int64_t rank, stamp;
} work_message;

typedef struct work_model {
    int values[WORK_SLOTS]; /* versions; 0: none */
    work_message messages[WORK_KEPT];
    size_t n;
} work_model;

typedef struct work {
    disk *d;
    jab_store *st;
    const char *path, *vfs;
    sim_rng rng;
    int versions;
    work_model now;       /* with what is not committed */
    work_model committed; /* what commit() has said yes to */
    work_model doubt; /* with the commit that failed last: after a loss of power it may be there */
    char words[300];  /* of opening */
} work;

/* -- Contents ---------------------------------------------------------------------- */

/* From a few bytes to several pages. */
static inline size_t work_length(int version)
{
    static const size_t lengths[] = {20, 90, 700, 40, 5000, 50, 250, 60};
    return lengths[version % 8] + (size_t)version % 17;
}

/* The text of a version: it names itself, and goes on for its length. */
static inline jab_str work_text(char *out, size_t size, const char *kind, int version)
{
    size_t want = kind[0] == 'w' ? 30 : work_length(version); /* words are long in coming */
    size_t n = (size_t)snprintf(out, size, "%s%d все ", kind, version);
    for (; n < want && n < size - 1; n++)
        out[n] = n % 7 ? (char)('a' + (version + (int)n) % 26) : ' ';
    out[n] = '\0';
    return (jab_str){out, n};
}

typedef struct work_texts {
    char key[16], conversation[40], id[24], archive_id[24], body[8192], xml[8192];
} work_texts;

static inline jab_kept_message work_message_of(const work_message *m, work_texts *t)
{
    snprintf(t->conversation, sizeof t->conversation, "friend%d@mantua.example", m->version % 3);
    snprintf(t->id, sizeof t->id, "id-%d", m->version);
    snprintf(t->archive_id, sizeof t->archive_id, "archive-%d", m->version);
    return (jab_kept_message){.key = m->key,
                              .rank = m->rank,
                              .stamp = m->stamp,
                              .conversation = jab_cstr(t->conversation),
                              .sender = jab_cstr(WORK_OWN),
                              .type = JAB_MSG_CHAT,
                              .own = (jab_own_state)m->own,
                              .id = jab_cstr(t->id),
                              .archive = jab_cstr(WORK_OWN),
                              .archive_id = jab_cstr(t->archive_id),
                              .fingerprint = m->version,
                              .body = work_text(t->body, sizeof t->body, "word", m->version),
                              .xml = work_text(t->xml, sizeof t->xml, "<message/>", m->version)};
}

/* -- Doing --------------------------------------------------------------------------- */

static inline jab_str work_key(char out[16], size_t slot)
{
    return (jab_str){out, (size_t)snprintf(out, 16, "row-%02zu", slot)};
}

static inline int work_put(work *w)
{
    char key[16], text[8192];
    size_t slot = sim_below(&w->rng, WORK_SLOTS);
    int version = sim_chance(&w->rng, 700) ? ++w->versions : 0;
    jab_str value = {NULL, 0};
    if (version)
        value = work_text(text, sizeof text, "value", version);
    int rc = w->st->table->put(w->st, WORK_SPACE, work_key(key, slot), value);
    if (rc >= 0)
        w->now.values[slot] = version;
    return rc;
}

static inline int work_add(work *w)
{
    work_texts t;
    if (w->now.n == WORK_KEPT)
        return 0;
    int version = ++w->versions;
    work_message m = {0, version, version % 5, version * INT64_C(1000), version * INT64_C(77)};
    const jab_kept_message kept = work_message_of(&m, &t);
    int rc = w->st->table->add(w->st, &kept, &m.key);
    if (rc >= 0)
        w->now.messages[w->now.n++] = m;
    return rc;
}

static inline int work_change(work *w)
{
    if (w->now.n == 0)
        return 0;
    work_message *m = &w->now.messages[sim_below(&w->rng, w->now.n)];
    int own = (int)sim_between(&w->rng, 1, 6);
    int64_t stamp = sim_chance(&w->rng, 300) ? m->stamp + 1000000 : 0;
    int rc = w->st->table->change(
        w->st, m->key,
        JAB_KEPT_CHANGE(.own = (jab_own_state)own, .stamp = stamp, .rank = m->rank + 1));
    if (rc >= 0)
        *m = (work_message){m->key, m->version, own, m->rank + 1, stamp ? stamp : m->stamp};
    return rc;
}

static inline int work_remove(work *w)
{
    if (w->now.n == 0)
        return 0;
    work_message *m = &w->now.messages[sim_below(&w->rng, w->now.n)];
    int rc = w->st->table->remove(w->st, m->key);
    if (rc >= 0)
        *m = w->now.messages[--w->now.n];
    return rc;
}

static inline int work_commit(work *w)
{
    w->doubt = w->now;
    int rc = w->st->table->commit(w->st);
    if (rc >= 0)
        w->committed = w->now;
    return rc;
}

static inline void work_rollback(work *w)
{
    w->st->table->rollback(w->st);
    w->now = w->committed;
}

/* One thing by chance; a commit follows every few. */
static inline int work_step(work *w)
{
    static int (*const things[])(work *) = {work_put,    work_put,    work_put,    work_add,
                                            work_add,    work_add,    work_change, work_change,
                                            work_remove, work_commit, work_commit};
    return things[sim_below(&w->rng, sizeof things / sizeof things[0])](w);
}

/* So many steps and a commit; stops at what fails first. */
static inline int work_steps(work *w, unsigned n)
{
    int rc = 0;
    for (; n > 0 && rc >= 0; n--)
        rc = work_step(w);
    return rc < 0 ? rc : work_commit(w);
}

/* -- Comparing -------------------------------------------------------------------------- */

typedef struct work_look {
    const work_model *model;
    size_t seen;
    int differs;
} work_look;

static inline int work_equal(jab_str a, jab_str b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static inline int work_see_value(void *arg, jab_str key, jab_str value)
{
    work_look *look = (work_look *)arg;
    char name[16], text[8192];
    while (look->seen < WORK_SLOTS && !look->model->values[look->seen])
        look->seen++;
    if (look->seen == WORK_SLOTS) {
        look->differs = 1;
        return 1;
    }
    int version = look->model->values[look->seen];
    look->differs |= !work_equal(key, work_key(name, look->seen)) ||
                     !work_equal(value, work_text(text, sizeof text, "value", version));
    look->seen++;
    return look->differs;
}

static inline int work_same_values(jab_store *st, const work_model *model)
{
    work_look look = {model, 0, 0};
    int rc = st->table->each(st, WORK_SPACE, (jab_str){NULL, 0}, 0, work_see_value, &look);
    while (look.seen < WORK_SLOTS && !model->values[look.seen])
        look.seen++;
    return rc >= 0 && !look.differs && look.seen == WORK_SLOTS;
}

static inline int work_see_message(void *arg, const jab_kept_message *m)
{
    work_look *look = (work_look *)arg;
    work_texts t;
    size_t i = 0;
    while (i < look->model->n && look->model->messages[i].key != m->key)
        i++;
    look->seen++;
    if (i == look->model->n) {
        look->differs = 1;
        return 1;
    }
    const jab_kept_message want = work_message_of(&look->model->messages[i], &t);
    look->differs |= m->rank != want.rank || m->stamp != want.stamp || m->own != want.own ||
                     m->fingerprint != want.fingerprint || !work_equal(m->id, want.id) ||
                     !work_equal(m->conversation, want.conversation) ||
                     !work_equal(m->archive_id, want.archive_id) ||
                     !work_equal(m->body, want.body) || !work_equal(m->xml, want.xml);
    return look->differs;
}

/* All messages are there by reading, and by the word that all have. */
static inline int work_same_messages(jab_store *st, const work_model *model)
{
    work_look read = {model, 0, 0}, found = {model, 0, 0};
    int rc = jab_store_read(st, JAB_KEPT_QUERY(.limit = 1000), work_see_message, &read);
    int rc2 = jab_store_search(st, JAB_KEPT_QUERY(.words = jab_cstr("все"), .limit = 1000),
                               work_see_message, &found);
    return rc >= 0 && rc2 >= 0 && !read.differs && !found.differs && read.seen == model->n &&
           found.seen == model->n;
}

static inline int work_same(jab_store *st, const work_model *model)
{
    return work_same_values(st, model) && work_same_messages(st, model);
}

/* -- Beginning and ending ------------------------------------------------------------------ */

static inline int work_open(work *w)
{
    return jab_store_open(&w->st, JAB_STORE_FILE(.path = w->path, .vfs = w->vfs, .words = w->words,
                                                 .words_size = sizeof w->words));
}

static inline void work_close(work *w)
{
    jab_store_free(w->st);
    w->st = NULL;
    w->now = w->committed;
}

/* What failed, in words, whether a store is open or not. */
static inline jab_str work_error(const work *w)
{
    return w->st ? jab_store_error(w->st) : jab_cstr(w->words);
}

#endif
