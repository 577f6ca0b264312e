/* data.c: finds and opens the database of an account; see data.h. */
#include "data.h"

#include "fault.h"
#include "file.h"
#include <stdlib.h>
#include <unistd.h>

#define NAME_MAX_BYTES 180 /* file systems take 255; SQLite and a date add to it */
#define WORDS_SIZE     1024

static int is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("@._-+", c));
}

/* FNV-1a: tells long names apart whose beginning is the same. */
static uint64_t sum_of(jab_str text)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < text.n; i++)
        sum = (sum ^ (unsigned char)text.p[i]) * UINT64_C(1099511628211);
    return sum;
}

/* A name that begins with a dot would be hidden. */
static void put_name(app_text *out, jab_str bare, const char *suffix)
{
    size_t begin = out->n;
    for (size_t i = 0; i < bare.n && out->n - begin < NAME_MAX_BYTES; i++) {
        if (is_plain(bare.p[i]) && (i > 0 || bare.p[i] != '.'))
            app_text_char(out, bare.p[i]);
        else
            app_text_fmt(out, "%%%02X", (unsigned char)bare.p[i]);
    }
    if (out->n - begin >= NAME_MAX_BYTES)
        app_text_fmt(out, "~%016llx", (unsigned long long)sum_of(bare));
    app_text_z(out, suffix);
}

char *app_data_path(jab_str bare, const char *suffix)
{
    app_text tail = {0};
    app_text_z(&tail, "jabiru/");
    put_name(&tail, bare, suffix);
    char *path = app_path("XDG_DATA_HOME", ".local/share", tail.p);
    app_text_free(&tail);
    return path;
}

/* What is to be done about a store that cannot be opened is the same for all causes. */
static int refuse(const char *what, const char *why)
{
    app_say(0, "store: %s%s%s; $XDG_DATA_HOME names another place, --no-store keeps nothing", what,
            *why ? ": " : "", why);
    return JAB_ESTORE;
}

static int open_file(jab_store **store, const char *path, int read_only, char words[WORDS_SIZE])
{
    words[0] = '\0';
    return jab_store_open(store, JAB_STORE_FILE(.path = path, .read_only = read_only,
                                                .words = words, .words_size = WORDS_SIZE));
}

/* An old format, or a damaged file, cannot be dealt with by looking only. */
static int look(jab_store **store, const char *path, char words[WORDS_SIZE])
{
    if (access(path, F_OK) < 0)
        return 0;
    int err = open_file(store, path, 1, words);
    return err == JAB_ESTORE ? open_file(store, path, 0, words) : err;
}

static int keep(jab_store **store, const char *path, char words[WORDS_SIZE])
{
    int err = app_folders_make(path);
    if (err == 0)
        return open_file(store, path, 0, words);
    app_text what = {0};
    app_text_fmt(&what, "the folder of %s cannot be made", path);
    refuse(what.p, strerror(-err));
    app_text_free(&what);
    words[0] = '\0';
    return JAB_ESTORE;
}

int app_data_open(jab_store **store, jab_str bare, app_data_use use)
{
    char words[WORDS_SIZE] = "";
    *store = NULL;
    char *path = app_data_path(bare, ".db");
    if (!path)
        return refuse("there is no home folder: $HOME is not set", "");
    int err = use == APP_DATA_LOOK ? look(store, path, words) : keep(store, path, words);
    if (err == 0 && words[0])
        app_say(0, "store: %s", words);
    else if (err == JAB_ESTORE && words[0])
        refuse(words, "");
    else if (err < 0 && err != JAB_ELOCKED && err != JAB_ESTORE)
        refuse(path, jab_strerror(err));
    free(path);
    return err;
}
