"""Version, ping, disco and raw queries: asked by jabiru, and asked of it."""
import json
import re

from kit.tap import rows

PING = "<ping xmlns='urn:xmpp:ping'/>"
NAMESPACES = {"info": "{http://jabber.org/protocol/disco#info}", "version": "{jabber:iq:version}"}


def records(person, *command):
    return [json.loads(line) for line in person.run(*command, "--json").expect(0).out.splitlines()]


def test_ping_the_server(world):
    me = world.person()
    pong, = records(me, "ping")
    assert pong["type"] == "pong" and 0 <= pong["ms"] < 10000, pong


def test_ping_several_times(world):
    stats = records(world.person(), "ping", "localhost", "-c", "3", "-i", "0.1", "--stats")[-1]
    assert (stats["sent"], stats["received"]) == (3, 3), stats


def test_ping_a_client(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    raw.answers["{urn:xmpp:ping}ping"] = ""
    pong, = records(me, "ping", raw.jid)
    assert pong["from"] == raw.jid, pong


def test_ping_nobody(world):
    result = world.person().run("ping", "no-such-user@localhost/x").expect(5)
    assert result.err.count("\n") == 1, result


def test_version_of_the_server(world):
    record, = records(world.person(), "version", "localhost")
    assert record["name"].lower() == world.server.name and record["version"], record


def test_version_of_a_client(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    raw.answers["{jabber:iq:version}query"] = ("<query xmlns='jabber:iq:version'><name>\u0420\u0430\u0432 &amp; &lt;1&gt;"
                                               "</name><version>1.\u03b2</version><os>CP/M</os></query>")
    record, = records(me, "version", raw.jid)
    assert (record["name"], record["version"], record["os"]) == ("\u0420\u0430\u0432 & <1>", "1.\u03b2", "CP/M"), record


def test_disco_of_the_server(world):
    found = records(world.person(), "disco", "localhost")
    assert any(r["type"] == "identity" and (r["category"], r["kind"]) == ("server", "im") for r in found), found
    assert any(r["type"] == "feature" and r["var"] == "jabber:iq:version" for r in found)
    assert any(r["type"] == "item" and r["jid"] == world.server.rooms for r in found)


def test_features_one_per_line(world):
    out = world.person().run("disco", "localhost", "--features").expect(0).out
    assert "urn:xmpp:ping" in out.splitlines(), out


def test_disco_of_nobody(world):
    world.person().run("disco", "no-such-user@localhost/x").expect(5)


def test_a_raw_query(world):
    out = world.person().run("iq", "get", "localhost", "<query xmlns='jabber:iq:version'/>").expect(0).out
    assert re.search(r"<name>(Prosody|ejabberd)</name>", out), out


def test_a_raw_query_that_is_refused(world):
    result = world.person().run("iq", "get", "localhost", "<query xmlns='no:such:thing'/>").expect(5)
    assert "service-unavailable" in result.err or "feature-not-implemented" in result.err, result


def test_a_raw_query_that_is_no_xml(world):
    world.person().run("iq", "get", "localhost", "<query xmlns='x'>").expect(2)


def asked(world, payload):
    """The reply of a listening jabiru."""
    me, other = world.pair()
    raw = world.raw(other)
    listen = me.start("listen")
    full = raw.take_presence(me.jid).get("from")
    reply = raw.iq("get", payload, to=full)
    listen.interrupt()
    listen.finish()
    return reply


def test_jabiru_answers_a_ping(world):
    assert asked(world, PING).get("type") == "result"


def test_jabiru_tells_its_version(world):
    reply = asked(world, "<query xmlns='jabber:iq:version'/>")
    assert reply[0].findtext(NAMESPACES["version"] + "name") == "jabiru"
    assert re.match(r"\d+\.\d+", reply[0].findtext(NAMESPACES["version"] + "version"))


def test_jabiru_tells_what_it_can(world):
    reply = asked(world, "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    features = {f.get("var") for f in reply[0].findall(NAMESPACES["info"] + "feature")}
    assert {"http://jabber.org/protocol/disco#info", "urn:xmpp:ping", "jabber:iq:version"} <= features, features
    assert reply[0].find(NAMESPACES["info"] + "identity").get("category") == "client"


@rows(("get", "get"), ("set", "set"))
def test_jabiru_refuses_what_it_does_not_know(world, kind):
    me, other = world.pair()
    raw = world.raw(other)
    listen = me.start("listen")
    full = raw.take_presence(me.jid).get("from")
    reply = raw.iq(kind, "<q xmlns='no:such:thing'/>", to=full)
    assert reply.get("type") == "error" and "service-unavailable" in "".join(e.tag for e in reply.iter())
    listen.interrupt()
    listen.finish()
