/* jid_check.h: what the tests of addresses share. */
#ifndef JID_CHECK_H
#define JID_CHECK_H

#include "unit.h"

#include <jabiru/jid.h>

/* Prepares `text`; the prepared form is `expected`, or it is refused (NULL).
 * What was prepared is a fixed point, and its view has the same parts. */
static inline void check(const char *text, const char *expected)
{
    jab_jid jid, again, view;
    jab_jid_buf buf, buf2;
    int err = jab_jid_parse(&jid, jab_cstr(text), &buf);
    if (!expected) {
        if (err != JAB_EJID)
            print_message("accepted: %s\n", text);
        assert_int_equal(err, JAB_EJID);
        assert_null(jid.full.p);
        return;
    }
    if (err)
        print_message("refused: %s\n", text);
    assert_int_equal(err, 0);
    assert_string_equal(buf.bytes, expected);
    assert_str(jid.full, expected);
    assert_int_equal(jab_jid_parse(&again, jid.full, &buf2), 0);
    assert_string_equal(buf2.bytes, expected);
    view = jab_jid_view(jid.full);
    assert_true(jab_str_eq(view.bare, jid.bare) && jab_str_eq(view.local, jid.local));
    assert_true(jab_str_eq(view.domain, jid.domain) && jab_str_eq(view.resource, jid.resource));
}

#endif
