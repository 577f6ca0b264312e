/* unit_sasl.h: what the tests of SASL share: known randomness and an exchange. */
#ifndef UNIT_SASL_H
#define UNIT_SASL_H

#include "unit.h"

#include "base/buf.h"
#include "base/mem.h"
#include "sasl/sasl.h"

/* 24 times the same byte: the nonces of every exchange are known. */
static inline int unit_random(void *arg, void *p, size_t n)
{
    (void)arg;
    memset(p, 0x69, n);
    return 0;
}

#define UNIT_NONCE "aWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlp"

static inline jabi_sasl_input unit_input(void)
{
    return (jabi_sasl_input){
        .username = JAB_STR("user"),
        .password = JAB_STR("pencil"),
        .domain = JAB_STR("example.org"),
        .random = unit_random,
    };
}

typedef struct unit_sasl {
    jabi_sasl *x;
    jabi_buf out;
    int has_initial;
    int code; /* of the last call */
} unit_sasl;

/* Begins an exchange; `code` is that of new, or of start. */
static inline void unit_sasl_init(unit_sasl *t, const jab_mem *mem, const jabi_sasl_mech *mech,
                                  const jabi_sasl_input *in, jabi_sasl_cache *cache)
{
    *t = (unit_sasl){.has_initial = -1};
    jabi_buf_init(&t->out, mem, 100000);
    t->out.secret = 1;
    t->code = jabi_sasl_new(&t->x, mem, mech, in, cache);
    if (t->code == 0)
        t->code = jabi_sasl_start(t->x, &t->out, &t->has_initial);
}

static inline void unit_sasl_fini(unit_sasl *t)
{
    jabi_sasl_free(t->x);
    jabi_buf_fini(&t->out);
}

/* A challenge, with all the work that it asks for. Returns the slices of it. */
static inline int unit_sasl_step(unit_sasl *t, jab_str challenge)
{
    int slices = 0;
    jabi_buf_reset(&t->out);
    t->code = jabi_sasl_step(t->x, challenge, &t->out);
    for (; t->code == JABI_SASL_WORK; slices++)
        t->code = jabi_sasl_work(t->x, &t->out);
    return slices;
}

#define UNIT_STEP(t, literal) unit_sasl_step(t, JAB_STR(literal))

#endif
