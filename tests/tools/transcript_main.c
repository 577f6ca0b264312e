/*
 * transcript_main.c: plays transcripts and prints TAP.
 *
 *     transcript DIR            each file, then forged senders
 *     transcript DIR NAME...    only these files
 *
 * Each file is played whole, split into pieces of several sizes, and with
 * every allocation failing once.
 */
#include "transcript.h"

#include <dirent.h>

static int n_passed, n_failed;

void result(int ok, const char *name, const char *how, const char *why)
{
    n_passed += ok;
    n_failed += !ok;
    printf("%s %d - %s%s\n", ok ? "ok" : "not ok", n_passed + n_failed, name, how);
    if (!ok)
        printf("# %s\n", why);
    fflush(stdout);
}

/* Plays a file on a fresh session. `p` keeps what happened. */
static int run_once(play *p, const char *dir, const char *file, size_t split, size_t fail_at)
{
    memset(p, 0, sizeof *p);
    p->split = split;
    p->memory.fail_at = fail_at;
    if (play_load(p, dir, file) < 0)
        play_fail(p, "cannot read %s", file);
    int ok = !p->failed && play_run(p);
    int error = p->s ? jab_session_error(p->s) : 0;
    play_free(p);
    play_unload(p);
    if (p->memory.live > 0) {
        p->failed = 0;
        play_fail(p, "%zu blocks were not given back", p->memory.live);
        return -1;
    }
    if (fail_at && error && error != JAB_ENOMEM && !p->cut) {
        p->failed = 0;
        play_fail(p, "out of memory was reported as %s", jab_errname(error));
        return -1;
    }
    return ok;
}

/* Returns whether all went well. */
static int run_splits(play *p, const char *dir, const char *file)
{
    static const size_t splits[] = {0, 1, 2, 3, 7};
    for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++) {
        char how[64] = "";
        if (splits[i])
            snprintf(how, sizeof how, ", %zu bytes at a time", splits[i]);
        int ok = run_once(p, dir, file, splits[i], 0) == 1;
        result(ok, file, how, p->why);
        if (!ok)
            return 0;
    }
    return 1;
}

/* Nothing may leak or be called something else, wherever memory ends. Once a
 * script has failed for that, the rest of it is not played. */
static void run_memory(play *p, const char *dir, const char *file)
{
    for (size_t n = 1;; n++) {
        char how[64];
        int r = run_once(p, dir, file, 0, n);
        snprintf(how, sizeof how, ", out of memory at %zu", n);
        if (r < 0) {
            result(0, file, how, p->why);
            return;
        }
        if (p->memory.calls < n) {
            result(r == 1, file, ", out of memory at each allocation", p->why);
            return;
        }
    }
}

static int is_transcript(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".txt") == 0;
}

static void run_file(play *p, const char *dir, const char *file)
{
    if (run_splits(p, dir, file))
        run_memory(p, dir, file);
}

static void run_all(play *p, const char *dir)
{
    struct dirent **list;
    int n = scandir(dir, &list, is_transcript, alphasort);
    if (n <= 0)
        result(0, dir, "", "no transcripts there");
    for (int i = 0; i < n; i++) {
        run_file(p, dir, list[i]->d_name);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
}

int main(int argc, char **argv)
{
    play *p = calloc(1, sizeof *p);
    if (argc < 2 || !p) {
        fprintf(stderr, "usage: transcript DIR [NAME...]\n");
        free(p);
        return 2;
    }
    for (int i = 2; i < argc; i++)
        run_file(p, argv[1], argv[i]);
    if (argc == 2) {
        run_all(p, argv[1]);
        forged_senders(argv[1]);
    }
    printf("1..%d\n# %d passed, %d failed\n", n_passed + n_failed, n_passed, n_failed);
    free(p);
    return n_failed > 0;
}
