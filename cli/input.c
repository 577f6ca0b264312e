/* input.c: reads standard input; see input.h. */
#include "input.h"

#include <errno.h>
#include <unistd.h>

static void drop_taken(cli_input *in)
{
    if (in->at == 0)
        return;
    memmove(in->text.p, in->text.p + in->at, in->text.n - in->at + 1);
    in->text.n -= in->at;
    in->at = 0;
}

int cli_input_read(cli_input *in)
{
    char part[16384];
    drop_taken(in);
    ssize_t n = read(STDIN_FILENO, part, sizeof part);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return APP_OK;
    if (n < 0)
        return app_say(APP_FILE, "standard input: %s", strerror(errno));
    in->ended = n == 0;
    app_text_add(&in->text, (jab_str){part, (size_t)n});
    if (in->text.n > CLI_INPUT_MAX)
        return app_say(APP_USAGE, "standard input: over %d bytes in one message; split it",
                       CLI_INPUT_MAX);
    return APP_OK;
}

int cli_input_line(cli_input *in, jab_str *line)
{
    size_t left = in->text.n - in->at;
    const char *begin = left ? in->text.p + in->at : "";
    const char *end = memchr(begin, '\n', left);
    if (!end && !in->ended)
        return 0;
    if (!end && left == 0)
        return -1;
    *line = (jab_str){begin, end ? (size_t)(end - begin) : left};
    in->at += line->n + (end != NULL);
    return 1;
}

int cli_input_all(cli *c, app_text *out)
{
    cli_input in = {0};
    int status = APP_OK;
    while (status == APP_OK && !in.ended) {
        struct pollfd one = {.fd = STDIN_FILENO, .events = POLLIN};
        int ready = app_poll(&one, 1, c->deadline);
        if (app_signal())
            status = 128 + app_signal();
        else if (ready == 0)
            status = app_say(APP_TIMEOUT, "timeout: standard input did not end in time; "
                                          "give it more with --timeout SEC");
        else if (ready > 0)
            status = cli_input_read(&in);
    }
    app_text_add(out, app_text_str(&in.text));
    app_text_free(&in.text);
    return status;
}
