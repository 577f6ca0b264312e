"""The roster: what is changed by jabiru reaches the account's other client as a push, and back."""
import json

from kit.xmpp import ROSTER


def contacts(person, *options):
    """`roster list` as {address: record}."""
    out = person.run("roster", "list", "--json", *options).expect(0).out
    return {r["jid"]: r for r in map(json.loads, out.splitlines())}


def groups(item):
    return sorted(g.text for g in item.findall(ROSTER + "group"))


def test_an_empty_roster(world):
    assert contacts(world.person()) == {}


def test_the_roster_is_fetched(world):
    me = world.person()
    raw = world.raw(me)
    raw.iq("set", "<query xmlns='jabber:iq:roster'><item jid='juliet@capulet.example'"
           " name='\u0414\u0436\u0443\u043b\u044c\u0435\u0442\u0442\u0430 &lt;&amp;&gt; \U0001f98e'>"
           "<group>Friends</group><group>\u0412\u0435\u0440\u043e\u043d\u0430</group></item></query>")
    listed = contacts(me)
    assert set(listed) == {"juliet@capulet.example"}, listed
    juliet = listed["juliet@capulet.example"]
    assert juliet["name"] == "\u0414\u0436\u0443\u043b\u044c\u0435\u0442\u0442\u0430 <&> \U0001f98e"
    assert sorted(juliet["groups"]) == ["Friends", "\u0412\u0435\u0440\u043e\u043d\u0430"]
    assert juliet["subscription"] == "none"


def test_add_rename_regroup_remove(world):
    """The life of a contact, each step seen by the other client."""
    me = world.person()
    raw = world.raw(me)
    nurse = "nurse@capulet.example"
    me.run("roster", "add", nurse, "--name", "Nurse & \u041a\u043e", "--group", "House",
           "--group", "<Staff>", "--no-ask").expect(0)
    item = raw.take_push(nurse, test=lambda i: i.get("name"))
    assert item.get("name") == "Nurse & \u041a\u043e" and groups(item) == ["<Staff>", "House"]

    me.run("roster", "rename", nurse, "Angelica").expect(0)
    item = raw.take_push(nurse)
    assert item.get("name") == "Angelica" and groups(item) == ["<Staff>", "House"], item.attrib

    me.run("roster", "group", nurse, "Garden").expect(0)
    item = raw.take_push(nurse)
    assert item.get("name") == "Angelica" and groups(item) == ["Garden"]

    me.run("roster", "group", nurse).expect(0)
    assert groups(raw.take_push(nurse)) == []

    me.run("roster", "rm", nurse).expect(0)
    assert raw.take_push(nurse).get("subscription") == "remove"
    assert contacts(me) == {}


def test_a_contact_that_does_not_exist_cannot_be_changed(world):
    me = world.person()
    for command in (("rename", "x@y.example", "X"), ("group", "x@y.example", "G")):
        result = me.run("roster", *command)
        assert result.code in (1, 5) and result.err.count("\n") == 1, result


def test_only_a_group_or_the_subscribed(world):
    me = world.person()
    me.run("roster", "add", "a@x.example", "--group", "One", "--no-ask").expect(0)
    me.run("roster", "add", "b@x.example", "--group", "Two", "--no-ask").expect(0)
    assert set(contacts(me, "--group", "Two")) == {"b@x.example"}
    assert contacts(me, "--subscribed") == {}


def test_a_subscription_is_asked_for_and_approved(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    me.run("roster", "add", other.jid).expect(0)
    raw.take_presence(me.jid, "subscribe")
    assert contacts(me)[other.jid]["asked"] is True
    raw.presence(to=me.jid, type="subscribed")
    raw.take_push(me.jid, test=lambda i: i.get("subscription") == "from")
    record = contacts(me)[other.jid]
    assert record["subscription"] == "to" and not record.get("asked"), record


def test_a_subscription_is_denied(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    me.run("roster", "add", other.jid).expect(0)
    raw.take_presence(me.jid, "subscribe")
    raw.presence(to=me.jid, type="unsubscribed")
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    record = contacts(me)[other.jid]
    assert record["subscription"] == "none" and not record.get("asked"), record


def test_a_request_is_seen_and_approved(world):
    """The other side of it: who asks is shown, and let in."""
    me, other = world.person(), world.person()
    raw = world.raw(other)
    watch = me.start("presence", "watch", "--json", "-v")
    watch.error_has("online as")
    raw.presence(to=me.jid, type="subscribe")
    seen = json.loads(watch.line(lambda l: '"subscribe"' in l))
    assert seen["kind"] == "subscribe" and seen["from"]["bare"] == other.jid, seen
    watch.interrupt()
    watch.finish()
    me.run("roster", "approve", other.jid).expect(0)
    raw.take_presence(me.jid, "subscribed")
    assert contacts(me)[other.jid]["subscription"] == "from"
    me.run("roster", "deny", other.jid).expect(0)
    raw.take_presence(me.jid, "unsubscribed")


def test_removing_ends_both_subscriptions(world):
    me, other = world.pair()
    raw = world.raw(other)
    assert contacts(me)[other.jid]["subscription"] == "both"
    me.run("roster", "rm", other.jid).expect(0)
    raw.take_push(me.jid, test=lambda i: i.get("subscription") == "none")


def test_a_large_roster(world):
    me = world.person()
    raw = world.raw(me)
    for n in range(200):
        raw.send("<iq type='set' id='big%d'><query xmlns='jabber:iq:roster'><item jid='c%d@x.example'"
                 " name='Contact %d'><group>G%d</group></item></query></iq>" % (n, n, n, n % 7))
    raw.take(lambda e: e.get("id") == "big199" and e.get("type") == "result", 60)
    assert len(contacts(me)) == 200
