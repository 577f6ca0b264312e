/*
 * history.h: the messages of the account, kept on this machine in the order
 * that the server gives them, each once, however many copies come: live, by
 * carbon (XEP-0280), from an archive (XEP-0313), from offline storage, or from
 * a room's history. It works by itself in a session that has a store (store.h).
 *
 * After a log-in that did not resume, what was missed is fetched from the
 * archive, from where the last time ended: of the own account once the first
 * presence is sent, of a room once it is joined. These messages are JAB_EV_MESSAGE,
 * too, with JAB_VIA_ARCHIVE; a live one that arrives meanwhile waits for its
 * place. A copy of a message that is there already is no event. Carbons are
 * switched on.
 *
 * Read what is kept with jab_store_read() and jab_store_search().
 */
#ifndef JABIRU_HISTORY_H
#define JABIRU_HISTORY_H

#include <jabiru/session.h>
#include <jabiru/store.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JAB_EV_SYNCED = JAB_EV(313, 2),  /* data: jab_synced */
    JAB_EV_HISTORY = JAB_EV(313, 3), /* data: jab_history; the tag of jab_history_more() */
};

/* An archive has been caught up with, or could not be. */
typedef struct jab_synced {
    int error;                /* 0; JAB_ESTANZA, JAB_EUNSUPPORTED: there is no archive; or as in
                               * jab_iq_reply, and it is tried again */
    jab_stanza_error refusal; /* with JAB_ESTANZA */
    jab_str archive;          /* whose, bare */
    uint32_t added;           /* messages that were new here */
    int has_gap;              /* 1: the archive no longer reaches back to where the last time
                               * ended; something may be missing in between */
} jab_synced;

/* The answer to jab_history_more(). */
typedef struct jab_history {
    int error; /* 0, or as in jab_iq_reply */
    jab_stanza_error refusal;
    jab_str conversation;
    uint32_t added; /* messages that were new here: read them from the store */
    int complete;   /* 1: the archive has nothing older */
} jab_history;

/*
 * Fetches about `n` older messages of a conversation from the archive into the
 * store: first from the latest gap, then from before the oldest message kept.
 * They are no JAB_EV_MESSAGE. Returns 0, and JAB_EV_HISTORY with the tag
 * follows; JAB_ESTATE without a store; JAB_EAGAIN while another such request
 * is open; else what jab_out_send() returns.
 */
JAB_API int jab_history_more(jab_session *s, jab_str conversation, unsigned n, uint64_t tag);

/*
 * Catches up with the own archive now, as the first presence does by itself: for a program that
 * only looks, and tells nobody that it is there. JAB_EV_SYNCED ends it. Returns
 * 0; JAB_ESTATE without a store; JAB_EOFFLINE; JAB_EUNSUPPORTED when the
 * server is known to have no archive.
 */
JAB_API int jab_history_catch_up(jab_session *s);

/* Whether all of the archive's messages of this conversation between the
 * oldest one kept and the newest are kept, too: 1; 0 when there is a gap. */
JAB_API int jab_history_is_whole(jab_session *s, jab_str conversation);

#ifdef __cplusplus
}
#endif
#endif
