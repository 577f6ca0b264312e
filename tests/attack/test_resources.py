"""Bombs and floods: memory and time stay bounded."""
import resource
import threading
import zlib

from attack.scripted import BIND, ZLIB, mechanisms
from kit.tap import rows

MEGABYTE = 1 << 20


def bomb(pattern, megabytes):
    """zlib data that inflate to so much."""
    out = zlib.compressobj(9)
    part = pattern * (MEGABYTE // len(pattern))
    return b"".join(out.compress(part) for _ in range(megabytes)) + out.flush(zlib.Z_SYNC_FLUSH)


def compressed(lab, data):
    """A script that agrees on zlib after authentication and then sends data as they are."""
    def script(peer):
        peer.wrap(lab.good)
        peer.open(mechanisms("SCRAM-SHA-1"))
        peer.scram(lab.canary)
        peer.open(BIND, ZLIB)
        peer.compressed()
        peer.open(BIND)
        peer.bind()
        peer.next()
        peer._encode = lambda raw: raw
        peer.send(data)
    return script


@rows(("of one stanza", b"<message><body>" + b"a" * 49), ("of blanks", b" "),
      ("of small stanzas", b"<message/>"), ("of open tags", b"<a>"))
def test_a_compression_bomb(lab, pattern):
    data = bomb(pattern, 200)
    attempt = lab.run(compressed(lab, data), "version", "peer@localhost/x",
                      options=("--compress", "--compress"))
    attempt.fails(4)


def test_noise_in_place_of_compressed_data(lab):
    lab.run(compressed(lab, b"\xff\x00garbage" * 100), "version", "peer@localhost/x",
            options=("--compress", "--compress")).fails(4)


def test_compression_inside_tls_needs_to_be_asked_for_twice(lab):
    def script(peer):
        peer.login(lab.canary, lab.good, extra=ZLIB)
        peer.serve({})
    attempt = lab.run(script, options=("--compress",))
    assert b"<compress" not in attempt.wire, attempt.wire
    attempt.succeeds()


def test_compression_before_authentication_is_not_used(lab):
    def script(peer):
        peer.wrap(lab.good)
        peer.open(mechanisms("SCRAM-SHA-1"), ZLIB)
        peer.scram(lab.canary)
        peer.open(BIND)
        peer.bind()
        peer.serve({})
    attempt = lab.run(script, options=("--compress", "--compress"))
    before = bytes(attempt.wire).split(b"<response")[0]
    assert b"<compress" not in before
    attempt.succeeds()


def test_a_flood_of_messages_keeps_memory_bounded(lab):
    """100 MB of stanzas that are of no interest pass through."""
    text = "<message from='friend@localhost/x'><body>%s</body></message>" % ("x" * 10000)

    def answer(peer, iq):
        for _ in range(100):
            peer.send(text * 100)
        peer.result(iq, "<query xmlns='jabber:iq:version'><name>End</name><version>1</version></query>")
    attempt = lab.run(lab.logged_in(lambda peer: peer.serve({"{jabber:iq:version}query": answer})),
                      "version", "peer@localhost/x", options=("--timeout", "60"))
    attempt.succeeds(within=60)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    assert largest < 600, "%d MB" % largest


def test_a_server_that_stops_reading(lab):
    """Output is bounded and ends by the deadline."""
    stop = threading.Event()

    def then(peer):
        peer.next()
        stop.wait(15)
    text = ("line " * 2000 + "\n") * 500
    attempt = lab.run(lab.logged_in(then), "send", "peer@localhost", "--lines", stdin=text,
                      options=("--timeout", "3"))
    stop.set()
    assert attempt.code in (5, 7), attempt
    attempt.keeps_quiet(within=12)


def test_a_storm_of_requests_is_answered_within_bounds(lab):
    """Requests that the server does not let us answer end the stream, not the memory."""
    request = "<iq type='get' id='%d' from='eve@attacker.example/x'><ping xmlns='urn:xmpp:ping'/></iq>"

    def answer(peer, iq):
        peer.send("".join(request % n for n in range(20000)))
        peer.result(iq, "<query xmlns='jabber:iq:version'><name>End</name><version>1</version></query>")
    attempt = lab.run(lab.logged_in(lambda peer: peer.serve({"{jabber:iq:version}query": answer})),
                      "version", "peer@localhost/x", options=("--timeout", "30"))
    assert attempt.code in (0, 4, 7), attempt
    attempt.keeps_quiet(within=40)
