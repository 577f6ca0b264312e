"""jabiru and a client built on slixmpp."""
import json
import os
import subprocess

from kit.process import Running
from kit.tap import rows

PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slixmpp_peer.py")
TEXT = "\u0447\u0442\u043e <&> \"'\n\U0001f98e end"


class Slixmpp:
    """The other client, logged in."""

    def __init__(self, world, person):
        env = dict(os.environ, PEER_PASSWORD=person.password, HOME=person.home)
        self._running = Running(["/usr/bin/python3", PEER, person.jid, str(world.port), world.server.ca],
                                env, person.home, subprocess.PIPE)
        self.jid = self.event("online")["jid"]

    def event(self, name, **wanted):
        def fits(line):
            record = json.loads(line) if line.startswith("{") else {}
            return record.get("event") == name and all(record.get(k) == v for k, v in wanted.items())
        return json.loads(self._running.line(fits, 20))

    def do(self, what, **arguments):
        self._running.process.stdin.write(json.dumps(dict(arguments, do=what)).encode() + b"\n")
        self._running.process.stdin.flush()


@rows(("chat", "chat"), ("normal", "normal"), ("headline", "headline"))
def test_to_slixmpp(world, kind):
    me, other = world.person(), world.person()
    peer = Slixmpp(world, other)
    me.run("send", "--type", kind, "--subject", "\u0442\u0435\u043c\u0430", other.jid, stdin=TEXT).expect(0)
    assert peer.event("message", kind=kind, body=TEXT)["subject"] == "\u0442\u0435\u043c\u0430"


@rows(("chat", "chat"), ("normal", "normal"), ("headline", "headline"))
def test_from_slixmpp(world, kind):
    me, other = world.person(), world.person()
    peer = Slixmpp(world, other)
    listen = world.listen(me, "--json", "--count", "1")
    peer.do("send", to=me.jid, kind=kind, body=TEXT, subject="\u0442\u0435\u043c\u0430", thread="t1")
    record = json.loads(listen.line())
    assert (record["body"], record["subject"], record["thread"]) == (TEXT, "\u0442\u0435\u043c\u0430", "t1"), record
    assert record["kind"] == kind and record["from"]["full"] == peer.jid, record


def test_queries_to_slixmpp(world):
    me, other = world.person(), world.person()
    peer = Slixmpp(world, other)
    assert json.loads(me.run("version", peer.jid, "--json").expect(0).out)["name"] == "slixmpp-peer"
    me.run("ping", peer.jid).expect(0)
    assert "urn:xmpp:ping" in me.run("disco", peer.jid, "--features").expect(0).out


def test_queries_from_slixmpp(world):
    me, other = world.pair()
    peer = Slixmpp(world, other)
    listen = me.start("listen")
    full = peer_sees(peer, me)
    peer.do("version", to=full)
    assert peer.event("version")["name"] == "jabiru"
    peer.do("ping", to=full)
    peer.event("pong")
    peer.do("disco", to=full)
    assert "jabber:iq:version" in peer.event("disco")["features"]
    listen.interrupt()
    listen.finish()


def peer_sees(peer, person):
    """The full address under which slixmpp sees a person."""
    line = peer._running.line(lambda l: '"presence"' in l and person.jid in l, 20)
    return json.loads(line)["sender"]


def test_presence_both_ways(world):
    me, other = world.pair()
    peer = Slixmpp(world, other)
    running = me.start("presence", "set", "--show", "dnd", "--status", TEXT, "--priority", "3", "--for", "20")
    seen = peer.event("presence", show="dnd")
    assert seen["status"] == TEXT and seen["priority"] == 3, seen
    record = json.loads(me.run("presence", "get", other.jid, "--json").expect(0).out.splitlines()[0])
    assert (record["show"], record["status"]) == ("away", "on stage"), record
    running.interrupt()
    running.finish()


def test_subscription_both_ways(world):
    """slixmpp approves by itself and asks back."""
    me, other = world.person(), world.person()
    Slixmpp(world, other)
    me.run("roster", "add", other.jid).expect(0)
    me.run("roster", "approve", other.jid).expect(0)
    record, = map(json.loads, me.run("roster", "list", "--json").expect(0).out.splitlines())
    assert record["subscription"] == "both", record
