/*
 * session.h: the inside of a session: what its files share. Data flows
 * feed.c → router.c → (extensions) → events.c, and out.c → the stream.
 */
#ifndef JABI_SESSION_H
#define JABI_SESSION_H

#include <jabiru/ext.h>
#include <jabiru/session.h>
#include <jabiru/store.h>

#include "base/arena.h"
#include "base/buf.h"
#include "stream/stream.h"

#define JABI_ROOMS_MAX        1024  /* rooms joined at a time */
#define JABI_UNWRAP_DEPTH_MAX 4     /* stanzas inside stanzas */
#define JABI_SPARE_HOLDERS    4     /* kept for reuse */
#define JABI_HOLDER_KEEP      65536 /* bytes of memory that a spare one keeps */
#define JABI_SPARE_BUILDERS   2
#define JABI_BUILDER_KEEP     16384

/* The memory of one stanza and of the events that it caused. It goes back to
 * the spares when the last of them has been consumed. */
typedef struct jabi_holder {
    struct jabi_holder *next; /* in the list of spares */
    jabi_arena arena;
    unsigned refs;
    size_t held; /* bytes counted in the session's held_bytes */
} jabi_holder;

struct jab_stanza {
    const jab_mem *mem; /* of a kept stanza: what frees it; else NULL */
    jabi_arena *arena;
    jab_kind kind;
    jab_jid from, to;
    jab_str id, type;
    const jab_xml *xml;
    unsigned via;
    int64_t stamp;
    unsigned depth;  /* how many wrappers it came out of */
    unsigned origin; /* JABI_ORIGIN_... */
    int64_t key;     /* of the message in the store; 0: not there */
};

/* Who sent a stanza, judged once. An unwrapped stanza has none of these. */
enum {
    JABI_ORIGIN_SELF = 1 << 0,   /* no from, or exactly the own bare address */
    JABI_ORIGIN_OWN = 1 << 1,    /* any address of the own account */
    JABI_ORIGIN_SERVER = 1 << 2, /* the own domain */
    JABI_ORIGIN_ROOM = 1 << 3,   /* a joined room or its occupant */
};

/* Where an event stands among the stanzas that stream management counts. */
typedef struct jabi_event_from {
    uint32_t count; /* all stanzas before this one are done with before it */
    uint32_t epoch; /* of which counting; a resumed stream keeps it */
    int is_set;
} jabi_event_from;

typedef struct jabi_queued_event {
    jab_event event;
    jabi_holder *holder;
    jabi_event_from from;
} jabi_queued_event;

/* One stanza that the server has not acknowledged: its bytes, and the id and
 * the address of a message of the application, stand in jabi_sent_queue.bytes. */
typedef struct jabi_sent_row {
    size_t n, id_n, to_n;
    uint64_t tag;
    uint64_t seq; /* of its row in the outbox; 0: it has none */
    int is_ours;  /* the application's, and not settled */
} jabi_sent_row;

/* Unacknowledged stanzas, oldest first. */
typedef struct jabi_sent_queue {
    jabi_sent_row *rows;
    size_t first, n, cap;
    jabi_buf bytes;
    size_t at;       /* where the first row's bytes begin */
    uint64_t serial; /* of the row added last; they count from 1 */
} jabi_sent_queue;

typedef enum jabi_out_state {
    JABI_OUT_WAITS, /* has never left */
    JABI_OUT_LEFT,  /* on the stream that stands, or may be resumed */
    JABI_OUT_SAVED, /* on the stream of an earlier process that may be resumed */
    JABI_OUT_DOUBT, /* on a stream that is gone: the archive may know it */
} jabi_out_state;

/* A message of the application that is accepted and not settled. */
typedef struct jabi_outbox_row {
    uint64_t seq; /* its key in the store; they grow */
    uint64_t tag;
    char *text; /* owned: id and address */
    size_t id_n, to_n;
    jabi_out_state state;
    uint32_t count; /* its number on the stream */
    int is_marked;  /* that it left is committed: before, no byte of it does */
    int is_room;
} jabi_outbox_row;

/* A row that is settled, until that is committed. */
typedef struct jabi_outbox_done {
    jabi_outbox_row row;
    int state; /* jab_sent_state */
} jabi_outbox_done;

/* Only in a session with a store. Rows are in the order of their keys. */
typedef struct jabi_outbox {
    jabi_outbox_row *rows;
    size_t first, n, cap, waiting;
    uint64_t last_seq;
    int held; /* the own archive is to be asked first */
    jabi_outbox_done *done;
    size_t n_done, cap_done;
    int marked; /* rows left, and that is not committed */
    int redo;   /* a transaction was lost: what it said is to be said again */
    jabi_buf scratch;
} jabi_outbox;

/* Events in order: a ring that grows. */
typedef struct jabi_event_queue {
    jabi_queued_event *ring;
    size_t cap, first, n;
    jab_event shown; /* the one handed out last */
    jabi_holder *shown_holder;
    jabi_event_from shown_from;
} jabi_event_queue;

/* One open iq request. */
typedef struct jabi_request {
    jab_str id, to; /* owned; to absent: the own server */
    int64_t deadline;
    uint64_t tag;
    jab_ext_ctx *ext; /* whose it is; NULL: the application's */
    jab_reply_fn fn;
} jabi_request;

/* A row of the session's routing table, sorted by kind, namespace, name. */
typedef struct jabi_route_row {
    const jab_route *route;
    jab_ext_ctx *ext;
} jabi_route_row;

struct jab_ext_ctx {
    jab_session *session;
    const jab_ext *ext;
    void *state;
    int64_t wake;
    int is_inline; /* it asked for something with the resource (XEP-0386) */
};

struct jab_out {
    jab_out *next; /* in the list of spares */
    jab_session *session;
    jabi_buf buf;
    jabi_writer writer;
    jab_kind kind;
    jab_message_type type;
    jab_iq_type iq_type;
    jab_str id; /* view of id_text */
    char id_text[256];
    int id_written, has_body, is_available, error;
    jab_jid to; /* as written; views into to_buf */
    jab_jid_buf to_buf;
    jab_ext_ctx *ext;
    jab_reply_fn fn;
};

struct jab_session {
    const jab_mem *mem;
    jab_config cfg;  /* defaults filled in, strings owned */
    jab_jid account; /* as configured */
    jab_jid_buf account_buf;
    jabi_stream stream;
    void *user;
    int64_t now;
    int started; /* a stream is under way or was */
    int online, closing, closed;
    enum { JABI_EOF_NONE, JABI_EOF_CLEAN, JABI_EOF_CUT } eof; /* once all is inflated */
    int offline_unsaid; /* no memory for the event: said when the queue is empty */
    int starved;        /* no memory for an extension's event: ends the session when it returns */
    int64_t login_deadline, close_deadline, stanza_deadline, last_out;
    const jab_jid *self; /* the bound address while online */
    jab_jid self_bare;   /* views into the bound address */

    jab_str inflated_left; /* inflated bytes not yet parsed */
    jabi_holder *filling;  /* takes the stanza that is arriving */
    jabi_holder *current;  /* of the stanza being routed */
    jab_stanza *routed;    /* that stanza, unwrapped; NULL between stanzas */
    size_t held_bytes;     /* of stanzas whose events wait */
    jabi_holder *spare;
    size_t n_spare;
    jabi_holder *emitted; /* of the event emitted last, for jab_ext_text() */
    jabi_event_queue events;

    jabi_outbox outbox;
    unsigned losses;   /* transactions that were lost so far */
    size_t unsaved;    /* events at the end of the queue that are not committed */
    size_t owed;       /* messages among what is not committed, pulled or not */
    size_t pulled;     /* of these, how many were */
    uint32_t sm_safe;  /* stanzas that came until the last commit */
    uint32_t saved_in; /* what the store says of them */
    int saved;         /* the store has a stream to resume */
    int is_durable;    /* that is committed, and this stream's: as far as durable_in */
    uint32_t durable_in;
    int restored; /* the stream to resume is an earlier process's */
    int unready;  /* a resumption ended before all were ready */
    int given_up; /* it is for a later process to resume */

    jabi_sent_queue sent;
    struct jabi_recent *recent; /* recent.c: the last messages, and to whom */
    uint32_t sm_epoch;
    jabi_event_from held_from; /* stanzas from this one on are held back by an extension */
    int held_ends;             /* it has let them go, and that is to be committed */
    int ack_owed;              /* the last answer left stanzas out */
    int ack_paused;   /* the application had too much to pull: answers may wait behind it */
    int asks_behind;  /* without stream management: such a question is open */
    int64_t asked_at; /* when the open question was asked; JAB_NEVER: none is open */
    int kept;         /* the last stream may be taken up: its state is still there */

    jab_out *spare_out;
    size_t n_spare_out;

    jabi_request *requests; /* max_requests slots, used ones first */
    size_t n_requests;

    jab_ext_ctx *exts;
    const jab_ext **ext_list;
    size_t n_exts;
    jabi_route_row *routes;
    size_t n_routes;
    jab_ext_ctx *trust_ext;
    jab_trust_fn trust;

    jab_str *rooms; /* bare addresses, sorted, owned */
    size_t n_rooms, cap_rooms;
    jab_stanza *unwrapped; /* what jab_ext_unwrap() left for the router */

    jab_fault fault; /* of the last stream; views into fault_text */
    char fault_condition[64], fault_text[512];
};

/* config.c: a deep copy with defaults; 0 or < 0. */
int jabi_config_copy(jab_config *to, const jab_config *from, const jab_mem *mem);
void jabi_config_fini(jab_config *cfg, const jab_mem *mem);

/* holder.c */
jabi_holder *jabi_holder_get(jab_session *s); /* refs 1, or NULL */
void jabi_holder_unref(jab_session *s, jabi_holder *h);
void jabi_holders_fini(jab_session *s);

/* store.c: makes durable what is to be kept: before anything leaves, or is
 * shown, that depends on it. 0; < 0 when the store failed: the transaction is undone,
 * and the stream has ended. */
int jabi_store_commit(jab_session *s);

/* As above, but leaves what the caller is to commit; and whether there is such. */
int jabi_store_settle(jab_session *s);
int jabi_store_waits(const jab_session *s);

/* A stanza comes: when nothing of those before is to be committed, they are safe. */
void jabi_store_before_stanza(jab_session *s);

/* A stanza could not be dealt with whole: forgets all since the last commit. */
void jabi_store_abandon(jab_session *s);

/* The words of the store's failure, or those of the code. */
const char *jabi_store_words(const jab_session *s, int err, char *room, size_t size);

/* feed.c: whether the session would take bytes now. */
int jabi_feed_has_room(const jab_session *s);

/* Whether inflated bytes wait that the application made room for. */
int jabi_feed_waits(const jab_session *s);
int jabi_feed_is_left(const jab_session *s); /* room or not */
void jabi_feed_more(jab_session *s);

/* Sets the deadline of the stanza that is arriving. It does not run while the
 * session has no room: the rest may have come and wait outside. */
void jabi_feed_watch(jab_session *s);

/* events.c */
jab_event *jabi_event_push(jab_session *s, uint32_t type, uint64_t tag, size_t size);
void jabi_event_take_back(jab_session *s);         /* the one pushed last */
int jabi_events_has_message(const jab_session *s); /* that waits to be pulled */
void jabi_events_drop_unsaved(jab_session *s);     /* messages that are not committed */
void jabi_events_drop_of(jab_session *s, const jabi_holder *stanza);
void jabi_events_fini(jab_session *s);

/* Whether what a handler returned ends the session. What it could not send for
 * want of room, or as the session closes, does not. */
static inline int jabi_is_fatal(int err)
{
    return err < 0 && err != JAB_EAGAIN && err != JAB_EOFFLINE;
}

/* session.c: ends the stream with the stream's own fault, or with this one. */
void jabi_session_end(jab_session *s);
void jabi_session_reset(jab_session *s);  /* requests and extensions begin anew */
void jabi_session_forget(jab_session *s); /* the stream will not go on: its state goes */
void jabi_session_settle(jab_session *s); /* ends it when an extension's event found no memory */
void jabi_session_fail_with(jab_session *s, int err); /* in the words of the error */
void jabi_session_fail_code(jab_session *s, int code, const char *condition, const char *words);

/* stanza.c: reads the envelope of an element; NULL when it is out of memory
 * (*error set) or not a proper stanza (*error 0). */
jab_stanza *jabi_stanza_new(jab_session *s, jabi_arena *arena, const jab_xml *el, int *error);
jab_iq_type jabi_iq_type(const jab_stanza *st); /* or -1 */

/* Which message in the store it is: what its event says. */
void jabi_stanza_set_key(const jab_stanza *st, int64_t key);

/* A copy in another arena; NULL when out of memory. */
jab_stanza *jabi_stanza_copy(jabi_arena *arena, const jab_stanza *st);

/* offline.c: reads from the store; and: presence asks for what was kept meanwhile. 0 or < 0. */
int jabi_offline_restore(jab_session *s);
int jabi_offline_asked(jab_session *s);

/* probe.c: writes what the server has to answer at once: <r/>, or a ping where
 * there is no stream management. 0; JAB_EOFFLINE, JAB_EAGAIN, JAB_ENOMEM. */
int jabi_session_probe(jab_session *s, int64_t now);

/* router.c */
int jabi_routes_build(jab_session *s);
int jabi_route_stanza(jab_session *s, jab_stanza *st);

/* A kept message that the extension `x` held back goes on behind it: to those
 * who observe whole messages. 0 or < 0. */
int jabi_route_behind(jab_session *s, const jab_ext_ctx *x, const jab_stanza *kept);

/* iq.c */
int jabi_request_add(jab_session *s, const jab_out *o, uint64_t tag);
int jabi_request_reply(jab_session *s, jab_stanza *st);
void jabi_requests_expire(jab_session *s);
void jabi_requests_extend(jab_session *s); /* their time begins again */
void jabi_request_undo(jab_session *s);    /* the one added last */
void jabi_requests_fail(jab_session *s, int error);
int64_t jabi_requests_deadline(const jab_session *s);
int jabi_iq_unclaimed(jab_session *s, const jab_stanza *st, const char *type,
                      const char *condition);

/* Calls `settled` of the extensions, and then queues the event. */
int jabi_sent_emit(jab_session *s, uint64_t tag, const struct jab_sent *sent);

/* Whether an extension's descriptor has this slot, and fills it. */
#define JABI_HAS_SLOT(ext, slot)                                                                   \
    ((ext)->size >= offsetof(jab_ext, slot) + sizeof((ext)->slot) && (ext)->slot)

/* out.c */
jab_out *jabi_out_new(jab_session *s, jab_kind kind, jab_str to, const char *type);
void jabi_out_answers(jab_out *o, jab_str to, jab_str id); /* both as they came */
void jabi_outs_fini(jab_session *s);

/* ext_ctx.c */
int jabi_exts_start(jab_session *s);
void jabi_exts_online(jab_session *s, int resumed);
void jabi_exts_inline(void *session, jabi_writer *w, const jab_xml *offer); /* a jabi_inline_fn */
void jabi_exts_offline(jab_session *s);
void jabi_exts_stop(jab_session *s);
void jabi_exts_tick(jab_session *s);
int64_t jabi_exts_deadline(const jab_session *s);
int jabi_room_is_joined(const jab_session *s, jab_str bare);

/* The built-in extensions: src/ext/ext_list.c. */
const jab_ext *const *jabi_ext_builtin(size_t *n);

#endif
