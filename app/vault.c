/* vault.c: opens what log-ins left of an account; see data.h. */
#include "data.h"

#include "fault.h"
#include "file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WORDS_SIZE 512
#define NAMES      100 /* tried, when several are put aside within a second */

static int refuse(const char *what, const char *why)
{
    return app_say(APP_FILE,
                   "vault: %s%s%s; $XDG_DATA_HOME names another place, --no-store goes without",
                   what, *why ? ": " : "", why);
}

static char *path_of(jab_str bare, int *status)
{
    char *path = app_data_path(bare, ".vault");
    *status = APP_OK;
    if (!path) {
        *status = refuse("there is no home folder: $HOME is not set", "");
        return NULL;
    }
    int err = app_folders_make(path);
    if (err < 0) {
        app_text what = {0};
        app_text_fmt(&what, "the folder of %s cannot be made", path);
        *status = refuse(what.p, strerror(-err));
        app_text_free(&what);
    }
    return path;
}

int app_vault_open(jab_vault **vault, jab_str bare, int *is_unusable)
{
    char why[WORDS_SIZE];
    int status;
    char *path = path_of(bare, &status);
    *vault = NULL;
    int err =
        status == APP_OK ? jab_vault_file_new(vault, jab_cstr(path), NULL, why, sizeof why) : 0;
    if (err == JAB_ESTORE && is_unusable)
        *is_unusable = 1;
    else if (err == JAB_ESTORE)
        status = app_say(APP_FILE,
                         "vault: %s: nobody can tell how safe earlier log-ins were; if you know "
                         "why, jabiru account set " JAB_FMT " --allow-weaker puts it aside",
                         why, JAB_ARG(bare));
    else if (err == JAB_EIO)
        status = refuse(why, "");
    else if (err < 0)
        status = app_say_error("vault", err);
    free(path);
    return status;
}

/* "path.damaged-20260301T120000Z", with a number behind it from the second on. */
static void put_name(app_text *name, const char *path, int nth)
{
    time_t now = time(NULL);
    struct tm t;
    char when[32] = "";
    if (gmtime_r(&now, &t))
        strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &t);
    app_text_clear(name);
    app_text_fmt(name, "%s.damaged-%s", path, when);
    if (nth > 0)
        app_text_fmt(name, "-%d", nth + 1);
}

int app_vault_set_aside(jab_str bare, app_text *name)
{
    int status, nth = 0;
    char *path = path_of(bare, &status);
    if (status == APP_OK) {
        do
            put_name(name, path, nth);
        while (access(name->p, F_OK) == 0 && ++nth < NAMES);
        if (rename(path, name->p) < 0)
            status = refuse(path, strerror(errno));
    }
    free(path);
    return status;
}
