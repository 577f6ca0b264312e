/*
 * archive_bench.c: what an archive of many messages costs, through the store's public functions.
 *
 *     archive_bench fill FILE COUNT       as a session does that catches up, a page of 50 a commit
 *     archive_bench plain FILE COUNT      the same rows into one bare SQLite table, for comparison
 *     archive_bench page FILE CONVERSATION
 *     archive_bench search FILE WORDS
 *
 * fill and plain print wall seconds, processor seconds, and the bytes of the file; page and
 * search print milliseconds of opening the store, of the first reading, which finds nothing in
 * the system's cache, of later ones (median), and the rows that were found.
 */
#include <fcntl.h>
#include <jabiru/store.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE          50
#define VOCABULARY    30000
#define WORD_MAX      24
#define CONVERSATIONS 400
#define WARM          21
#define OWN           "juliet@verona.example"

#define RARE    "zanzibar"    /* in five messages, all over the archive */
#define CHINESE "花園的門"    /* in one of a thousand */
#define START   1600000000000 /* ms: when the first message was sent */
#define PACE    60000         /* ms from one to the next */

/* -- Messages as people send them ----------------------------------------------------- */

typedef struct writer {
    uint64_t chance;
    long count; /* of all messages */
    char words[VOCABULARY][WORD_MAX];
    char conversation[64], sender[64], id[48], archive_id[48];
    char body[2048], xml[4096];
} writer;

/* splitmix64 */
static uint64_t chance(writer *w)
{
    uint64_t z = (w->chance += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 ... n - 1, the small ones much more often, as with words and correspondents. */
static size_t uneven(writer *w, size_t n)
{
    double u = (double)(chance(w) >> 11) / 9007199254740992.0;
    return (size_t)((double)n * u * u * u);
}

static void make_words(writer *w)
{
    static const char *const parts[] = {"ba", "con", "di", "fer", "gal", "ho",  "in", "ja",
                                        "ka", "lor", "me", "nu",  "or",  "pla", "ri", "sta",
                                        "tu", "ver", "we", "yo",  "за",  "мо",  "ре", "сто"};
    for (size_t i = 0; i < VOCABULARY; i++) {
        size_t at = 0, set = i % 10 ? 20 : 4, base = i % 10 ? 0 : 20; /* a tenth is Cyrillic */
        for (size_t rest = i + 1; rest; rest /= set)
            at += (size_t)snprintf(w->words[i] + at, WORD_MAX - at, "%s",
                                   at < WORD_MAX - 8 ? parts[base + rest % set] : "");
    }
}

static size_t put_chinese(writer *w, size_t at)
{
    for (size_t n = 6 + chance(w) % 20; n; n--) {
        unsigned c = 0x4e00 + (unsigned)uneven(w, 3000);
        at += (size_t)snprintf(w->body + at, sizeof w->body - at, "%c%c%c", 0xe0 | (c >> 12),
                               0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
    }
    return at;
}

static size_t put_words(writer *w, size_t at)
{
    for (size_t n = 4 + chance(w) % 16; n; n--)
        at += (size_t)snprintf(w->body + at, sizeof w->body - at, "%s ",
                               w->words[uneven(w, VOCABULARY)]);
    return at;
}

static void make_body(writer *w, long n)
{
    size_t at = chance(w) % 30 ? put_words(w, 0) : put_chinese(w, 0);
    if (n % 1000 == 500)
        at += (size_t)snprintf(w->body + at, sizeof w->body - at, CHINESE);
    if (n % (w->count / 5 + 1) == w->count / 10)
        snprintf(w->body + at, sizeof w->body - at, " " RARE);
}

/* The nth message of the archive, with views into the writer. */
static jab_kept_message make_message(writer *w, long n)
{
    int own = chance(w) % 2 == 0;
    int64_t stamp = START + n * PACE;
    make_body(w, n);
    snprintf(w->conversation, sizeof w->conversation, "friend%zu@mantua.example",
             uneven(w, CONVERSATIONS));
    snprintf(w->sender, sizeof w->sender, "%s", own ? OWN : w->conversation);
    snprintf(w->id, sizeof w->id, "%016llx-%08lx", (unsigned long long)chance(w), n);
    snprintf(w->archive_id, sizeof w->archive_id, "%010ld-%06lx", 1600000000 + n,
             n * 2654435 % 0xffffff);
    snprintf(w->xml, sizeof w->xml,
             "<message xmlns='jabber:client' from='%s/balcony' to='%s/orchard' type='chat' id='%s'>"
             "<body>%s</body><origin-id xmlns='urn:xmpp:sid:0' id='%s'/>"
             "<markable xmlns='urn:xmpp:chat-markers:0'/></message>",
             w->sender, own ? w->conversation : OWN, w->id, w->body, w->id);
    return (jab_kept_message){.rank = stamp * 1000,
                              .stamp = stamp,
                              .conversation = jab_cstr(w->conversation),
                              .sender = jab_cstr(w->sender),
                              .type = JAB_MSG_CHAT,
                              .own = own ? JAB_OWN_DELIVERED : JAB_OWN_NONE,
                              .id = jab_cstr(w->id),
                              .origin_id = jab_cstr(w->id),
                              .archive = jab_cstr(OWN),
                              .archive_id = jab_cstr(w->archive_id),
                              .fingerprint = (int64_t)(chance(w) >> 1),
                              .body = jab_cstr(w->body),
                              .xml = jab_cstr(w->xml)};
}

static writer *writer_new(long count)
{
    writer *w = calloc(1, sizeof *w);
    if (w) {
        w->count = count;
        make_words(w);
    }
    return w;
}

/* -- Measuring ------------------------------------------------------------------------- */

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double wall_ms(void)
{
    return seconds(CLOCK_MONOTONIC) * 1e3;
}

typedef struct timing {
    double wall, cpu;
} timing;

static timing start_timing(void)
{
    return (timing){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

/* What is left when the time that making the messages takes is subtracted. */
static void print_filling(const char *path, timing start, timing making)
{
    struct stat st = {0};
    timing now = start_timing();
    stat(path, &st);
    printf("%.3f %.3f %lld\n", now.wall - start.wall - making.wall,
           now.cpu - start.cpu - making.cpu, (long long)st.st_size);
}

static timing time_making(long count)
{
    writer *w = writer_new(count);
    timing start = start_timing(), now;
    for (long n = 0; w && n < count; n++)
        make_message(w, n);
    free(w);
    now = start_timing();
    return (timing){now.wall - start.wall, now.cpu - start.cpu};
}

static int fail(const char *what, jab_str words)
{
    fprintf(stderr, "archive_bench: %s: %.*s\n", what, (int)words.n, words.p);
    return 1;
}

/* -- Filling ------------------------------------------------------------------------------ */

static int ignore_message(void *arg, const jab_kept_message *m)
{
    (void)arg, (void)m;
    return 0;
}

/* As a message from an archive is taken in: is it here, under its id or another's; else keep it. */
static int take_in(jab_store *st, const jab_kept_message *m)
{
    int64_t key;
    int rc = jab_store_read(st, JAB_KEPT_QUERY(.archive = m->archive, .archive_id = m->archive_id),
                            ignore_message, NULL);
    if (rc == 0)
        rc =
            jab_store_read(st, JAB_KEPT_QUERY(.fingerprint = m->fingerprint), ignore_message, NULL);
    return rc == 0 ? st->table->add(st, m, &key) : -1;
}

static int end_page(jab_store *st, const jab_kept_message *last)
{
    int rc = st->table->put(st, "archive", last->archive, last->archive_id);
    return rc < 0 ? rc : st->table->commit(st);
}

static int fill(jab_store *st, writer *w)
{
    int rc = 0;
    for (long n = 0; n < w->count && rc >= 0; n++) {
        const jab_kept_message m = make_message(w, n);
        rc = take_in(st, &m);
        if (rc >= 0 && (n % PAGE == PAGE - 1 || n == w->count - 1))
            rc = end_page(st, &m);
    }
    return rc;
}

static int run_fill(const char *path, const char *count)
{
    jab_store *st;
    writer *w = writer_new(strtol(count, NULL, 10));
    timing making = time_making(strtol(count, NULL, 10)), start = start_timing();
    if (!w || jab_store_open(&st, JAB_STORE_FILE(.path = path)) < 0)
        return fail("cannot open", jab_cstr(path));
    int rc = fill(st, w);
    if (rc < 0)
        fail("filling", jab_store_error(st));
    jab_store_free(st);
    free(w);
    print_filling(path, start, making);
    return rc < 0;
}

/* -- Filling a bare table -------------------------------------------------------------------- */

static void bind_text(sqlite3_stmt *st, int at, jab_str s)
{
    sqlite3_bind_text(st, at, s.p, (int)s.n, SQLITE_STATIC);
}

static int insert_plain(sqlite3_stmt *st, const jab_kept_message *m)
{
    sqlite3_reset(st);
    sqlite3_bind_int64(st, 1, m->rank);
    sqlite3_bind_int64(st, 2, m->stamp);
    bind_text(st, 3, m->conversation);
    bind_text(st, 4, m->sender);
    bind_text(st, 5, m->id);
    bind_text(st, 6, m->archive_id);
    bind_text(st, 7, m->xml);
    return sqlite3_step(st) == SQLITE_DONE ? 0 : -1;
}

static int fill_plain(sqlite3 *db, sqlite3_stmt *insert, writer *w)
{
    int rc = 0;
    for (long n = 0; n < w->count && rc == 0; n++) {
        const jab_kept_message m = make_message(w, n);
        if (n % PAGE == 0)
            sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
        rc = insert_plain(insert, &m);
        if (n % PAGE == PAGE - 1 || n == w->count - 1)
            rc |= sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    return rc;
}

static int run_plain(const char *path, const char *count)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL;
    writer *w = writer_new(strtol(count, NULL, 10));
    timing making = time_making(strtol(count, NULL, 10)), start = start_timing();
    sqlite3_open(path, &db);
    sqlite3_exec(
        db,
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE message"
        "(key INTEGER PRIMARY KEY, rank, stamp, conversation, sender, id, archive_id, xml)",
        NULL, NULL, NULL);
    sqlite3_prepare_v2(db, "INSERT INTO message VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", -1, &insert,
                       NULL);
    int rc = w && insert ? fill_plain(db, insert, w) : -1;
    sqlite3_finalize(insert);
    sqlite3_close(db);
    free(w);
    print_filling(path, start, making);
    return rc != 0;
}

/* -- Looking ------------------------------------------------------------------------------------
 */

/* Drops the file from the system's cache, so that the next reading comes from the disk. */
static void forget_file(const char *path)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return;
    fsync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

static int compare_times(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Reads as a program does that shows text: each message is looked at. */
static int look_at(void *arg, const jab_kept_message *m)
{
    size_t *seen = arg;
    *seen += m->xml.n;
    return 0;
}

typedef int (*look_fn)(jab_store *st, const char *for_what, size_t *seen);

static int look_page(jab_store *st, const char *conversation, size_t *seen)
{
    return jab_store_read(st, JAB_KEPT_QUERY(.conversation = jab_cstr(conversation), .limit = PAGE),
                          look_at, seen);
}

static int look_search(jab_store *st, const char *words, size_t *seen)
{
    return jab_store_search(st, JAB_KEPT_QUERY(.words = jab_cstr(words), .limit = PAGE), look_at,
                            seen);
}

static int run_look(const char *path, const char *for_what, look_fn look)
{
    jab_store *st;
    size_t seen = 0;
    double warm[WARM];
    forget_file(path);
    double start = wall_ms();
    if (jab_store_open(&st, JAB_STORE_FILE(.path = path)) < 0)
        return fail("cannot open", jab_cstr(path));
    double opened = wall_ms();
    int rows = look(st, for_what, &seen);
    double first = wall_ms();
    for (size_t i = 0; i < WARM && rows >= 0; i++) {
        double again = wall_ms();
        rows = look(st, for_what, &seen);
        warm[i] = wall_ms() - again;
    }
    if (rows < 0)
        return fail(for_what, jab_store_error(st));
    qsort(warm, WARM, sizeof warm[0], compare_times);
    printf("%.3f %.3f %.3f %d\n", opened - start, first - opened, warm[WARM / 2], rows);
    jab_store_free(st);
    return seen == 0 && rows > 0;
}

int main(int argc, char **argv)
{
    const char *what = argc == 4 ? argv[1] : "";
    if (strcmp(what, "fill") == 0)
        return run_fill(argv[2], argv[3]);
    if (strcmp(what, "plain") == 0)
        return run_plain(argv[2], argv[3]);
    if (strcmp(what, "page") == 0)
        return run_look(argv[2], argv[3], look_page);
    if (strcmp(what, "search") == 0)
        return run_look(argv[2], argv[3], look_search);
    fprintf(stderr, "usage: archive_bench fill|plain FILE COUNT\n"
                    "       archive_bench page|search FILE WHAT\n");
    return 2;
}
