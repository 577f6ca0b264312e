/* exec.c: runs the user's command for a message; see exec.h. */
#include "exec.h"

#include <errno.h>
#include <jabiru/message.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define VARIABLES_MAX 8

/* The environment of the child: ours without what a message sets, and that. */
struct environment {
    char **list;
    size_t n;
    char *own[VARIABLES_MAX];
    size_t n_own;
};

static void set(struct environment *e, const char *name, jab_str value)
{
    app_text line = {0};
    app_text_fmt(&line, "%s=", name);
    if (value.n)
        app_text_add(&line, value);
    e->own[e->n_own++] = line.p;
}

static int is_replaced(const struct environment *e, const char *variable)
{
    size_t n = strcspn(variable, "=") + 1;
    for (size_t i = 0; i < e->n_own; i++)
        if (strncmp(e->own[i], variable, n) == 0)
            return 1;
    return 0;
}

/* JABIRU_PASSWORD is no business of the command either. */
static int is_secret(const char *variable)
{
    return strncmp(variable, "JABIRU_PASSWORD=", 16) == 0;
}

static void fill(struct environment *e, const jab_message *m)
{
    static const char *const kinds[] = {
        [JAB_MSG_NORMAL] = "normal",       [JAB_MSG_CHAT] = "chat",
        [JAB_MSG_GROUPCHAT] = "groupchat", [JAB_MSG_HEADLINE] = "headline",
        [JAB_MSG_ERROR] = "error",
    };
    size_t inherited = 0;
    set(e, "JABIRU_FROM", m->from.bare);
    set(e, "JABIRU_FROM_FULL", m->from.full);
    set(e, "JABIRU_NICK", m->flags & JAB_VIA_ROOM ? m->from.resource : (jab_str){0});
    set(e, "JABIRU_TO", m->to.bare);
    set(e, "JABIRU_ID", m->id);
    set(e, "JABIRU_KIND", jab_cstr(kinds[m->type]));
    set(e, "JABIRU_SUBJECT", jab_message_subject(m));
    while (environ[inherited])
        inherited++;
    e->list = app_alloc((inherited + e->n_own + 1) * sizeof *e->list);
    for (size_t i = 0; i < inherited; i++)
        if (!is_replaced(e, environ[i]) && !is_secret(environ[i]))
            e->list[e->n++] = environ[i];
    for (size_t i = 0; i < e->n_own; i++)
        e->list[e->n++] = e->own[i];
}

static void empty(struct environment *e)
{
    for (size_t i = 0; i < e->n_own; i++)
        free(e->own[i]);
    free(e->list);
}

/* The body as a file in memory: the child may read it or not, nobody waits. */
static int body_file(jab_str body)
{
    int fd = memfd_create("message", MFD_CLOEXEC);
    while (fd >= 0 && body.n > 0) {
        ssize_t n = write(fd, body.p, body.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            close(fd);
            return -1;
        }
        body.p += n;
        body.n -= (size_t)n;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

static int spawn(pid_t *pid, const char *command, int in, char **list)
{
    const char *argv[] = {"sh", "-c", command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawnattr_init(&attributes);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int err = posix_spawn(pid, "/bin/sh", &actions, &attributes, (char *const *)argv, list);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return err;
}

int cli_exec_start(cli_child *child, const char *command, const jab_message *m)
{
    struct environment e = {0};
    int in = body_file(m->body);
    if (in < 0)
        return app_say(APP_FILE, "--exec: %s", strerror(errno));
    fill(&e, m);
    child->failed = 0;
    int err = spawn(&child->pid, command, in, e.list);
    empty(&e);
    close(in);
    return err ? app_say(APP_FILE, "--exec: /bin/sh: %s", strerror(err)) : APP_OK;
}

int cli_exec_done(cli_child *child)
{
    int how;
    pid_t pid = waitpid(child->pid, &how, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR))
        return 0;
    child->failed = pid < 0 || !WIFEXITED(how) || WEXITSTATUS(how) != 0;
    if (pid > 0 && WIFEXITED(how) && WEXITSTATUS(how) != 0)
        app_say(0, "--exec: the command ended with %d", WEXITSTATUS(how));
    else if (pid > 0 && WIFSIGNALED(how))
        app_say(0, "--exec: the command was ended by signal %d", WTERMSIG(how));
    return 1;
}
