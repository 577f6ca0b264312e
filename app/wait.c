/* wait.c: time, signals and waiting; see wait.h. */
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXIT_USAGE   2
#define EXIT_TIMEOUT 7
#define GRACE_MS     350 /* for ending in good order before the alarm ends it */
#define POLL_MAX     6

/* What a signal handler can reach is global by nature: this is all of it. */
static volatile sig_atomic_t end_signal, hangups;
static int wake[2] = {-1, -1};

int64_t app_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t app_wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_end(int number)
{
    int saved = errno;
    if (end_signal)
        _exit(128 + number);
    end_signal = number;
    ssize_t ignored = write(wake[1], "", 1);
    (void)ignored;
    errno = saved;
}

static void on_other(int number)
{
    int saved = errno;
    if (number == SIGHUP)
        hangups = 1;
    ssize_t ignored = write(wake[1], "", 1);
    (void)ignored;
    errno = saved;
}

static void on_alarm(int number)
{
    static const char line[] = "jabiru: timeout: the command did not end in its time; "
                               "give it more with --timeout SEC\n";
    (void)number;
    ssize_t ignored = write(STDERR_FILENO, line, sizeof line - 1);
    (void)ignored;
    _exit(EXIT_TIMEOUT);
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void app_signals_init(void)
{
    struct sigaction before;
    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
        return;
    handle(SIGPIPE, SIG_IGN);
    handle(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of the write */
    handle(SIGINT, on_end);
    handle(SIGTERM, on_end);
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        handle(SIGHUP, on_end);
    handle(SIGCHLD, on_other);
    handle(SIGALRM, on_alarm);
}

int app_signal(void)
{
    return end_signal;
}

int app_hangup(void)
{
    int came = hangups;
    hangups = 0;
    handle(SIGHUP, on_other);
    return came;
}

void app_alarm(int64_t deadline)
{
    struct itimerval timer = {0};
    if (deadline != JAB_NEVER) {
        int64_t ms = deadline - app_now();
        ms = (ms > 0 ? ms : 0) + GRACE_MS;
        timer.it_value.tv_sec = (time_t)(ms / 1000);
        timer.it_value.tv_usec = (suseconds_t)(ms % 1000 * 1000);
    }
    setitimer(ITIMER_REAL, &timer, NULL);
}

static int poll_timeout(int64_t until)
{
    if (until == JAB_NEVER)
        return -1;
    int64_t ms = until - app_now();
    return ms <= 0 ? 0 : ms > 3600000 ? 3600000 : (int)ms;
}

int app_poll(struct pollfd *fds, size_t n, int64_t until)
{
    struct pollfd all[POLL_MAX];
    char drain[64];
    if (n > POLL_MAX - 1)
        n = POLL_MAX - 1;
    all[0] = (struct pollfd){.fd = wake[0], .events = POLLIN};
    if (n)
        memcpy(all + 1, fds, n * sizeof *fds);
    int ready = poll(all, (nfds_t)n + 1, poll_timeout(until));
    if (n)
        memcpy(fds, all + 1, n * sizeof *fds);
    if (ready > 0 && all[0].revents) {
        while (read(wake[0], drain, sizeof drain) > 0)
            continue;
        return -1;
    }
    return ready < 0 ? -1 : ready;
}

int app_line_read(app_text *text, int fd, size_t max, int64_t deadline)
{
    char part[256];
    while (text->n <= max) {
        struct pollfd one = {.fd = fd, .events = POLLIN};
        int ready = app_poll(&one, 1, deadline);
        if (app_signal())
            return 128 + app_signal();
        if (ready == 0)
            return EXIT_TIMEOUT;
        if (ready < 0)
            continue;
        ssize_t n = read(fd, part, sizeof part);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? EXIT_USAGE : 0;
        app_text_add(text, (jab_str){part, (size_t)n});
        int whole_line = memchr(part, '\n', (size_t)n) != NULL;
        explicit_bzero(part, sizeof part);
        if (whole_line)
            return 0;
    }
    return 0;
}
