"""Servers that stop answering, at every stage: status 7 when the time is over, not later."""
from attack.scripted import HEADER, STARTTLS, mechanisms
from kit.dns import NameServer
from kit.tap import rows

LIMIT = 2
WITHIN = 8  # the limit, and a busy machine


def nothing(lab, peer):
    """Accepts the connection and reads on."""


def after_header(lab, peer):
    peer.header()
    peer.send(HEADER % ("localhost", "1"))


def after_features(lab, peer):
    peer.open(STARTTLS)


def before_the_handshake(lab, peer):
    peer.open(STARTTLS)
    peer.next()
    peer.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")


def after_the_handshake(lab, peer):
    peer.starttls(lab.good)


def in_authentication(lab, peer):
    peer.starttls(lab.good)
    peer.open(mechanisms("SCRAM-SHA-1"))
    peer.auth()


def after_authentication(lab, peer):
    peer.starttls(lab.good)
    peer.open(mechanisms("SCRAM-SHA-1"))
    peer.scram(lab.canary)
    peer.header()


def in_binding(lab, peer):
    peer.starttls(lab.good)
    peer.open(mechanisms("SCRAM-SHA-1"))
    peer.scram(lab.canary)
    peer.open("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>")
    peer.next()


def after_binding(lab, peer):
    peer.login(lab.canary, lab.good, direct=False)


STAGES = [(f.__name__.replace("_", " "), f) for f in (
    nothing, after_header, after_features, before_the_handshake, after_the_handshake,
    in_authentication, after_authentication, in_binding, after_binding)]


@rows(*STAGES)
def test_a_server_that_falls_silent(lab, stage):
    attempt = lab.run(lambda peer: stage(lab, peer), tls="required", options=("--timeout", str(LIMIT)))
    attempt.fails(7, within=WITHIN)
    assert attempt.seconds >= LIMIT - 0.5, attempt


def test_a_direct_tls_server_that_falls_silent(lab):
    attempt = lab.run(lambda peer: None, options=("--timeout", str(LIMIT)))
    attempt.fails(7, within=WITHIN)


def test_a_silent_name_server(lab):
    dns = NameServer(silent=True)
    person = lab.person("--nameserver", dns.address, "--timeout", str(LIMIT), domain="silent.example")
    lab.attempt(person, "ping").fails(7, within=WITHIN)
    assert dns.asked
    dns.close()


def test_a_peer_that_never_answers_a_request(lab):
    script = lab.logged_in(lambda peer: peer.wait_gone())
    attempt = lab.run(script, "version", "mute@localhost/x", options=("--timeout", str(LIMIT)))
    attempt.fails(7, within=WITHIN)


def test_one_byte_at_a_time(lab):
    """A drip inside a stanza is no sign of life."""
    def drip(peer):
        import time
        peer.open(mechanisms("SCRAM-SHA-1"))
        peer.send("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>")
        for _ in range(200):
            peer.send("A")
            time.sleep(0.1)

    def script(peer):
        peer.wrap(lab.good)
        drip(peer)
    lab.run(script, options=("--timeout", str(LIMIT))).fails(7, within=WITHIN)
