/* secret.c: finds the password; see secret.h. */
#include "secret.h"

#include "fault.h"
#include "file.h"
#include "netrc.h"
#include "prompt.h"
#include "wait.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Each source returns this when it has nothing to say. */
#define NOT_HERE (-1)

void app_secret_wipe(app_secret *secret)
{
    explicit_bzero(secret, sizeof *secret);
}

static void text_wipe(app_text *text)
{
    if (text->p)
        explicit_bzero(text->p, text->room);
    app_text_free(text);
}

/* Takes the first line: what follows a line break is no part of a password, or of whatever
 * `kind` of secret it is. */
static int take(app_secret *secret, app_text *text, const char *source, const char *kind)
{
    jab_str s = app_text_str(text);
    size_t n = 0;
    int status = APP_OK;
    while (n < s.n && s.p[n] != '\n' && s.p[n] != '\r' && s.p[n] != '\0')
        n++;
    if (n == 0) {
        status =
            app_say(APP_USAGE, "%s: %s is empty; put the %s in its first line", kind, source, kind);
    } else if (n > APP_SECRET_MAX) {
        status = app_say(APP_USAGE, "%s: %s: over %d bytes; is that the right file?", kind, source,
                         APP_SECRET_MAX);
    } else {
        memcpy(secret->bytes, s.p, n);
        secret->bytes[n] = '\0';
        secret->n = n;
    }
    text_wipe(text);
    return status;
}

static int take_line(app_secret *secret, app_text *text, const char *source)
{
    return take(secret, text, source, "password");
}

int app_secret_file(app_secret *secret, const char *path, const char *kind)
{
    app_text text = {0};
    int result = app_file_read(&text, path, 1);
    if (result == 0)
        return take(secret, &text, path, kind);
    text_wipe(&text);
    if (result == -EPERM)
        return app_say(APP_USAGE, "%s: others than you can read %s; chmod 600 it", kind, path);
    return app_say(APP_USAGE, "%s: %s: %s; check the path", kind, path, strerror(-result));
}

static int from_file(app_secret *secret, const char *path)
{
    return app_secret_file(secret, path, "password");
}

static int from_option_file(app_secret *secret, const app_secret_query *q)
{
    return q->file ? from_file(secret, q->file) : NOT_HERE;
}

static int from_fd(app_secret *secret, const app_secret_query *q)
{
    app_text text = {0};
    if (q->fd < 0)
        return NOT_HERE;
    int status = app_line_read(&text, q->fd, APP_SECRET_MAX, q->deadline);
    if (status == APP_OK)
        return take_line(secret, &text, "--password-fd");
    text_wipe(&text);
    if (status == APP_TIMEOUT)
        return app_say(status,
                       "timeout: nothing came from --password-fd %d in time; check who writes it",
                       q->fd);
    if (status == APP_USAGE)
        return app_say(status, "password: --password-fd %d: %s; is it open?", q->fd,
                       strerror(errno));
    return status;
}

static int from_credentials(app_secret *secret, const app_secret_query *q)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    app_text path = {0};
    if (!folder || folder[0] != '/' || strchr(q->account, '/'))
        return NOT_HERE;
    app_text_fmt(&path, "%s/jabiru.%s", folder, q->account);
    int status = access(path.p, F_OK) == 0 ? from_file(secret, path.p) : NOT_HERE;
    app_text_free(&path);
    return status;
}

static int from_account_file(app_secret *secret, const app_secret_query *q)
{
    return q->account_file ? from_file(secret, q->account_file) : NOT_HERE;
}

/* One word of a command; returns where it ended, or NULL for an open quote. */
static const char *take_word(const char *at, char **out)
{
    char quote = 0;
    for (; *at && (quote || !strchr(" \t", *at)); at++) {
        if (quote && *at == quote) {
            quote = 0;
        } else if (!quote && (*at == '\'' || *at == '"')) {
            quote = *at;
        } else {
            if (*at == '\\' && quote != '\'' && at[1])
                at++;
            *(*out)++ = *at;
        }
    }
    *(*out)++ = '\0';
    return quote ? NULL : at;
}

char **app_words(const char *command)
{
    size_t n = strlen(command);
    char **words = app_alloc((n / 2 + 2) * sizeof *words);
    char *bytes = app_alloc(n + 2), *out = bytes;
    size_t count = 0;
    for (const char *at = command; at;) {
        at += strspn(at, " \t");
        if (*at == '\0')
            break;
        words[count++] = out;
        at = take_word(at, &out);
        if (!at)
            count = 0;
    }
    if (count > 0)
        return words;
    free(bytes);
    free(words);
    return NULL;
}

/* Starts the command with its output in a pipe; it keeps the terminal, which
 * it may need to ask for a passphrase. Returns the read end, or -1. */
static int spawn_reader(char **argv, pid_t *pid)
{
    int ends[2];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    errno = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
    int result = errno ? -1 : ends[0];
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (result < 0)
        close(ends[0]);
    return result;
}

static int run_command(app_secret *secret, char **argv, int64_t deadline)
{
    app_text text = {0};
    pid_t pid;
    int fd = spawn_reader(argv, &pid);
    if (fd < 0)
        return app_say(APP_USAGE, "password: password_command %s: %s; check its path", argv[0],
                       strerror(errno));
    int status = app_line_read(&text, fd, APP_SECRET_MAX, deadline);
    close(fd);
    if (status != APP_OK)
        kill(pid, SIGTERM);
    waitpid(pid, NULL, WNOHANG); /* one that goes on after its line is not waited for */
    if (status == APP_TIMEOUT)
        app_say(0, "timeout: password_command %s did not answer in time; run it by hand once",
                argv[0]);
    if (status == APP_OK)
        return take_line(secret, &text, "the output of password_command");
    text_wipe(&text);
    return status;
}

static int from_command(app_secret *secret, const app_secret_query *q)
{
    if (!q->command)
        return NOT_HERE;
    char **argv = app_words(q->command);
    if (!argv)
        return app_say(APP_USAGE, "password: password_command is empty or has an open quote");
    int status = run_command(secret, argv, q->deadline);
    free(argv[0]);
    free(argv);
    return status;
}

static int from_environment(app_secret *secret, const app_secret_query *q)
{
    (void)q;
    char *value = getenv("JABIRU_PASSWORD");
    app_text text = {0};
    if (!value)
        return NOT_HERE;
    app_text_z(&text, value);
    return take_line(secret, &text, "$JABIRU_PASSWORD");
}

static int from_netrc(app_secret *secret, const app_secret_query *q)
{
    app_text text = {0}, found = {0};
    if (!q->netrc)
        return NOT_HERE;
    const char *set = getenv("NETRC");
    char *path = set ? app_copy(jab_cstr(set)) : app_path("", "", ".netrc");
    if (!path)
        return NOT_HERE;
    int result = app_file_read(&text, path, 1);
    int status = NOT_HERE;
    if (result == -EPERM)
        status = app_say(APP_USAGE, "password: others than you can read %s; chmod 600 it", path);
    else if (result < 0 && result != -ENOENT)
        status = app_say(APP_USAGE, "password: %s: %s", path, strerror(-result));
    else if (result == 0 && app_netrc_find(&found, app_text_str(&text), q->jid))
        status = take_line(secret, &found, path);
    text_wipe(&text);
    free(path);
    return status;
}

static int from_prompt(app_secret *secret, const app_secret_query *q)
{
    app_text words = {0}, line = {0};
    if (q->no_input || !app_prompt_possible())
        return NOT_HERE;
    app_text_fmt(&words, "Password for %s: ", q->jid);
    int status = app_prompt(&line, words.p, 0, q->deadline);
    app_text_free(&words);
    if (status == APP_OK)
        return take_line(secret, &line, "the password");
    text_wipe(&line);
    return status;
}

static int (*const sources[])(app_secret *, const app_secret_query *) = {
    from_option_file,  from_fd,          from_credentials, from_command,
    from_account_file, from_environment, from_netrc,       from_prompt,
};

int app_secret_find(app_secret *secret, const app_secret_query *q)
{
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        int status = sources[i](secret, q);
        if (status != NOT_HERE)
            return status;
    }
    return app_say(APP_USAGE, "password: none for %s; " APP_SECRET_WAYS, q->jid);
}
