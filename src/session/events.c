/* events.c: the queue of events that the application pulls. */
#include "session/session.h"

#include "base/mem.h"
#include "session/sm.h"

static int grow(jab_session *s)
{
    jabi_event_queue *q = &s->events;
    size_t cap = q->cap ? q->cap * 2 : 8;
    jabi_queued_event *ring = jabi_realloc_array(s->mem, NULL, cap, sizeof *ring);
    if (!ring)
        return JAB_ENOMEM;
    for (size_t i = 0; i < q->n; i++)
        ring[i] = q->ring[(q->first + i) % q->cap];
    jabi_free(s->mem, q->ring);
    q->ring = ring;
    q->cap = cap;
    q->first = 0;
    return 0;
}

/* The memory that a new event shares: the stanza being routed, or its own. */
static jabi_holder *holder_for_event(jab_session *s)
{
    if (!s->current)
        return jabi_holder_get(s);
    s->current->refs++;
    return s->current;
}

jab_event *jabi_event_push(jab_session *s, uint32_t type, uint64_t tag, size_t size)
{
    jabi_event_queue *q = &s->events;
    if (q->n == q->cap && grow(s) < 0)
        return NULL;
    jabi_holder *h = holder_for_event(s);
    void *data = h && size ? jabi_arena_alloc(&h->arena, size) : NULL;
    if (!h || (size && !data)) {
        jabi_holder_unref(s, h);
        return NULL;
    }
    if (size)
        memset(data, 0, size);
    jabi_queued_event *slot = &q->ring[(q->first + q->n++) % q->cap];
    *slot = (jabi_queued_event){
        .event = {.type = type, .tag = tag, .data = data, .stanza = s->routed},
        .holder = h,
        .from = jabi_sm_stamp(s),
    };
    s->emitted = h;
    s->ack_paused |= q->n >= s->cfg.max_events;
    s->owed += type == JAB_EV_MESSAGE;
    /* A stanza that has written nothing yet may do so behind this. */
    if (s->cfg.store && (s->cfg.store->dirty || s->unsaved || s->current))
        s->unsaved++;
    return &slot->event;
}

void jabi_event_take_back(jab_session *s)
{
    jabi_event_queue *q = &s->events;
    jabi_queued_event *slot = &q->ring[(q->first + --q->n) % q->cap];
    s->owed -= slot->event.type == JAB_EV_MESSAGE;
    s->unsaved -= s->unsaved > 0;
    jabi_holder_unref(s, slot->holder);
}

/* That one was delivered is said once, whatever it was read in. */
static int is_of_message(const jab_event *ev)
{
    if (ev->type == JAB_EV_SENT && ((const jab_sent *)ev->data)->state != JAB_SENT_FAILED)
        return 0;
    return ev->type == JAB_EV_MESSAGE || (ev->stanza && jab_stanza_kind(ev->stanza) == JAB_MESSAGE);
}

/* Of the events from this one on, and of this stanza (NULL: any), those of
 * messages. What is not of a message may be told: it is the same when it comes again. */
static void drop_messages(jab_session *s, size_t keep, const jabi_holder *of)
{
    jabi_event_queue *q = &s->events;
    for (size_t i = keep; i < q->n; i++) {
        jabi_queued_event *slot = &q->ring[(q->first + i) % q->cap];
        if (is_of_message(&slot->event) && (!of || slot->holder == of)) {
            s->owed -= s->owed && slot->event.type == JAB_EV_MESSAGE;
            s->unsaved -= s->unsaved > 0; /* those of one stanza are the last */
            jabi_holder_unref(s, slot->holder);
        } else {
            q->ring[(q->first + keep++) % q->cap] = *slot;
        }
    }
    q->n = keep;
}

void jabi_events_drop_unsaved(jab_session *s)
{
    drop_messages(s, s->events.n - (s->unsaved < s->events.n ? s->unsaved : s->events.n), NULL);
}

void jabi_events_drop_of(jab_session *s, const jabi_holder *stanza)
{
    drop_messages(s, 0, stanza);
}

const jab_event *jab_session_next(jab_session *s)
{
    jabi_event_queue *q = &s->events;
    jabi_holder_unref(s, q->shown_holder);
    q->shown_holder = NULL;
    if (q->n == 0 && s->offline_unsaid) {
        s->offline_unsaid = 0;
        q->shown = (jab_event){.type = JAB_EV_OFFLINE, .fault = &s->fault};
        return &q->shown;
    }
    /* A failure ends the stream, and is an event behind these; what the end let go is
     * not committed either. */
    if (q->n && jabi_store_settle(s) < 0)
        (void)jabi_store_settle(s);
    if (q->n == 0) {
        jabi_sm_pulled(s);
        return NULL;
    }
    jabi_queued_event *slot = &q->ring[q->first];
    q->first = (q->first + 1) % q->cap;
    q->n--;
    s->unsaved = s->unsaved < q->n ? s->unsaved : q->n;
    q->shown = slot->event;
    q->shown_holder = slot->holder;
    q->shown_from = slot->from;
    s->pulled += q->shown.type == JAB_EV_MESSAGE;
    return &q->shown;
}

void jabi_events_fini(jab_session *s)
{
    s->ack_owed = 0; /* nobody is told any more that these were taken */
    while (jab_session_next(s))
        continue;
    jabi_free(s->mem, s->events.ring);
    s->events.ring = NULL;
}
