/*
 * history.h: the inside of the history: what its files share. A message goes
 * history.c → history_read.c (what is it?) → history_held.c (is it its turn?) →
 * history_keep.c (is it there already?); history_pass.c reads the archives.
 */
#ifndef JABI_HISTORY_H
#define JABI_HISTORY_H

#include <jabiru/history.h>

#include "base/buf.h"
#include "ext/ext.h"
#include "ext/mam.h"
#include "ext/table.h"

#define HISTORY_PAGE         100       /* messages of an archive asked for at a time */
#define HISTORY_HELD_MAX     1000      /* live messages that wait for their place */
#define HISTORY_HELD_BYTES   (4 << 20) /* and what they may take */
#define HISTORY_PASSES_MAX   8         /* archives read at the same time */
#define HISTORY_PLACED       16        /* conversations that a pass keeps apart */
#define HISTORY_LIVE_MAX     100       /* archived live messages until the next pass */
#define HISTORY_HOLDS_MOST   60000     /* ms for which live messages wait for their place */
#define HISTORY_RETRY_FIRST  5000      /* ms until a pass that failed is tried again */
#define HISTORY_CHECK        10000     /* ms from the end of a pass to a look back */
#define HISTORY_LOOKS_MOST   3         /* looks back as each finds the order wrong */
#define HISTORY_OVERLAP      30000     /* ms of the own archive at least that a pass reads again, */
#define HISTORY_OVERLAP_MOST 100       /* or so many messages; and at most about twice as much */
#define HISTORY_RETRY_MOST   300000
#define HISTORY_EMPTY_MAX    10    /* pages without a message, one after the other */
#define HISTORY_ID_MAX       1024  /* bytes of an id in an archive; longer ones are none */
#define HISTORY_VALUE_MAX    16384 /* bytes of what is kept about an archive */
#define HISTORY_SCRATCH_KEEP 65536

/* Whether a pass reads this archive. */
typedef enum history_phase { HISTORY_IDLE, HISTORY_WANTED, HISTORY_ASKED } history_phase;

/* The last message of a conversation, told by a hash, that a pass came by. */
typedef struct history_place {
    uint64_t conversation;
    int64_t rank;
} history_place;

/* A place in an archive: what comes behind it is behind this message. */
typedef struct history_mark {
    int is_set;
    jabi_buf id; /* empty: from the beginning */
    int64_t stamp;
    int64_t rank; /* the greatest that any message up to it has, about */
} history_mark;

/*
 * An archive: the account's own, or a joined room's. Everything in it up to
 * the cursor is in the store, but for the gaps; the cursor moves with the
 * results of a pass only, in the transaction of the message that it moves behind.
 * The next pass begins some way before it: COMPAT: ejabberd files what a stream had
 * in hand that another took over late, under ids that are less than others.
 */
typedef struct history_archive {
    jab_str key; /* whose, bare */
    uint64_t serial;
    int is_own;
    int is_known; /* it is there: it has answered, now or before */

    int has_cursor;
    jabi_buf id;       /* of the last message; empty: from `stamp`, or from the beginning */
    int64_t stamp;     /* of that message */
    int64_t rank;      /* the greatest that any message up to it has, about */
    history_mark from; /* where the next pass begins; not set: at the cursor */
    history_mark next; /* where `from` goes once the pass is far enough behind it */
    unsigned n_next;   /* messages since then */
    int64_t base;      /* the rank of where the pass began */
    int64_t top;       /* the greatest rank that it came by */
    history_place placed[HISTORY_PLACED]; /* where the pass was last in a conversation */
    unsigned n_placed;
    jabi_buf silent; /* id of a message that is kept, and that nobody was told of */

    history_phase phase;
    int is_first;    /* the pass learns the place: there was no cursor */
    int is_due;      /* until a pass has ended: what waited live may not have been told */
    int was_due;     /* when the pass began */
    int is_lenient;  /* the pass goes by time: ids may have changed */
    int is_begun;    /* a page of it was asked for */
    int is_back;     /* and nothing came yet: it begins at `from` */
    int has_read;    /* a pass began on this stream: */
    unsigned losses; /* those of the session then */
    int64_t seen;    /* what is older an earlier pass has told of */
    int has_moved;   /* the cursor, with this page */
    int is_blind;    /* it did not begin where an earlier one ended; stays in the store */
    int is_none;     /* there is no archive */
    int holds;       /* live messages wait for its end */
    int64_t holds_since;
    int is_held;   /* the outbox waits for its end */
    int again;     /* another pass follows this one */
    int is_second; /* the pass looks for what came while the first was read */
    int has_gap;   /* as in jab_synced */
    uint32_t added;
    unsigned empty; /* pages since one that had a message */
    unsigned live;  /* archived messages since the last pass that came live */
    size_t n_held;
    int has_reordered; /* the pass did: what it has not come by yet may stand wrong now */
    int is_checked;    /* look_at was set on this stream */
    unsigned looks;    /* looks back, one after the other */
    int is_look_back;  /* the pass is one */
    int is_resumed;    /* the stream was, and look_at is for what comes then */
    unsigned came;     /* live, since then */
    int64_t look_at;   /* when to look for what was filed late; 0: not */
    int64_t at, delay; /* when to ask, and the next delay after a failure */
} history_archive;

/* A live message that waits. */
typedef struct history_held {
    jab_stanza *st; /* owned */
    uint64_t serial;
    int64_t came; /* ms since 1970 */
    size_t bytes;
    int is_out;      /* it has its place, but is not yet known to be committed */
    unsigned losses; /* of the session, when it got that */
} history_held;

/* A message, as far as it is known before the store was asked. */
typedef struct history_message {
    jab_kept_message row;
    unsigned via;
    int is_stored;     /* kept by somebody on its way: its stamp is that one's */
    int is_reflection; /* of a message of one's own, sent back by the room */
    jab_str claim;     /* its id in the archive, as the message says */
} history_message;

/* The question of jab_history_more(). */
typedef struct history_more {
    int is_open;
    int is_room; /* the archive is the room's */
    uint64_t serial, tag;
    jab_str conversation; /* owned */
    unsigned wanted, pages;
    uint32_t added;
    jabi_buf gap;    /* id of the message above the gap that it began at */
    jabi_buf before; /* the oldest id reached */
    int64_t rank;    /* what is found goes below */
    int64_t key;     /* of the last message that was new */
    unsigned n;      /* of the page so far: messages ranked, */
    int64_t last;    /* the rank of the latest, */
    int64_t lowest;  /* and the least */
} history_more;

typedef struct history_state {
    jabi_table archives;
    history_archive *own;
    uint64_t serial; /* of the archive, or question, made last */
    size_t n_asked;
    int has_presence; /* was sent on this stream */
    history_held *held;
    size_t n_held, cap_held, held_bytes;
    jabi_buf scratch;
    history_more more;
} history_state;

/* How a message is taken. */
typedef enum history_mode {
    HISTORY_LIVE,  /* at the end of its conversation */
    HISTORY_PASS,  /* at its place in the archive */
    HISTORY_OLDER, /* below what is there */
} history_mode;

/* -- history_read.c --------------------------------------------------------------- */

/* Reads what a message is. Returns 1, or 0 when it is none to be kept. */
int jabi_history_read(jab_ext_ctx *x, const jab_stanza *st, history_message *m);

/* The same of a message of one's own that is about to be sent. */
int jabi_history_read_own(jab_ext_ctx *x, const jab_stanza *st, history_message *m);

/* Takes the message's own word for its id in the archive, as far as that goes. */
void jabi_history_trust(history_message *m, const history_archive *a);

/* The archive that a message should be in; NULL when none is known. */
history_archive *jabi_history_archive_of(jab_ext_ctx *x, const history_message *m);

/* -- history_keep.c --------------------------------------------------------------- */

/* Puts a message into the store, or what it knows into the copy that is
 * there. `a` is the archive that it should be in, or NULL. Returns JAB_PASS when it
 * is new, JAB_DONE when not, < 0 on failure. The stanza has its key then. */
int jabi_history_take(jab_ext_ctx *x, history_archive *a, const jab_stanza *st, history_message *m,
                      history_mode mode);

/* What a room sends back has arrived, whatever its place is: tells the outbox. 0 or < 0. */
int jabi_history_arrived(jab_ext_ctx *x, const history_message *m);

/* Stores a message whose row is complete but for its XML. 0 or < 0. */
int jabi_history_add(jab_ext_ctx *x, const jab_stanza *st, history_message *m, int64_t *key);

/* Rank of a message that comes at the end of a conversation. < 0 on failure. */
int64_t jabi_history_next_rank(jab_ext_ctx *x, jab_str conversation, int64_t stamp);

/* The place of a message of one's own that is settled now. < 0 on failure. */
int64_t jabi_history_own_rank(jab_ext_ctx *x, jab_str conversation, int64_t key);

/* -- history_held.c ---------------------------------------------------------------- */

/* Makes a live message wait, which a pass of `a` may bring, too. 1 when that is
 * all for now; 0 when it is to be dealt with at once; < 0. */
int jabi_history_hold(jab_ext_ctx *x, history_archive *a, const jab_stanza *st,
                      const history_message *m);

/* When the earliest message that waits for this archive was sent, by the server's clock, or
 * before; INT64_MAX: none waits. */
int64_t jabi_history_held_since(jab_ext_ctx *x, const history_archive *a);

/* Lets those go that need not wait any more, as far as there is room for
 * events. Returns 1 when some are left, 0, or < 0. */
int jabi_history_release(jab_ext_ctx *x);

/* The stream, or the room, is gone: what an archive (NULL: any) has is
 * forgotten, the rest let go. 0 or < 0. */
int jabi_history_held_end(jab_ext_ctx *x, const history_archive *of);

/* The old stream goes on: what was let go and may not have been committed
 * waits again. */
void jabi_history_held_again(jab_ext_ctx *x);
void jabi_history_held_fini(jab_ext_ctx *x);

/* -- history_cursor.c -------------------------------------------------------------- */

/* Reads what the store knows of an archive. 0 or < 0. */
int jabi_history_cursor_read(jab_ext_ctx *x, history_archive *a);

/* The same again: 1 when it is not what was known here, 0, or < 0. */
int jabi_history_cursor_again(jab_ext_ctx *x, history_archive *a);

/* Moves the cursor behind a message, and writes it. 0 or < 0. */
int jabi_history_cursor_move(jab_ext_ctx *x, history_archive *a, jab_str id, int64_t stamp);
int jabi_history_cursor_write(jab_ext_ctx *x, history_archive *a);

/* The next pass begins at the cursor, and not before it. */
void jabi_history_cursor_straight(history_archive *a);

/* There is nothing before `first`: where a pass would begin behind it, it does before. 0 or < 0. */
int jabi_history_cursor_whole(jab_ext_ctx *x, history_archive *a, jab_str first);

/* -- history_pass.c ---------------------------------------------------------------- */

history_archive *jabi_history_archive_add(jab_ext_ctx *x, jab_str bare, int *err);
history_archive *jabi_history_archive_find(jab_ext_ctx *x, jab_str bare);
history_archive *jabi_history_archive_by(jab_ext_ctx *x, uint64_t serial);
void jabi_history_archive_drop(jab_ext_ctx *x, history_archive *a);

/* Begins a pass as soon as may be. `holds`: live messages wait for its end. */
void jabi_history_pass_want(jab_ext_ctx *x, history_archive *a, int holds);

/* Begins anew, and takes no answer to what was asked. */
void jabi_history_pass_restart(jab_ext_ctx *x, history_archive *a);

/* The stream was taken up again: what comes now may come in another order than it is filed. */
void jabi_history_pass_resumed(jab_ext_ctx *x, history_archive *a);

/* There is no need for a pass now: the outbox may go on. 0 or < 0. */
int jabi_history_pass_spare(jab_ext_ctx *x, history_archive *a);

/* Asks for what is due. 0 or < 0. And: when something will be. */
int jabi_history_pass_ask(jab_ext_ctx *x);
int64_t jabi_history_pass_next(jab_ext_ctx *x);

/* A message that a pass asked for. As a route. */
int jabi_history_pass_result(jab_ext_ctx *x, history_archive *a, const jab_stanza *st);

/* -- history_gap.c ----------------------------------------------------------------- */

/* Notes that nothing is known of what is below a message of an archive; with
 * an empty id: and that it is not there any more. 0 or < 0. */
int jabi_history_gap_add(jab_ext_ctx *x, const history_archive *a, jab_str id, int64_t rank);

/* There is nothing below the latest gap. 0 or < 0. */
int jabi_history_gap_remove(jab_ext_ctx *x, const history_archive *a);

/* Hands out the gaps of an archive, the latest last, until `fn` returns
 * anything but 0. 0 or < 0. */
typedef int (*jabi_history_gap_fn)(void *arg, int64_t rank, jab_str id);
int jabi_history_gap_each(jab_ext_ctx *x, jab_str archive, jabi_history_gap_fn fn, void *arg);

/* -- history_more.c ---------------------------------------------------------------- */

/* A message that jab_history_more() asked for. As a route. */
int jabi_history_more_result(jab_ext_ctx *x, const jab_stanza *st);
void jabi_history_more_fini(jab_ext_ctx *x);

/* The stream goes on: what was found and not committed ends the request with
 * JAB_ESTORE. 0 or < 0. */
int jabi_history_more_again(jab_ext_ctx *x);

#endif
