/* timer.c: deadlines in a pairing heap, without recursion. */
#include "net/timer.h"

static jabi_timer *merge(jabi_timer *a, jabi_timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->at < a->at) {
        jabi_timer *sooner = b;
        b = a;
        a = sooner;
    }
    b->prev = a;
    b->next = a->child;
    if (a->child)
        a->child->prev = b;
    a->child = b;
    a->next = NULL;
    a->prev = NULL;
    return a;
}

/* Merges a list of siblings in pairs, then the pairs from right to left: the
 * two passes are what keeps the amortised cost logarithmic. */
static jabi_timer *merge_siblings(jabi_timer *list)
{
    jabi_timer *pairs = NULL;
    while (list) {
        jabi_timer *a = list, *b = list->next;
        list = b ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b)
            b->next = b->prev = NULL;
        a = merge(a, b);
        a->next = pairs;
        pairs = a;
    }
    jabi_timer *root = NULL;
    while (pairs) {
        jabi_timer *rest = pairs->next;
        pairs->next = NULL;
        root = merge(root, pairs);
        pairs = rest;
    }
    return root;
}

void jabi_timer_stop(jabi_timers *heap, jabi_timer *t)
{
    if (!t->queued)
        return;
    jabi_timer *orphans = merge_siblings(t->child);
    if (t == heap->root) {
        heap->root = orphans;
    } else {
        if (t->prev->child == t)
            t->prev->child = t->next;
        else
            t->prev->next = t->next;
        if (t->next)
            t->next->prev = t->prev;
        heap->root = merge(heap->root, orphans);
    }
    t->child = t->next = t->prev = NULL;
    t->queued = 0;
}

void jabi_timer_set(jabi_timers *heap, jabi_timer *t, int64_t at)
{
    if (t->queued && t->at == at)
        return;
    jabi_timer_stop(heap, t);
    if (at == JAB_NEVER)
        return;
    t->at = at;
    t->queued = 1;
    heap->root = merge(heap->root, t);
}

int64_t jabi_timers_next(const jabi_timers *heap)
{
    return heap->root ? heap->root->at : JAB_NEVER;
}

jabi_timer *jabi_timers_due(jabi_timers *heap, int64_t now)
{
    jabi_timer *t = heap->root;
    if (!t || t->at > now)
        return NULL;
    jabi_timer_stop(heap, t);
    return t;
}
