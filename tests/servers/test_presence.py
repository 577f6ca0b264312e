"""Presence with show, status and priority, both ways."""
import json

from kit.tap import rows
from kit.xmpp import CLIENT


def of(element):
    return {name: element.findtext(CLIENT + name) for name in ("show", "status", "priority")}


@rows(("online", "online", None), ("chat", "chat", "chat"), ("away", "away", "away"), ("xa", "xa", "xa"),
      ("dnd", "dnd", "dnd"))
def test_set(world, word, show):
    me, other = world.pair()
    raw = world.raw(other)
    status = "\u043d\u0430 \u0431\u0430\u043b\u043a\u043e\u043d\u0435 <&> \U0001f319"
    running = me.start("presence", "set", "--show", word, "--status", status, "--priority", "7")
    seen = of(raw.take_presence(me.jid))
    assert seen == {"show": show, "status": status, "priority": "7"}, seen
    running.interrupt()
    running.finish()
    raw.take_presence(me.jid, "unavailable")


def test_set_for_a_time(world):
    me, other = world.pair()
    raw = world.raw(other)
    me.run("presence", "set", "--show", "away", "--for", "1").expect(0)
    assert of(raw.take_presence(me.jid))["show"] == "away"
    raw.take_presence(me.jid, "unavailable")


def test_watch(world):
    me, other = world.pair()
    watch = me.start("presence", "watch", "--json")
    raw = world.raw(other, presence=False)
    raw.presence()
    first = json.loads(watch.line(lambda l: raw.jid in l and '"available"' in l))
    assert (first["kind"], first["show"]) == ("available", "online"), first
    raw.presence(inner="<show>dnd</show><status>\u0437\u0430\u043d\u044f\u0442 \U0001f42f</status>"
                 "<priority>-5</priority>")
    busy = json.loads(watch.line(lambda l: '"dnd"' in l))
    assert busy["status"] == "\u0437\u0430\u043d\u044f\u0442 \U0001f42f" and busy["priority"] == -5, busy
    assert busy["from"]["full"] == raw.jid, busy
    raw.presence(type="unavailable", inner="<status>bye</status>")
    gone = json.loads(watch.line(lambda l: '"unavailable"' in l))
    assert gone["status"] == "bye", gone
    watch.interrupt()
    assert watch.finish() == 130


def test_get(world):
    me, other = world.pair()
    raw = world.raw(other, presence=False)
    raw.presence(inner="<show>away</show><status>lunch</status>")
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    record = json.loads(me.run("presence", "get", other.jid, "--json").expect(0).out.splitlines()[0])
    assert (record["show"], record["status"]) == ("away", "lunch"), record


def test_the_roster_shows_who_is_there(world):
    me, other = world.pair()
    raw = world.raw(other, presence=False)
    raw.presence(inner="<show>xa</show><status>far</status>")
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    record, = map(json.loads, me.run("roster", "list", "--json").expect(0).out.splitlines())
    assert record["online"] is True and record["show"] == "xa" and record["status"] == "far", record


def test_a_priority_out_of_range(world):
    world.person().run("presence", "set", "--priority", "128", "--for", "1").expect(2)
