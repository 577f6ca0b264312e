/*
 * mam.h: message archives (XEP-0313), of the own account and of rooms. The
 * messages found arrive as JAB_EV_MESSAGE, with JAB_VIA_ARCHIVE among the
 * flags and the time they were sent; JAB_EV_MAM_FIN ends the page.
 *
 * Messages are believed only from the archive that was asked, while the
 * question is open; those of a room's archive only if they are the room's.
 */
#ifndef JABIRU_MAM_H
#define JABIRU_MAM_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JAB_MAM_QUERIES_MAX 16 /* open at a time */

enum {
    JAB_EV_MAM_FIN = JAB_EV(313, 1), /* data: jab_mam_fin */
};

/* What to look for; absent or 0 leaves a condition out. Write
 * JAB_MAM_QUERY(.max = 50, .with = ...). */
typedef struct jab_mam_query {
    size_t size;
    jab_str archive; /* a room's bare address; absent: the own archive */
    jab_str with;    /* only messages to or from this address */
    int64_t start;   /* ms since 1970: at or after */
    int64_t end;     /* at or before */
    jab_str after;   /* the page after this archive id */
    jab_str before;  /* the page before this archive id; present and empty: the last page */
    unsigned max;    /* messages in the page; 0: as the server likes */
} jab_mam_query;
#define JAB_MAM_QUERY(...) (&(const jab_mam_query){.size = sizeof(jab_mam_query), __VA_ARGS__})

/* The page is complete, or there is none. */
typedef struct jab_mam_fin {
    int error;                /* 0, or as in jab_iq_reply */
    jab_stanza_error refusal; /* with JAB_ESTANZA; "item-not-found": an id is not in the archive */
    jab_str archive;          /* whose, bare */
    int complete;             /* 1: nothing more in this direction */
    int unstable;             /* 1: the archive may still change what it just told */
    jab_str first, last;      /* archive ids of the page's ends, absent when it is empty */
    uint64_t count;           /* messages that fit the query, 0 when unknown */
    uint32_t found;           /* messages that arrived */
} jab_mam_fin;

/* Asks for a page. The event carries the tag. JAB_EAGAIN when
 * JAB_MAM_QUERIES_MAX are open; else what jab_out_send() returns. */
JAB_API int jab_mam_ask(jab_session *s, const jab_mam_query *q, uint64_t tag);

/* Where in which archive a message is. */
typedef struct jab_mam_place {
    jab_str archive; /* bare address */
    jab_str id;      /* to continue from, and equal to a trusted XEP-0359 id */
} jab_mam_place;

/* Of a stanza that came with JAB_VIA_ARCHIVE, while its event is valid (what
 * jab_stanza_keep() returns has no place any more): 1 and *place, else 0. */
JAB_API int jab_mam_place_of(jab_session *s, const jab_stanza *st, jab_mam_place *place);

#ifdef __cplusplus
}
#endif
#endif
