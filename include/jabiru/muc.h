/*
 * muc.h: rooms (XEP-0045), from the view of an occupant. Messages of a room
 * arrive as JAB_EV_MESSAGE of type groupchat with JAB_VIA_ROOM, stored ones
 * with JAB_VIA_HISTORY, too; a private message has JAB_VIA_ROOM and another
 * type. Its sender is an occupant, "room@service/nick", never a contact.
 *
 * A room is believed only about itself, and only after jab_muc_join(). Rooms
 * are left when a stream ends that is not resumed: join again.
 */
#ifndef JABIRU_MUC_H
#define JABIRU_MUC_H

#include <jabiru/presence.h>
#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JAB_MUC_ROOMS_MAX     1000  /* joined at a time */
#define JAB_MUC_OCCUPANTS_MAX 20000 /* kept of one room; more are told, not kept */

enum {
    JAB_EV_MUC_JOINED = JAB_EV(45, 1),   /* data: jab_muc_joined; answers jab_muc_join() */
    JAB_EV_MUC_LEFT = JAB_EV(45, 2),     /* data: jab_muc_left */
    JAB_EV_MUC_OCCUPANT = JAB_EV(45, 3), /* data: jab_muc_change */
    JAB_EV_MUC_SUBJECT = JAB_EV(45, 4),  /* data: jab_muc_subject */
    JAB_EV_MUC_ERROR = JAB_EV(45, 5),    /* data: jab_muc_error: a change was refused */
};

/* In the order of power. */
typedef enum jab_role {
    JAB_ROLE_NONE,
    JAB_ROLE_VISITOR,
    JAB_ROLE_PARTICIPANT,
    JAB_ROLE_MODERATOR,
} jab_role;

typedef enum jab_affiliation {
    JAB_AFFILIATION_OUTCAST,
    JAB_AFFILIATION_NONE,
    JAB_AFFILIATION_MEMBER,
    JAB_AFFILIATION_ADMIN,
    JAB_AFFILIATION_OWNER,
} jab_affiliation;

/* Their names in the protocol ("moderator", "owner"); static. */
JAB_API const char *jab_role_name(jab_role role);
JAB_API const char *jab_affiliation_name(jab_affiliation affiliation);

/* Status codes (XEP-0045 15.6.2) that the room sent, or-ed together. */
enum jab_muc_status {
    JAB_MUC_NOT_ANONYMOUS = 1 << 0, /* 100: everyone sees real addresses */
    JAB_MUC_SELF = 1 << 1,          /* 110: this is about oneself */
    JAB_MUC_LOGGED = 1 << 2,        /* 170: the room is logged in public */
    JAB_MUC_CREATED = 1 << 3,       /* 201: the room is new, and locked */
    JAB_MUC_NICK_ASSIGNED = 1 << 4, /* 210: the service changed the nick */
    JAB_MUC_BANNED = 1 << 5,        /* 301 */
    JAB_MUC_RENAMED = 1 << 6,       /* 303: goes on under another nick */
    JAB_MUC_KICKED = 1 << 7,        /* 307 */
    JAB_MUC_NO_MEMBER = 1 << 8,     /* 321, 322: left for not being a member */
    JAB_MUC_SHUTDOWN = 1 << 9,      /* 332 */
    JAB_MUC_FAILED = 1 << 10,       /* 333: left for a technical reason */
    JAB_MUC_DESTROYED = 1 << 11,    /* no code: the room was destroyed */
};

typedef struct jab_occupant {
    jab_str nick;
    jab_jid jid; /* real address, all absent where the room hides it */
    jab_role role;
    jab_affiliation affiliation;
    jab_show show;
} jab_occupant;

/* The room was entered, or not. */
typedef struct jab_muc_joined {
    int error;                /* 0; JAB_ESTANZA: refused; JAB_ETIMEOUT; JAB_EOFFLINE */
    jab_stanza_error refusal; /* with JAB_ESTANZA; "conflict": the nick is taken */
    jab_str room;             /* bare address */
    jab_str nick;             /* the own one */
    unsigned status;          /* enum jab_muc_status */
    size_t occupants;         /* with oneself */
    jab_role role;
    jab_affiliation affiliation;
} jab_muc_joined;

/* The room was left, of one's own will or not. */
typedef struct jab_muc_left {
    jab_str room;
    unsigned status;     /* 0 or JAB_MUC_SELF: of one's own will */
    jab_str reason;      /* words of who did it; absent without */
    jab_str alternative; /* with JAB_MUC_DESTROYED: the room that replaces it, as written */
} jab_muc_left;

typedef enum jab_muc_change_kind {
    JAB_MUC_ENTERED, /* also those who were there before */
    JAB_MUC_CHANGED, /* role, affiliation or presence */
    JAB_MUC_NICK,    /* `new_nick` is the name from now on */
    JAB_MUC_GONE,
} jab_muc_change_kind;

/* An occupant came, changed or went. */
typedef struct jab_muc_change {
    jab_muc_change_kind kind;
    jab_str room;
    jab_occupant occupant;
    jab_str new_nick;    /* with JAB_MUC_NICK */
    jab_str status_text; /* <status/> of the presence; absent without */
    jab_str reason;      /* of a kick, a ban, ...; absent without */
    unsigned status;     /* enum jab_muc_status; JAB_MUC_SELF: oneself */
} jab_muc_change;

/* The room's subject; sent once after joining, too. */
typedef struct jab_muc_subject {
    jab_str room;
    jab_str nick;    /* who set it; absent when the room says so by itself */
    jab_str subject; /* empty: none */
} jab_muc_subject;

/* A change of nick or presence was refused while in the room. */
typedef struct jab_muc_error {
    jab_str room;
    jab_stanza_error refusal;
} jab_muc_error;

/* How to join. Write JAB_MUC_JOIN(.history = 20). */
typedef struct jab_muc_join_options {
    size_t size;
    jab_str password;
    int no_history;   /* 1: none, whatever follows */
    unsigned history; /* at most so many messages; 0: as the room likes */
    unsigned seconds; /* not older than so many; 0: no matter */
    int64_t since;    /* ms since 1970: not older than that; 0: no matter */
    jab_show show;    /* JAB_SHOW_DND is 0: set it, or pass NULL options */
    jab_str status;
} jab_muc_join_options;
#define JAB_MUC_JOIN(...)                                                                          \
    (&(const jab_muc_join_options){                                                                \
        .size = sizeof(jab_muc_join_options), .show = JAB_SHOW_ONLINE, __VA_ARGS__})

/*
 * Joins a room under a nick; `options` NULL: the defaults. JAB_EV_MUC_OCCUPANT
 * for all who are there, then JAB_EV_MUC_JOINED with the tag, history, and the
 * subject. Joining anew while in it asks for all that again. Returns what
 * jab_out_send() does; JAB_EJID; JAB_EINVAL without a nick; JAB_ELIMIT beyond
 * JAB_MUC_ROOMS_MAX.
 *
 * A room that did not exist is created by this, and locked: status
 * JAB_MUC_CREATED. jab_muc_unlock() opens it; leaving it destroys it.
 */
JAB_API int jab_muc_join(jab_session *s, jab_str room, jab_str nick,
                         const jab_muc_join_options *options, uint64_t tag);

/* Gets a room and the own nick in it; the views are valid until this returns.
 * Anything but 0 ends the listing. It must not join: collect first. */
typedef int (*jab_muc_room_fn)(void *arg, jab_str room, jab_str nick);

/* In a session with a store: the rooms that this account joined and has not
 * left of its own will, nor been put out of, in this process or an earlier one.
 * They are not joined by themselves. Returns how many there were, or JAB_ESTORE. */
JAB_API int jab_muc_remembered(jab_session *s, jab_muc_room_fn fn, void *arg);

/* Accepts the defaults of a room just created (XEP-0045 10.1.2). JAB_EV_IQ
 * answers. */
JAB_API int jab_muc_unlock(jab_session *s, jab_str room, uint64_t tag);

/* Leaves; JAB_EV_MUC_LEFT confirms. JAB_ESTATE when not in the room. */
JAB_API int jab_muc_leave(jab_session *s, jab_str room, jab_str status);

/* Asks for another nick; JAB_EV_MUC_OCCUPANT or JAB_EV_MUC_ERROR tells. */
JAB_API int jab_muc_nick(jab_session *s, jab_str room, jab_str nick);

/* Sets the subject; empty: none. */
JAB_API int jab_muc_set_subject(jab_session *s, jab_str room, jab_str subject);

/* Whether the room (prepared bare address) is joined, and as whom: absent when
 * not. Valid until the session is next fed. */
JAB_API jab_str jab_muc_own_nick(jab_session *s, jab_str room);

/* Who is in the room, oneself among them, in no order that means something.
 * Valid until the session is next fed. */
JAB_API size_t jab_muc_occupant_count(jab_session *s, jab_str room);
JAB_API const jab_occupant *jab_muc_occupant_at(jab_session *s, jab_str room, size_t i);
JAB_API const jab_occupant *jab_muc_occupant(jab_session *s, jab_str room, jab_str nick);

#ifdef __cplusplus
}
#endif
#endif
