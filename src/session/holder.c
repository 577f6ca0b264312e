/* holder.c: the memory of stanzas and events, counted and reused. */
#include "session/session.h"

#include "base/mem.h"

/* A tree of the smallest elements, "<a/>", takes 28 times its bytes. */
#define ARENA_PER_BYTE   32
#define ARENA_FREE_BYTES (256 * 1024)

jabi_holder *jabi_holder_get(jab_session *s)
{
    jabi_holder *h = s->spare;
    if (h) {
        s->spare = h->next;
        s->n_spare--;
    } else {
        h = jabi_alloc0(s->mem, sizeof *h);
        if (!h)
            return NULL;
        jabi_arena_init(&h->arena, s->mem,
                        s->cfg.max_stanza_bytes * ARENA_PER_BYTE + ARENA_FREE_BYTES);
    }
    h->refs = 1;
    return h;
}

static void destroy(jab_session *s, jabi_holder *h)
{
    jabi_arena_fini(&h->arena);
    jabi_free(s->mem, h);
}

void jabi_holder_unref(jab_session *s, jabi_holder *h)
{
    if (!h || --h->refs > 0)
        return;
    s->held_bytes -= h->held;
    h->held = 0;
    if (s->n_spare >= JABI_SPARE_HOLDERS) {
        destroy(s, h);
        return;
    }
    jabi_arena_reset(&h->arena, JABI_HOLDER_KEEP);
    h->next = s->spare;
    s->spare = h;
    s->n_spare++;
}

void jabi_holders_fini(jab_session *s)
{
    while (s->spare) {
        jabi_holder *next = s->spare->next;
        destroy(s, s->spare);
        s->spare = next;
    }
    s->n_spare = 0;
}
