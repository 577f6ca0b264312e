/* test_server_talk.c: the model server's rosters, messages, carbons, archives and rooms. */
#include "server_try.h"

static void begin(try_world *w, sim_server_options *o)
{
    sim_server_defaults(o);
    try_world_init(w, o);
}

static void keeps_rosters(void **state)
{
    (void)state;
    char version[200], xml[300];
    sim_server_options o;
    try_world w;
    begin(&w, &o);
    sim_conn *anna = try_join(&w, "anna", "x");
    try_say(&w, anna, "<iq type='get' id='1'><query xmlns='jabber:iq:roster' ver=''/></iq>");
    try_has(&w, "<item jid='bert@example.com' subscription='both'></item>");
    try_value(&w, " ver='", version);
    snprintf(xml, sizeof xml,
             "<iq type='get' id='2'><query xmlns='jabber:iq:roster' ver='%s'/></iq>", version);
    try_say(&w, anna, xml);
    assert_string_equal(w.said, "<iq type='result' to='anna@example.com/x' id='2'/>");
    try_say(&w, anna,
            "<iq type='set' id='3'><query xmlns='jabber:iq:roster'><item jid='c@far.example' "
            "name='C &amp; D'><group>G</group></item></query></iq>");
    try_has(&w, "<iq type='set' to='anna@example.com/x' id='");
    try_has(&w, "subscription='none' name='C &amp; D'><group>G</group></item>");
    try_has(&w, "<iq type='result' to='anna@example.com/x' id='3'/>");
    snprintf(xml, sizeof xml,
             "<iq type='get' id='4'><query xmlns='jabber:iq:roster' ver='%s'/></iq>", version);
    try_say(&w, anna, xml);
    try_has(&w, "<item jid='c@far.example'");
    try_say(&w, anna,
            "<iq type='set' id='5'><query xmlns='jabber:iq:roster'><item jid='c@far.example' "
            "subscription='remove'/></query></iq>");
    try_has(&w, "subscription='remove'");
    try_no_violations(&w);
    try_world_fini(&w);
}

static void tells_presence(void **state)
{
    (void)state;
    sim_server_options o;
    try_world w;
    begin(&w, &o);
    sim_conn *anna = try_join(&w, "anna", "x");
    sim_conn *bert = try_join(&w, "bert", "y");
    try_has(&w, "<presence from='anna@example.com/x' to='bert@example.com/y'></presence>");
    try_take(&w, anna);
    try_has(&w, "<presence from='bert@example.com/y' to='anna@example.com/x'></presence>");
    try_say(&w, bert, "<presence type='unavailable'/></stream:stream>");
    try_take(&w, anna);
    assert_int_equal(try_times(&w, "type='unavailable'"), 1);
    try_no_violations(&w);
    try_world_fini(&w);
}

static void subscribes(void **state)
{
    (void)state;
    sim_server_options o;
    try_world w;
    begin(&w, &o);
    sim_server_add_account(w.server, "berta@example.com", "two");
    sim_conn *anna = try_join(&w, "anna", "x");
    try_say(&w, anna,
            "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>"
            "<presence to='berta@example.com' type='subscribe'/>");
    try_has(&w, "<item jid='berta@example.com' subscription='none' ask='subscribe'></item>");
    try_no_violations(&w);
    try_world_fini(&w);
}

static void routes_and_copies(void **state)
{
    (void)state;
    char xml[200];
    sim_server_options o;
    try_world w;
    begin(&w, &o);
    sim_conn *anna = try_join(&w, "anna", "x");
    sim_conn *other = try_join(&w, "anna", "z");
    sim_conn *bert = try_join(&w, "bert", "y");
    sim_conn *silent = try_bind(&w, "bert", "s");
    try_say(&w, other, "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
    try_say(&w, silent, "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
    try_take(&w, bert);
    try_say(&w, anna,
            "<message to='bert@example.com' type='chat' id='m' xml:lang='en'><body>a&lt;b</body>"
            "<stanza-id xmlns='urn:xmpp:sid:0' by='bert@example.com' id='forged'/>"
            "<origin-id xmlns='urn:xmpp:sid:0' id='m'/></message>");
    try_take(&w, bert);
    const sim_entry *e = sim_server_archive_entry(w.server, "bert@example.com", 0);
    try_has(&w, "<message from='anna@example.com/x' to='bert@example.com' type='chat' id='m' "
                "xml:lang='en'><body>a&lt;b</body><origin-id xmlns='urn:xmpp:sid:0' id='m'/>");
    snprintf(xml, sizeof xml,
             "<stanza-id xmlns='urn:xmpp:sid:0' by='bert@example.com' id='%s'/></message>", e->id);
    try_has(&w, xml);
    try_lacks(&w, "forged");
    try_take(&w, other);
    try_has(&w, "<message from='anna@example.com' to='anna@example.com/z' type='chat'><sent "
                "xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message "
                "xmlns='jabber:client' from='anna@example.com/x'");
    try_has(&w, "by='anna@example.com'");
    try_take(&w, silent);
    try_has(&w, "<received xmlns='urn:xmpp:carbons:2'>");
    const sim_message *m = sim_server_message(w.server, 0);
    assert_string_equal(m->body, "a<b");
    assert_string_equal(m->origin_id, "m");
    assert_int_equal(m->routed, 1);
    assert_int_equal(m->archived, 2);
    try_say(&w, anna,
            "<message to='bert@example.com/y' type='chat'><body>p</body>"
            "<private xmlns='urn:xmpp:carbons:2'/></message>");
    assert_string_equal(try_take(&w, other), "");
    assert_string_equal(try_take(&w, silent), "");
    try_take(&w, bert);
    try_has(&w, "<body>p</body>");
    try_no_violations(&w);
    try_world_fini(&w);
}

static void keeps_offline(void **state)
{
    (void)state;
    sim_server_options o;
    try_world w;
    sim_server_defaults(&o);
    o.archive = false;
    try_world_init(&w, &o);
    sim_conn *anna = try_join(&w, "anna", "x");
    w.now = 1500;
    try_say(&w, anna,
            "<message to='bert@example.com' id='1'><body>1</body></message>"
            "<message to='bert@example.com' type='chat' id='2'><active "
            "xmlns='http://jabber.org/protocol/chatstates'/></message>");
    assert_int_equal(sim_server_offline_size(w.server, "bert@example.com"), 1);
    try_join(&w, "bert", "y");
    try_has(&w, "<body>1</body><delay xmlns='urn:xmpp:delay' from='example.com' "
                "stamp='2026-01-01T00:00:01.500Z'/></message>");
    try_lacks(&w, "stanza-id");
    assert_int_equal(sim_server_offline_size(w.server, "bert@example.com"), 0);
    try_no_violations(&w);
    try_world_fini(&w);
}

static const struct {
    const char *xml, *answer;
} bounces[] = {
    {"<message to='nobody@example.com' id='1'><body>1</body></message>",
     "<message from='nobody@example.com' to='anna@example.com/x' type='error' id='1'><error "
     "type='cancel'><service-unavailable "},
    {"<message to='bert@example.com/gone' id='1'><body>1</body></message>", "service-unavailable"},
    {"<message to='bert@example.com' type='groupchat'><body>1</body></message>",
     "service-unavailable"},
    {"<message to='room@rooms.example.com' type='groupchat'><body>1</body></message>",
     "item-not-found"},
    {"<iq type='get' id='1' to='bert@example.com/gone'><ping xmlns='urn:xmpp:ping'/></iq>",
     "<iq type='error' to='anna@example.com/x' id='1' from='bert@example.com/gone'>"},
    {"<iq type='get' id='1'><query xmlns='jabber:iq:odd'/></iq>", "service-unavailable"},
    {"<message to='far@far.example'><body>1</body></message>", "remote-server-not-found"},
};

static void sends_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bounces / sizeof *bounces; i++) {
        sim_server_options o;
        try_world w;
        sim_server_defaults(&o);
        o.bounce_remote = true;
        try_world_init(&w, &o);
        sim_conn *anna = try_join(&w, "anna", "x");
        try_say(&w, anna, bounces[i].xml);
        try_has(&w, bounces[i].answer);
        try_no_violations(&w);
        try_world_fini(&w);
    }
}

/* What bert's session never acknowledged, when it ends: `unacked` says. */
static void treats_unacknowledged(void **state)
{
    (void)state;
    for (int how = SIM_UNACKED_AGAIN; how <= SIM_UNACKED_DROP; how++) {
        sim_server_options o;
        try_world w;
        sim_server_defaults(&o);
        o.unacked = (sim_unacked)how;
        o.offline_and_archive = true;
        try_world_init(&w, &o);
        sim_conn *anna = try_join(&w, "anna", "x");
        sim_conn *bert = try_join(&w, "bert", "y");
        try_say(&w, anna,
                "<message to='bert@example.com' type='chat' id='1'><body>1</body></message>");
        sim_conn_cut(bert, 10);
        sim_server_tick(w.server, 400000);
        assert_int_equal(sim_server_offline_size(w.server, "bert@example.com"),
                         how == SIM_UNACKED_AGAIN);
        try_take(&w, anna);
        assert_int_equal(try_times(&w, "<recipient-unavailable "), how == SIM_UNACKED_BOUNCE);
        try_no_violations(&w);
        try_world_fini(&w);
    }
}

/* Five messages of anna's to bert, ids 1 to 5, one a second. */
static sim_conn *with_archive(try_world *w, const char **ids)
{
    char xml[200];
    sim_conn *anna = try_join(w, "anna", "x");
    for (int i = 0; i < 5; i++) {
        w->now = (i + 1) * 1000;
        snprintf(xml, sizeof xml,
                 "<message to='bert@example.com' type='chat' id='%d'><body>b%d</body></message>",
                 i + 1, i + 1);
        try_say(w, anna, xml);
        ids[i] = sim_server_archive_entry(w->server, "anna@example.com", (size_t)i)->id;
    }
    return anna;
}

/* Asks for a page; q is what is within <query/>. */
static void ask(try_world *w, sim_conn *conn, const char *q)
{
    static unsigned number;
    char xml[800];
    snprintf(xml, sizeof xml,
             "<iq type='set' id='q%u'><query xmlns='urn:xmpp:mam:2' queryid='f'>%s</query></iq>",
             ++number, q);
    try_say(w, conn, xml);
}

#define SET(inner) "<set xmlns='http://jabber.org/protocol/rsm'>" inner "</set>"
#define FORM(var, value)                                                                           \
    "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value>"  \
    "</field><field var='" var "'><value>" value "</value></field></x>"

/* The page is of these messages, in this order ("b2b3"), and complete or not. */
static void page_is(const try_world *w, const char *bodies, bool complete)
{
    char found[100] = "";
    for (const char *at = w->said; (at = strstr(at, "<body>")) != NULL; at++)
        strncat(found, at + 6, 2);
    assert_string_equal(found, bodies);
    assert_int_equal(try_times(w, "complete='true'"), complete);
    assert_int_equal(try_times(w, "<result xmlns='urn:xmpp:mam:2' id='"), strlen(bodies) / 2);
}

static void pages_through_an_archive(void **state)
{
    (void)state;
    const char *ids[5];
    char q[400];
    sim_server_options o;
    try_world w;
    begin(&w, &o);
    sim_conn *anna = with_archive(&w, ids);
    ask(&w, anna, "");
    page_is(&w, "b1b2b3b4b5", true);
    try_has(&w, "queryid='f'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' "
                "stamp='2026-01-01T00:00:01.000Z'/><message xmlns='jabber:client' "
                "from='anna@example.com/x' to='bert@example.com' type='chat' id='1'>");
    try_has(&w, "<count>5</count>");
    ask(&w, anna, SET("<max>2</max>"));
    page_is(&w, "b1b2", false);
    snprintf(q, sizeof q, "<first index='0'>%s</first><last>%s</last>", ids[0], ids[1]);
    try_has(&w, q);
    snprintf(q, sizeof q, SET("<max>3</max><after>%s</after>"), ids[1]);
    ask(&w, anna, q);
    page_is(&w, "b3b4b5", true);
    ask(&w, anna, SET("<max>2</max><before/>"));
    page_is(&w, "b4b5", false);
    snprintf(q, sizeof q, SET("<max>9</max><before>%s</before>"), ids[3]);
    ask(&w, anna, q);
    page_is(&w, "b1b2b3", true);
    snprintf(q, sizeof q, SET("<after>%s</after>"), ids[4]);
    ask(&w, anna, q);
    page_is(&w, "", true);
    try_lacks(&w, "<first");
    ask(&w, anna, SET("<max>0</max>"));
    page_is(&w, "", false);
    try_has(&w, "<count>5</count>");
    snprintf(q, sizeof q, SET("<max>2</max><before/>") "<flip-page/>");
    ask(&w, anna, q);
    page_is(&w, "b5b4", false);
    try_no_violations(&w);
    try_world_fini(&w);
}

static void filters_an_archive(void **state)
{
    (void)state;
    const char *ids[5];
    sim_server_options o;
    try_world w;
    begin(&w, &o);
    sim_conn *anna = with_archive(&w, ids);
    ask(&w, anna, FORM("with", "bert@example.com"));
    page_is(&w, "b1b2b3b4b5", true);
    ask(&w, anna, FORM("with", "anna@example.com"));
    page_is(&w, "", true);
    ask(&w, anna, FORM("start", "2026-01-01T00:00:04Z"));
    page_is(&w, "b4b5", true);
    ask(&w, anna, FORM("end", "2026-01-01T01:00:02.000+01:00"));
    page_is(&w, "b1b2", true);
    try_no_violations(&w);
    ask(&w, anna, FORM("odd", "1"));
    try_has(&w, "<feature-not-implemented ");
    try_one_violation(&w, "feature-not-implemented");
    try_world_fini(&w);
}

static void forgets_and_limits(void **state)
{
    (void)state;
    const char *ids[5];
    char q[400];
    sim_server_options o;
    try_world w;
    sim_server_defaults(&o);
    o.page_max = 2;
    try_world_init(&w, &o);
    sim_conn *anna = with_archive(&w, ids);
    ask(&w, anna, SET("<max>100</max>"));
    page_is(&w, "b1b2", false);
    sim_server_trim_archive(w.server, "anna@example.com", 2);
    assert_true(sim_server_archive_entry(w.server, "anna@example.com", 2)->trimmed);
    ask(&w, anna, "");
    page_is(&w, "b4b5", true);
    snprintf(q, sizeof q, SET("<after>%s</after>"), ids[2]);
    ask(&w, anna, q);
    try_has(&w, "<item-not-found ");
    page_is(&w, "", false);
    try_no_violations(&w);
    try_world_fini(&w);
}

/* What the archives take: not chat states, not what asks not to be kept, oneself once. */
static void archives_what_it_should(void **state)
{
    (void)state;
    sim_server_options o;
    try_world w;
    begin(&w, &o);
    sim_conn *anna = try_join(&w, "anna", "x");
    try_say(
        &w, anna,
        "<message to='bert@example.com' type='chat'><composing "
        "xmlns='http://jabber.org/protocol/chatstates'/></message>"
        "<message to='bert@example.com'><body>1</body><no-store xmlns='urn:xmpp:hints'/>"
        "</message><message to='bert@example.com' type='headline'><body>1</body></message>"
        "<message to='bert@example.com' type='error'><body>1</body></message>"
        "<message to='bert@example.com'><received xmlns='urn:xmpp:receipts' id='1'/></message>");
    assert_int_equal(sim_server_archive_size(w.server, "anna@example.com"), 0);
    try_say(&w, anna, "<message id='s' type='chat'><body>self</body></message>");
    assert_int_equal(sim_server_archive_size(w.server, "anna@example.com"), 1);
    assert_int_equal(try_times(&w, "<body>self</body>"), 1);
    try_say(&w, anna,
            "<message to='bert@example.com'><received xmlns='urn:xmpp:receipts' id='1'/>"
            "<store xmlns='urn:xmpp:hints'/></message>");
    assert_int_equal(sim_server_archive_size(w.server, "bert@example.com"), 1);
    try_no_violations(&w);
    try_world_fini(&w);
}

#define ROOM "room@rooms.example.com"
#define JOIN(nick, inner)                                                                          \
    "<presence to='" ROOM "/" nick "'><x xmlns='http://jabber.org/protocol/muc'>" inner            \
    "</x></presence>"

static void talks_in_rooms(void **state)
{
    (void)state;
    char xml[300];
    sim_server_options o;
    try_world w;
    begin(&w, &o);
    sim_conn *anna = try_join(&w, "anna", "x");
    sim_conn *bert = try_join(&w, "bert", "y");
    try_say(&w, anna, JOIN("a", ""));
    try_has(&w, "<presence from='" ROOM "/a' to='anna@example.com/x'>");
    try_has(&w, "<status code='110'/><status code='201'/>");
    try_has(&w, "<subject></subject>");
    try_say(&w, anna,
            "<message to='" ROOM "' type='groupchat' id='1'><body>old</body></message>"
            "<message to='" ROOM "' type='groupchat' id='2'><body>new</body></message>"
            "<message to='" ROOM "' type='groupchat' id='3'><subject>S</subject></message>");
    snprintf(xml, sizeof xml, "by='" ROOM "' id='%s'/></message>",
             sim_server_archive_entry(w.server, ROOM, 0)->id);
    try_has(&w, xml);
    try_has(&w, "<message from='" ROOM "/a' to='anna@example.com/x' type='groupchat' id='1'>");
    try_say(&w, bert, JOIN("a", ""));
    try_has(&w, "<conflict ");
    w.now = 2000;
    try_say(&w, bert, JOIN("b", "<history maxstanzas='1'/>"));
    try_lacks(&w, "<body>old</body>");
    try_has(&w, "<delay xmlns='urn:xmpp:delay' from='" ROOM "' stamp='2026-01-01T00:00:00.000Z'/>");
    const char *other = strstr(w.said, "from='" ROOM "/a'"), *own = strstr(w.said, "'110'");
    const char *said = strstr(w.said, "<body>new"), *subject = strstr(w.said, "<subject>S<");
    assert_true(other && own && said && subject);
    assert_true(other < own && own < said && said < subject);
    assert_int_equal(sim_server_archive_size(w.server, ROOM), 2);
    assert_int_equal(sim_server_archive_size(w.server, "anna@example.com"), 0);
    try_say(&w, bert, "<iq type='set' id='q' to='" ROOM "'><query xmlns='urn:xmpp:mam:2'/></iq>");
    try_has(&w, "<message to='bert@example.com/y' from='" ROOM "'><result ");
    try_has(&w, "<message xmlns='jabber:client' from='" ROOM "/a' type='groupchat' id='1'>");
    try_no_violations(&w);
    try_world_fini(&w);
}

static void leaves_rooms(void **state)
{
    (void)state;
    sim_server_options o;
    try_world w;
    begin(&w, &o);
    sim_conn *anna = try_join(&w, "anna", "x");
    sim_conn *bert = try_join(&w, "bert", "y");
    try_say(&w, anna, JOIN("a", ""));
    try_say(&w, bert, JOIN("b", "<history maxchars='0'/>"));
    try_take(&w, anna);
    sim_conn_cut(bert, 10); /* hibernating: still in */
    assert_true(sim_server_in_room(w.server, ROOM, "bert@example.com/y"));
    sim_server_tick(w.server, 300010);
    assert_false(sim_server_in_room(w.server, ROOM, "bert@example.com/y"));
    try_take(&w, anna);
    try_has(&w, "<presence from='" ROOM "/b' to='anna@example.com/x' type='unavailable'>");
    try_say(&w, anna, "<iq type='get' id='p' to='" ROOM "/a'><ping xmlns='urn:xmpp:ping'/></iq>");
    try_has(&w, "type='result'");
    try_say(&w, anna, "<presence to='" ROOM "/a' type='unavailable'/>");
    try_has(&w, "<item affiliation='member' role='none'/><status code='110'/>");
    try_say(&w, anna, "<iq type='get' id='r' to='" ROOM "/a'><ping xmlns='urn:xmpp:ping'/></iq>");
    try_has(&w, "<not-acceptable ");
    try_no_violations(&w);
    try_world_fini(&w);
}

static void tells_what_it_can(void **state)
{
    (void)state;
    sim_server_options o;
    try_world w;
    begin(&w, &o);
    sim_conn *anna = try_bind(&w, "anna", "x");
    try_say(&w, anna,
            "<iq type='get' id='1' to='example.com'><query "
            "xmlns='http://jabber.org/protocol/disco#info'/></iq>");
    try_has(&w, "<feature var='urn:xmpp:carbons:2'/>");
    try_lacks(&w, "mam");
    try_say(&w, anna,
            "<iq type='get' id='2' to='anna@example.com'><query "
            "xmlns='http://jabber.org/protocol/disco#info'/></iq>");
    try_has(&w, "<feature var='urn:xmpp:mam:2'/>");
    try_has(&w, "<feature var='urn:xmpp:sid:0'/>");
    try_has(&w, "from='anna@example.com'");
    try_say(&w, anna,
            "<iq type='get' id='3' to='example.com'><query "
            "xmlns='http://jabber.org/protocol/disco#items'/></iq>");
    try_has(&w, "<item jid='rooms.example.com'/>");
    try_no_violations(&w);
    try_world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_rosters),
        cmocka_unit_test(tells_presence),
        cmocka_unit_test(subscribes),
        cmocka_unit_test(routes_and_copies),
        cmocka_unit_test(keeps_offline),
        cmocka_unit_test(sends_back),
        cmocka_unit_test(treats_unacknowledged),
        cmocka_unit_test(pages_through_an_archive),
        cmocka_unit_test(filters_an_archive),
        cmocka_unit_test(forgets_and_limits),
        cmocka_unit_test(archives_what_it_should),
        cmocka_unit_test(talks_in_rooms),
        cmocka_unit_test(leaves_rooms),
        cmocka_unit_test(tells_what_it_can),
    };
    return cmocka_run_group_tests_name("server_talk", tests, NULL, NULL);
}
