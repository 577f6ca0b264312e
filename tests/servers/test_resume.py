"""A connection that is cut goes on where it ended (XEP-0198)."""
import json
import subprocess

from kit.relay import Relay


def through(world, relay):
    """An account that reaches the server through the relay."""
    person = world.person()
    person.options[person.options.index("--host") + 1] = "127.0.0.1:%d" % relay.port
    return person


def test_what_comes_is_shown_once_across_cuts(world):
    relay = Relay(world.port)
    me, other = through(world, relay), world.person()
    raw = world.raw(other)
    listen = world.listen(me, "--json", "--count", "8")
    for n in range(8):
        raw.message(me.jid, "number %d" % n)
        if n in (2, 4):
            # Shown, so the stream can be resumed; the last one may be under way.
            listen.line(lambda line, n=n: "number %d" % (n - 1) in line, seconds=30)
            relay.cut()
    assert listen.finish(seconds=40) == 0
    bodies = [json.loads(line)["body"] for line in listen.lines]
    assert bodies == ["number %d" % n for n in range(8)], bodies
    assert relay.accepted == 3, relay.accepted
    relay.close()


def test_what_is_sent_arrives_once_across_cuts(world):
    relay = Relay(world.port)
    me, other = through(world, relay), world.person()
    raw = world.raw(other)
    chat = me.start("chat", other.jid, stdin=subprocess.PIPE)
    for n in range(3):
        chat.process.stdin.write(b"number %d\n" % n)
        chat.process.stdin.flush()
        raw.take_message(type="chat", body="number %d" % n)
        relay.cut()
        chat.error_has("connected again", seconds=30, times=n + 1)
    chat.process.stdin.close()
    assert chat.finish(seconds=30) == 0
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    relay.close()
