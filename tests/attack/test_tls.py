"""Certificates that must not be accepted, and STARTTLS taken away or tampered with."""
from attack.scripted import BIND, STARTTLS, mechanisms
from kit.tap import rows

CERTS = [("untrusted", "untrusted"), ("self-signed", "self_signed"), ("expired", "expired"),
         ("for another name", "wrong_name")]


@rows(*CERTS)
def test_a_bad_certificate_after_starttls(lab, which):
    def script(peer):
        peer.login(lab.canary, getattr(lab, which), direct=False)
    attempt = lab.run(script, tls="required")
    attempt.fails(6, says="tls")
    assert b"<auth" not in attempt.wire and b"AUTH" not in attempt.wire


@rows(*CERTS)
def test_a_bad_certificate_with_direct_tls(lab, which):
    attempt = lab.run(lambda peer: peer.login(lab.canary, getattr(lab, which)))
    attempt.fails(6, says="tls")
    assert not attempt.wire, attempt.wire


def test_the_words_for_an_expired_certificate(lab):
    lab.run(lambda peer: peer.wrap(lab.expired)).fails(6, says="expired")


def test_a_good_certificate_after_starttls(lab):
    def script(peer):
        peer.login(lab.canary, lab.good, direct=False)
        peer.serve({})
    lab.run(script, tls="required").succeeds()


def test_a_good_certificate_with_direct_tls(lab):
    lab.run(lab.logged_in(lambda peer: peer.serve({}))).succeeds()


@rows(("PLAIN", ["PLAIN"]), ("SCRAM", ["SCRAM-SHA-1", "SCRAM-SHA-256"]), ("all", ["PLAIN", "SCRAM-SHA-1"]))
def test_starttls_taken_out_of_the_features(lab, names):
    def script(peer):
        peer.open(mechanisms(*names))
    attempt = lab.run(script, tls="required")
    attempt.fails(6)
    assert b"<auth" not in attempt.wire, attempt.wire


def test_starttls_refused(lab):
    def script(peer):
        peer.open(STARTTLS, mechanisms("PLAIN", "SCRAM-SHA-1"))
        peer.next()
        peer.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>")
    attempt = lab.run(script, tls="required")
    attempt.fails(6)
    assert b"<auth" not in attempt.wire


def test_success_in_place_of_starttls(lab):
    def script(peer):
        peer.open(STARTTLS, mechanisms("PLAIN", "SCRAM-SHA-1"))
        peer.next()
        peer.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
    lab.run(script, tls="required").fails(4, 6)


def test_plaintext_behind_proceed_is_thrown_away(lab):
    """What an attacker puts before the handshake must not count as said under TLS (CVE-2021-38084)."""
    injected = ("<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' id='evil'"
                " from='localhost' xmlns:stream='http://etherx.jabber.org/streams'>"
                "<stream:features>" + mechanisms("PLAIN") + "</stream:features>")

    def script(peer):
        peer.starttls(lab.good, inject=injected)
        peer.open(mechanisms("SCRAM-SHA-256"))
        peer.scram(lab.canary)
        peer.open(BIND)
        peer.bind()
        peer.serve({})
    attempt = lab.run(script, tls="required", options=("--timeout", "6"))
    # Thrown away, or taken for a broken handshake: never believed.
    assert attempt.code in (0, 6), attempt
    attempt.keeps_quiet()


def test_a_server_without_tls_on_the_direct_port(lab):
    def script(peer):
        peer.send("<?xml version='1.0'?><stream:stream xmlns='jabber:client'>")
    lab.run(script).fails(6)


def test_a_pinned_key_that_is_another(lab):
    attempt = lab.run(lambda peer: peer.login(lab.canary, lab.good), options=("--pin", "00" * 32))
    attempt.fails(6)
    assert not attempt.wire
