/* prompt.c: asks at the terminal; see prompt.h. */
#include "prompt.h"

#include "fault.h"
#include "wait.h"
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
    int status = app_line_read(out, fd, LINE_BYTES_MAX, deadline);
    while (out->n > 0 && strchr("\r\n", out->p[out->n - 1]))
        out->p[--out->n] = '\0';
    if (hide) {
        tcsetattr(fd, TCSAFLUSH, &before);
        put(fd, "\n");
    }
    close(fd);
    if (status == APP_USAGE)
        app_say(0, "the terminal is gone");
    if (status == APP_TIMEOUT)
        app_say(0, "timeout: no answer at the terminal; give more time with --timeout SEC");
    return status;
}
