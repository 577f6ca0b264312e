"""The log-in of RFC 6120 on servers that offer no other: pipelined from the second time on."""
import json
import re

from kit.wire import Wire


def log_in(person, *options):
    """Logs in and sends a message; what the wire log has up to the end of the log-in."""
    result = person.run("--xml", *options, "send", person.jid, "a word").expect(0)
    words = [line for line in result.err.splitlines() if not re.match("[CS]: ", line)]
    assert not words, result
    return Wire(result.err).until(r"^<iq .*\bxmpp-bind")


def flights(world, wire):
    """How often the client spoke up to the bound resource, STARTTLS and its stream header not counted."""
    return wire.flights() - (0 if world.direct else 1)


def test_header_and_starttls_go_together(world):
    if world.direct:
        return
    wire = log_in(world.person())
    assert "<starttls" in wire.lines[1][1] and wire.lines[1][0] == "C", wire


def test_a_known_server_is_not_waited_for(world):
    """The first time: header, first message, proof, header, binding. Then what is known to come is not waited for.

    Both servers keep passwords as they are here, and make a salt for each log-in: that the keys of the
    last are of no use is found out in the second.
    """
    me = world.person()
    first = flights(world, log_in(me))
    assert first == 5, first
    log_in(me)
    for _ in range(3):
        wire = log_in(me)
        assert flights(world, wire) == 3, wire
        assert len(wire.said("C", "<auth ")) == 1 and not wire.said("C", "<abort"), wire


def test_no_floor_is_below_what_was_there(world):
    """Log-in after log-in at the same server, by whatever it offers in whatever order."""
    me = world.person()
    for _ in range(5):
        log_in(me)
    record = json.loads(me.run("account", "test", "--json").expect(0).out)
    assert record["server_proved"] is True, record
