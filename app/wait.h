/*
 * wait.h: time, signals and waiting, the same for every place where a command
 * waits: the network, standard input, a password command, a prompt.
 */
#ifndef JABIRU_APP_WAIT_H
#define JABIRU_APP_WAIT_H

#include "text.h"
#include <jabiru/base.h>
#include <poll.h>

/* Milliseconds of a clock that never steps. */
int64_t app_now(void);

/* Milliseconds since 1970-01-01 UTC. */
int64_t app_wall(void);

/* Catches SIGINT, SIGTERM, SIGHUP (unless it is ignored, as under nohup) and
 * SIGCHLD; ignores SIGPIPE and SIGXFSZ. A second signal to end ends the program at once. */
void app_signals_init(void);

/* The signal that asked for the end (SIGINT, SIGTERM or SIGHUP), or 0. */
int app_signal(void);

/* From the first call on SIGHUP asks for no end: says whether one came since
 * the last call. */
int app_hangup(void);

/*
 * Ends the whole program with exit 7 shortly after `deadline` whatever it is
 * doing, should it not have ended by itself: the promise of --timeout must not
 * hang on a reader that does not read or on a file system that is stuck.
 * JAB_NEVER takes that back.
 */
void app_alarm(int64_t deadline);

/*
 * Waits until one of `n` descriptors is ready, `until` has come, or a signal
 * did. Returns how many are ready, 0 for the time, -1 for a signal.
 */
int app_poll(struct pollfd *fds, size_t n, int64_t until);

/* Appends what comes until the end of a line or of the file, or until there are more
 * than `max` bytes. Returns 0, or an exit status: of a signal, 7 at the deadline, 2 when
 * nothing can be read (errno says why). Part of the next line may be there, too. */
int app_line_read(app_text *text, int fd, size_t max, int64_t deadline);

#endif
