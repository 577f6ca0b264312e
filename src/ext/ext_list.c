/* ext_list.c: the table of the built-in extensions. */
#include "ext/ext.h"

#define JABI_EXT(name) &jabi_ext_##name,
static const jab_ext *const builtin[] = {
#include "ext/ext_list.h"
};
#undef JABI_EXT

const jab_ext *const *jabi_ext_builtin(size_t *n)
{
    *n = sizeof builtin / sizeof builtin[0];
    return builtin;
}
