/* scope.h: which namespaces are in scope (Namespaces in XML 1.0). Internal to the parser. */
#ifndef JABI_XML_SCOPE_H
#define JABI_XML_SCOPE_H

#include "xml/tree.h"

/* `xmlns="..."` in the tag of the newest level. */
jabi_xml_fault jabi_scope_set_default(jabi_tree_level *level, jab_str ns);

/* `xmlns:prefix="..."` in the tag of the newest level. */
jabi_xml_fault jabi_scope_declare(jabi_tree *t, jab_str prefix, jab_str ns);

/* The namespace of a prefix, in the arena or static. */
jabi_xml_fault jabi_scope_find(jabi_tree *t, jab_str prefix, jab_str *ns);

/* Gives the attributes that have prefixes their namespaces and local names, and looks for
 * two that have become the same. */
jabi_xml_fault jabi_scope_resolve(jabi_tree *t, jab_xml *el);

/* Copies what later elements need of the stream's tag, which is the only level. */
jabi_xml_fault jabi_scope_keep_stream(jabi_tree *t);

#endif
