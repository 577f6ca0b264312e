/* prompt.c: asks at the terminal; see prompt.h. */
#include "prompt.h"

#include "fault.h"
#include "wait.h"
#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#define LINE_BYTES_MAX 4096

int app_prompt_possible(void)
{
    if (!isatty(STDERR_FILENO))
        return 0;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return 0;
    close(fd);
    return 1;
}

static void put(int fd, const char *words)
{
    ssize_t ignored = write(fd, words, strlen(words));
    (void)ignored;
}

static int read_line(app_text *out, int fd, int64_t deadline)
{
    while (out->n < LINE_BYTES_MAX) {
        char c;
        struct pollfd one = {.fd = fd, .events = POLLIN};
        int ready = app_poll(&one, 1, deadline);
        if (app_signal())
            return 128 + app_signal();
        if (ready == 0)
            return APP_TIMEOUT;
        if (ready < 0)
            continue;
        ssize_t n = read(fd, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || c == '\n')
            return APP_OK;
        app_text_char(out, c);
    }
    return APP_OK;
}

int app_prompt(app_text *out, const char *words, int echo, int64_t deadline)
{
    struct termios before, quiet;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return app_say(APP_USAGE, "no terminal to ask at");
    int hide = !echo && tcgetattr(fd, &before) == 0;
    if (hide) {
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(fd, TCSAFLUSH, &quiet);
    }
    put(fd, words);
    int status = read_line(out, fd, deadline);
    if (hide) {
        tcsetattr(fd, TCSAFLUSH, &before);
        put(fd, "\n");
    }
    close(fd);
    if (status == APP_TIMEOUT)
        app_say(0, "timeout: no answer at the terminal; give more time with --timeout SEC");
    return status;
}
