/* system.h: the defaults for what a configuration leaves out. */
#ifndef JABI_SYSTEM_H
#define JABI_SYSTEM_H

#include <jabiru/base.h>

/* The system's randomness, through OpenSSL; a jab_random_fn. */
int jabi_random_default(void *arg, void *p, size_t n);

/* The system's clock; a jab_wall_fn. */
int64_t jabi_wall_default(void *arg);

#endif
