/* server_own.h: what the parts of the model server share: text, XML, sessions, archives, rooms. */
#ifndef SIM_SERVER_OWN_H
#define SIM_SERVER_OWN_H

#include "server.h"

#define NS_CLIENT    "jabber:client"
#define NS_STREAM    "http://etherx.jabber.org/streams"
#define NS_STREAMS   "urn:ietf:params:xml:ns:xmpp-streams"
#define NS_STANZAS   "urn:ietf:params:xml:ns:xmpp-stanzas"
#define NS_SASL      "urn:ietf:params:xml:ns:xmpp-sasl"
#define NS_SASL2     "urn:xmpp:sasl:2"
#define NS_BIND2     "urn:xmpp:bind:0"
#define NS_BIND      "urn:ietf:params:xml:ns:xmpp-bind"
#define NS_SESSION   "urn:ietf:params:xml:ns:xmpp-session"
#define NS_SM        "urn:xmpp:sm:3"
#define NS_CSI       "urn:xmpp:csi:0"
#define NS_ROSTER    "jabber:iq:roster"
#define NS_INFO      "http://jabber.org/protocol/disco#info"
#define NS_ITEMS     "http://jabber.org/protocol/disco#items"
#define NS_PING      "urn:xmpp:ping"
#define NS_CARBONS   "urn:xmpp:carbons:2"
#define NS_FORWARD   "urn:xmpp:forward:0"
#define NS_HINTS     "urn:xmpp:hints"
#define NS_SID       "urn:xmpp:sid:0"
#define NS_MAM       "urn:xmpp:mam:2"
#define NS_RSM       "http://jabber.org/protocol/rsm"
#define NS_FORM      "jabber:x:data"
#define NS_DELAY     "urn:xmpp:delay"
#define NS_RECEIPTS  "urn:xmpp:receipts"
#define NS_MARKERS   "urn:xmpp:chat-markers:0"
#define NS_STATES    "http://jabber.org/protocol/chatstates"
#define NS_MUC       "http://jabber.org/protocol/muc"
#define NS_MUC_USER  "http://jabber.org/protocol/muc#user"
#define NS_MUC_ADMIN "http://jabber.org/protocol/muc#admin"
#define NS_MUC_OWNER "http://jabber.org/protocol/muc#owner"

/* -- Memory and text (server_text.c) ---------------------------------------- */

/* Memory that is given back all at once. */
typedef struct srv_arena {
    struct srv_chunk *chunk;
} srv_arena;

/* Bytes for as long as the arena is neither reset nor freed; ends the program when there are none.
 */
void *srv_alloc(srv_arena *arena, size_t n);
char *srv_copy(srv_arena *arena, const char *p, size_t n);
char *srv_dup(srv_arena *arena, const char *z); /* NULL stays NULL */
void srv_arena_reset(srv_arena *arena);         /* keeps one piece for the next use */
void srv_arena_free(srv_arena *arena);

/* realloc() that ends the program when there is no memory. */
void *srv_realloc(void *p, size_t n);

/* Text that grows. */
typedef struct srv_text {
    char *p;
    size_t n, room;
} srv_text;

void srv_text_free(srv_text *t);
void srv_add(srv_text *t, const char *p, size_t n);
void srv_adds(srv_text *t, const char *z);
void srv_escape(srv_text *t, const char *p, size_t n);

/* %s a string, escaped for XML (NULL: nothing); %x one that is XML already; %u a uint64_t. */
void srv_addf(srv_text *t, const char *format, ...);

/* "2002-09-10T23:08:25.123Z" of milliseconds since 1970, 24 bytes and NUL (XEP-0082). */
void srv_stamp(char out[32], int64_t ms);
bool srv_stamp_parse(const char *z, int64_t *ms);

/* The bare part of an address, in the arena; the resource, or NULL. */
char *srv_bare(srv_arena *arena, const char *jid);
const char *srv_resource(const char *jid);
/* Whether two addresses have the same bare part. */
bool srv_same_bare(const char *a, const char *b);
/* Whether both are there and the same. */
bool srv_eq(const char *a, const char *b);
/* Base64 to bytes in the arena, NUL added; NULL when it is none. */
char *srv_base64(srv_arena *arena, const char *z, size_t *n);
/* A whole number up to 2^32 - 1; false when it is none. */
bool srv_number(const char *z, uint32_t *value);

/* -- XML (server_xml.c) ------------------------------------------------------ */

typedef struct srv_attr {
    const char *name, *value; /* foreign namespaces but xml: are left out */
    struct srv_attr *next;
} srv_attr;

/* An element, or text when it has no name. */
typedef struct srv_node {
    const char *ns, *name;
    const char *text;
    size_t text_n;
    srv_attr *attrs, **attrs_end;
    struct srv_node *parent, *first, *last, *next;
} srv_node;

/* Makes trees of the elements directly in the stream. */
typedef struct srv_builder {
    struct XML_ParserStruct *parser;
    srv_arena arena;
    srv_node *open;
    unsigned depth;
    size_t fed;
    bool restart, stopped;
    const char *unfit; /* what XMPP does not allow in a stream, when it came */
    void *arg;
    void (*header)(void *arg, srv_node *root);
    void (*stanza)(void *arg, srv_node *node);
    void (*trailer)(void *arg);
} srv_builder;

void srv_builder_init(srv_builder *b);
void srv_builder_fini(srv_builder *b);
/* False when the text is not well-formed. */
bool srv_builder_feed(srv_builder *b, const char *p, size_t n);
/* Within a call-back: the next bytes begin a new document; no more bytes are wanted. */
void srv_builder_restart(srv_builder *b);
void srv_builder_stop(srv_builder *b);

const char *srv_attr_of(const srv_node *node, const char *name);
void srv_set_attr(srv_arena *arena, srv_node *node, const char *name, const char *value);
/* The first child element of that name; ns or name may be NULL for any. */
srv_node *srv_child(const srv_node *node, const char *ns, const char *name);
bool srv_is(const srv_node *node, const char *ns, const char *name);
/* Direct text, in the arena; "" when there is none. */
const char *srv_text_of(srv_arena *arena, const srv_node *node);
void srv_remove(srv_node *parent, srv_node *child);
/* Writes an element where the default namespace is ns. */
void srv_write(srv_text *t, const srv_node *node, const char *ns);
/* Writes all children. */
void srv_write_children(srv_text *t, const srv_node *node, const char *ns);

/* -- The server's objects ----------------------------------------------------- */

typedef struct srv_account srv_account;
typedef struct srv_session srv_session;
typedef struct srv_room srv_room;

/* What a message asks to be done with it. */
enum {
    MSG_BODY = 1,
    MSG_PRIVATE = 2,    /* XEP-0280 §6, XEP-0334 no-copy */
    MSG_NO_STORE = 4,   /* nowhere */
    MSG_NO_ARCHIVE = 8, /* not in archives */
    MSG_STORE = 16,
    MSG_SIGNAL = 32,   /* receipt or marker */
    MSG_STATE = 64,    /* chat state */
    MSG_MUC = 128,     /* has to do with a room */
    MSG_SUBJECT = 256, /* a subject and no body */
    MSG_THREAD = 512,
};

typedef struct srv_message {
    sim_message pub;
    srv_account *sender, *receiver; /* NULL: outside, or a room */
    const char *attrs;              /* " id='' type='' xml:lang=''", ready */
    const char *children;           /* ready */
    unsigned flags;
    int64_t wall;
    const char *sender_sid, *receiver_sid; /* archive ids, or NULL */
} srv_message;

typedef struct srv_entry {
    sim_entry pub;
    srv_message *message;
} srv_entry;

typedef struct srv_archive {
    srv_entry **p;
    size_t n, room, first; /* first: the oldest that is not trimmed */
} srv_archive;

typedef struct srv_contact {
    const char *jid, *name;
    unsigned sub; /* SUB_ bits */
    bool ask;
    const char *groups; /* ready XML */
    bool removed;
    struct srv_contact *next;
} srv_contact;

enum { SUB_NONE = 0, SUB_TO = 1, SUB_FROM = 2, SUB_BOTH = 3 };

typedef struct srv_waiting { /* a message in offline storage */
    srv_message *message;
    struct srv_waiting *next;
} srv_waiting;

/* Counters of a session that is over, for <failed h=''/>. */
typedef struct srv_ended {
    const char *sm_id;
    uint32_t h;
    struct srv_ended *next;
} srv_ended;

struct srv_account {
    const char *jid, *password;
    srv_session *sessions;
    srv_contact *roster;
    uint64_t roster_version;
    srv_archive archive;
    srv_waiting *offline, **offline_end;
    srv_waiting *late, **late_end; /* what an old session has in hand */
    int64_t late_at, late_since;   /* until and since when; or SIM_NEVER */
    srv_ended *ended;
    srv_account *next;
};

typedef struct srv_item { /* a stanza in the queue of a managed stream */
    const char *xml;
    size_t n;
    srv_message *message;
    bool copy; /* not the message itself: carbon, archive result, room */
    struct srv_item *next;
} srv_item;

struct srv_session {
    srv_account *account;
    const char *resource, *jid;
    sim_conn *conn; /* NULL: hibernating */
    srv_session *next;
    bool available, initial, carbons, interested, ended;
    int priority;
    uint64_t since;       /* order of the last presence */
    const char *presence; /* children of the last one, ready */
    uint32_t mark;        /* number + 1 of the message it just got a copy of */
    bool sm, resumable, awaiting;
    const char *sm_id;
    uint32_t in, out, acked; /* XEP-0198 §4, modulo 2^32 */
    uint32_t since_request, since_ack;
    srv_item *queue, **queue_end;
    int64_t expires; /* when it ends, hibernating */
    int64_t ack_due; /* when <a/> goes out, or SIM_NEVER */
    unsigned acks_owed;
    int64_t request_due; /* when <r/> goes out, or SIM_NEVER */
};

enum srv_state { CONN_HEADER, CONN_AUTH, CONN_AUTHED, CONN_BOUND, CONN_CLOSED };

struct sim_conn {
    sim_server *server;
    unsigned number;
    enum srv_state state;
    bool header, closed, cut, resume_failed;
    srv_builder builder;
    srv_text out;
    size_t out_at;
    srv_account *account;
    srv_session *session;
    sim_conn *next;
};

typedef struct srv_occupant {
    const char *nick, *jid; /* the full address outside */
    struct srv_occupant *next;
} srv_occupant;

struct srv_room {
    const char *jid;
    srv_occupant *occupants;
    srv_archive archive, history; /* history: what is told at a join, archived or not */
    const char *subject, *subject_nick;
    srv_room *next;
};

typedef struct srv_seen { /* a name used within a scope */
    const void *scope;
    const char *name;
    void *value;
} srv_seen;

struct sim_server {
    sim_server_options o;
    srv_arena arena;
    srv_text scratch; /* for the stanza being written; whoever writes begins with n = 0 */
    int64_t now, wall;
    uint64_t random, order;
    unsigned conns_made;
    srv_account *accounts;
    srv_room *rooms;
    sim_conn *conns;
    srv_message **messages;
    size_t messages_n, messages_room;
    sim_violation *violations;
    size_t violations_n, violations_room;
    srv_seen *seen;
    size_t seen_n, seen_room;
};

/* -- server.c ------------------------------------------------------------------ */

srv_account *srv_account_of(const sim_server *server, const char *jid); /* any resource */
srv_session *srv_session_of(const sim_server *server, const char *full_jid);
const char *srv_id(sim_server *server); /* a fresh id */
void srv_at(sim_server *server, int64_t now);
int64_t srv_wall(const sim_server *server);
void srv_violation(sim_server *server, const sim_conn *conn, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The place of what a name stands for within a scope; NULL in it when the name is new. */
void **srv_seen_place(sim_server *server, const void *scope, const char *name);

/* -- server_conn.c --------------------------------------------------------------- */

void srv_conn_write(sim_conn *conn, const char *p, size_t n);
/* A stream error, after which the connection is closed; its session is not touched. */
void srv_conn_error(sim_conn *conn, const char *condition, const char *more);

/* -- server_sm.c ------------------------------------------------------------------ */

void srv_sm_enable(sim_conn *conn, srv_node *node);
void srv_sm_resume(sim_conn *conn, srv_node *node);
void srv_sm_request(sim_conn *conn);
void srv_sm_answer(sim_conn *conn, srv_node *node);
void srv_sm_failed(sim_conn *conn, const char *condition, const uint32_t *h);
void srv_sm_counted(const sim_server *server, srv_session *s); /* a stanza was handled */
void srv_sm_tick(sim_server *server, srv_session *s);
int64_t srv_sm_deadline(const srv_session *s);

/* Sends a stanza into a session: queued when it is managed, written when it is attached. */
void srv_send(sim_server *server, srv_session *s, const char *xml, size_t n, srv_message *m,
              bool copy);
void srv_send_text(sim_server *server, srv_session *s, const srv_text *t);

/* -- server_session.c ------------------------------------------------------------- */

srv_session *srv_session_new(sim_conn *conn, const char *resource);
/* It is over: unavailable, out of rooms, its queue treated as the options say. */
void srv_session_end(sim_server *server, srv_session *s);
/* Forgets it without a word (a crash). */
void srv_session_forget(sim_server *server, srv_session *s);
/* Its connection is gone: it hibernates or ends. */
void srv_session_detach(sim_server *server, srv_session *s);

/* -- server_message.c -------------------------------------------------------------- */

/* A stanza from a client or from outside; from is its full address. */
srv_message *srv_message_in(sim_server *server, srv_account *sender, const char *from,
                            srv_session *s, srv_node *node);
/* Delivers by RFC 6121 §8.5, offline storage and errors included. */
void srv_message_route(sim_server *server, srv_message *m);
void srv_message_bounce(sim_server *server, srv_message *m, const char *from, const char *type,
                        const char *condition);
/* Writes <message/>: embedded, the namespace is declared; extra is XML put last. */
void srv_message_write(srv_text *t, const srv_message *m, const char *from, const char *to,
                       bool embedded, const char *extra);
void srv_offline_deliver(sim_server *server, srv_session *s);
/* Delivers again what a session that is over never acknowledged. */
void srv_message_unacked(sim_server *server, srv_message *m);
/* <stanza-id/> of an archive, when it is to be told; else "". In the server's arena. */
const char *srv_sid_xml(sim_server *server, const char *by, const char *id);
const char *srv_delay_xml(sim_server *server, const char *from, int64_t wall);

/* Files and delivers what its receiver's side has to do with a message. */
void srv_message_received(sim_server *server, srv_message *m);

/* -- server_late.c ------------------------------------------------------------------- */

/* A session of this account was taken over. */
void srv_late_begin(sim_server *server, srv_account *a);
/* Whether the old one gets this message, and who received it does so later; and that it has it. */
bool srv_late_takes(const sim_server *server, srv_message *m);
void srv_late_put(sim_server *server, srv_message *m);
/* The old one is through. */
void srv_late_file(sim_server *server, srv_account *a);

/* -- server_carbons.c ---------------------------------------------------------------- */

/* To the sender's others; to those of the receiver. */
void srv_carbons_sent(sim_server *server, srv_message *m, srv_session *sender);
void srv_carbons_received(sim_server *server, srv_message *m);

/* -- server_archive.c ---------------------------------------------------------------- */

/* Puts a message into an archive, before those accepted later; gives its id there. */
const char *srv_archive_add(sim_server *server, srv_archive *a, srv_message *m, const char *from,
                            const char *to);
void srv_archive_put(srv_archive *a, srv_entry *e);
void srv_archive_iq(sim_server *server, srv_session *s, srv_node *iq, srv_node *query,
                    srv_archive *a, const char *by);

/* -- server_iq.c, server_roster.c ------------------------------------------------------ */

void srv_iq_in(sim_server *server, srv_session *s, const char *from, srv_node *node);
/* An answer to an iq, from where it was sent to. */
void srv_iq_result(sim_server *server, srv_session *s, const srv_node *iq, const char *payload);
void srv_iq_error(sim_server *server, srv_session *s, const srv_node *iq, const char *type,
                  const char *condition);
void srv_roster_iq(sim_server *server, srv_session *s, srv_node *iq, srv_node *query);
srv_contact *srv_contact_of(srv_account *account, const char *jid);
srv_contact *srv_contact_make(sim_server *server, srv_account *account, const char *jid);
void srv_roster_changed(sim_server *server, srv_account *account, srv_contact *c);

/* -- server_presence.c ------------------------------------------------------------------ */

void srv_presence_in(sim_server *server, srv_session *s, const char *from, srv_node *node);
/* Tells everyone who may know that a session is unavailable. */
void srv_presence_gone(sim_server *server, srv_session *s);

/* -- server_room.c ------------------------------------------------------------------------ */

bool srv_is_room(const sim_server *server, const char *jid);
srv_room *srv_room_of(const sim_server *server, const char *jid);
void srv_room_presence(sim_server *server, const char *from, srv_node *node);
void srv_room_message(sim_server *server, srv_message *m);
void srv_room_private(sim_server *server, srv_message *m);
void srv_room_iq(sim_server *server, srv_session *s, srv_node *iq);
/* A full address is gone: out of all rooms. */
void srv_rooms_leave(sim_server *server, const char *jid);

/* -- Log-in in one step (server_sasl2.c), and what it takes from server_conn.c ------------------ */

void srv_sasl2_offer(sim_conn *conn);
void srv_sasl2_authenticate(sim_conn *conn, srv_node *node);
srv_account *srv_check_plain(sim_conn *conn, const char *encoded); /* NULL: wrong */
void srv_conn_bind(sim_conn *conn, const char *resource);          /* another with it goes */
void srv_conn_features(sim_conn *conn);

#endif
