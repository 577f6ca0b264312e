/* test_stream.c: the core against a server or contact that goes to the edges:
 * back-pressure, addresses and ids at their limits, odd stanzas, odd limits. */
#include "peer.h"

#include "base/utf8.h"

static peer e;

static int count_events(uint32_t type)
{
    int n = 0;
    for (const jab_event *ev; (ev = jab_session_next(e.s));)
        n += ev->type == type;
    return n;
}

/* -- Routing ------------------------------------------------------------------ */

static void a_child_without_a_namespace_is_no_second_stanza(void **state)
{
    (void)state;
    peer_online(&e);
    peer_says(&e, "<message from='romeo@example.net/o'><body>once</body><a xmlns=''/>"
                  "<b xmlns=''/></message>");
    assert_int_equal(count_events(JAB_EV_MESSAGE), 1);
    peer_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_without_a_namespace_is_no_second_stanza),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
