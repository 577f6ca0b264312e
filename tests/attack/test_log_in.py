"""Servers that cheat in authentication: none of them gets the password, none is believed."""
import base64

from attack.scripted import BIND, mechanisms, sasl
from kit.tap import rows

FAILURE = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><%s/></failure>"


def over_tls(lab, then, names=("SCRAM-SHA-256", "SCRAM-SHA-1")):
    def script(peer):
        peer.wrap(lab.good)
        peer.open(mechanisms(*names))
        then(peer)
    return script


def test_a_wrong_password(lab):
    def refuse(peer):
        peer.scram("another password", final=lambda proof: FAILURE % "not-authorized")
    lab.run(over_tls(lab, refuse)).fails(3, says=("sasl", "password"))


@rows(*[(c, c) for c in ("account-disabled", "temporary-auth-failure", "invalid-mechanism", "aborted",
                         "credentials-expired")])
def test_a_refusal(lab, condition):
    def refuse(peer):
        peer.auth()
        peer.send(FAILURE % condition)
    lab.run(over_tls(lab, refuse)).fails(3, says=condition)


def flip(proof):
    """A signature with one bit changed."""
    raw = bytearray(base64.b64decode(proof[2:]))
    raw[0] ^= 1
    return "v=" + base64.b64encode(bytes(raw)).decode()


@rows(("wrong", lambda proof: sasl("success", flip(proof))),
      ("missing", lambda proof: sasl("success")),
      ("empty", lambda proof: sasl("success", "v=")),
      ("cut short", lambda proof: sasl("success", proof[:20])),
      ("not base64", lambda proof: "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>***</success>"),
      ("an error", lambda proof: sasl("success", "e=other-error")),
      ("wrong, in a challenge", lambda proof: sasl("challenge", flip(proof))))
def test_a_signature_that_is(lab, final):
    def cheat(peer):
        peer.scram(lab.canary, final=final)
        peer.open(BIND)
        peer.bind()
        peer.serve({})
    lab.run(over_tls(lab, cheat)).fails(3, 4)


def test_a_signature_in_a_challenge(lab):
    """RFC 4422 3.6 leaves it to the server whether the last data come in a challenge."""
    def fair(peer):
        peer.scram(lab.canary, final=lambda proof: sasl("challenge", proof))
        assert peer.response() == b""
        peer.send(sasl("success"))
        peer.open(BIND)
        peer.bind()
        peer.serve({})
    lab.run(over_tls(lab, fair)).succeeds()


def test_success_without_any_exchange(lab):
    def cheat(peer):
        peer.auth()
        peer.send(sasl("success"))
        peer.open(BIND)
        peer.bind()
        peer.serve({})
    lab.run(over_tls(lab, cheat)).fails(3)


def test_success_before_authentication(lab):
    def script(peer):
        peer.wrap(lab.good)
        peer.header()
        peer.send("<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' id='1'"
                  " from='localhost' xmlns:stream='http://etherx.jabber.org/streams'>" + sasl("success"))
    lab.run(script).fails(3, 4)


def test_features_without_authentication(lab):
    """A server that skips SASL would be anybody."""
    def script(peer):
        peer.wrap(lab.good)
        peer.open(BIND)
        peer.bind()
        peer.serve({})
    lab.run(script).fails(3, 4, 8)


def test_stanzas_before_authentication(lab):
    def script(peer):
        peer.wrap(lab.good)
        peer.open(mechanisms("SCRAM-SHA-1"))
        peer.send("<message from='boss@localhost'><body>obey</body></message>")
        peer.scram(lab.canary)
    attempt = lab.run(script, "listen", "--json", "--for", "3")
    attempt.fails(4)
    assert "obey" not in attempt.out


@rows(("1", "1"), ("4095", "4095"), ("2000001", "2000001"), ("4294967295", "4294967295"),
      ("10 to the 30th", "1" + "0" * 30), ("0", "0"), ("-5", "-5"), ("no number", "many"))
def test_iterations(lab, count):
    def cheat(peer):
        peer.scram(lab.canary, first=lambda c: c.rsplit("i=", 1)[0] + "i=" + count)
    attempt = lab.run(over_tls(lab, cheat))
    attempt.fails(3, 4, within=10)
    assert attempt.wire.count(b"<response") == 0


@rows(("that is not ours", lambda c: "r=AAAA" + c[6:]),
      ("without a part of its own", lambda c: c.replace("SERVER", "")),
      ("with an extension that must be understood", lambda c: "m=x," + c),
      ("without salt", lambda c: c.split(",s=")[0] + ",s=," + c.split(",")[-1]),
      ("with a salt that is not base64", lambda c: c.split(",s=")[0] + ",s=!!!!," + c.split(",")[-1]),
      ("in another order", lambda c: ",".join(reversed(c.split(",")))),
      ("with a huge salt", lambda c: c.split(",s=")[0] + ",s=" + "QUFB" * 20000 + "," + c.split(",")[-1]),
      ("of nothing", lambda c: ""),
      ("with a NUL", lambda c: c.replace("SERVER", "SER\0VER")),
      ("that is not UTF-8", lambda c: c.encode().replace(b"SERVER", b"\xff\xfe")))
def test_a_challenge(lab, first):
    def cheat(peer):
        peer.auth()
        # What counts is that nothing made of the password answers it.
        peer.send(sasl("challenge", first("r=" + nonce_of(peer) + "SERVER,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=4096")))
    attempt = lab.run(over_tls(lab, cheat))
    attempt.fails(3, 4)
    assert b"<response" not in attempt.wire


def nonce_of(peer):
    data = base64.b64decode(bytes(peer.server.wire).split(b"<auth")[1].split(b">")[1].split(b"<")[0])
    return data.split(b"r=")[1].decode()


@rows(("PLAIN", ["PLAIN"]), ("DIGEST-MD5", ["DIGEST-MD5"]), ("both", ["PLAIN", "DIGEST-MD5"]),
      ("CRAM-MD5", ["CRAM-MD5"]), ("nothing", []), ("X-OAUTH2", ["X-OAUTH2"]),
      ("ANONYMOUS", ["ANONYMOUS"]), ("EXTERNAL", ["EXTERNAL"]))
def test_only_offered(lab, names):
    attempt = lab.run(over_tls(lab, lambda peer: None, names))
    attempt.fails(3, 8)
    assert b"<auth" not in attempt.wire


def test_no_fall_back_to_plain(lab):
    """A refused SCRAM is no reason to hand the password over."""
    def cheat(peer):
        peer.auth()
        peer.send(FAILURE % "temporary-auth-failure")
        peer.auth()
    attempt = lab.run(over_tls(lab, cheat, ("SCRAM-SHA-1", "PLAIN")))
    attempt.fails(3)
    assert b"PLAIN" not in attempt.wire


def test_plain_by_name_only_under_tls(lab):
    """Named or not, PLAIN waits for TLS."""
    def script(peer):
        peer.open(mechanisms("PLAIN"))
    attempt = lab.run(script, tls="required", options=("--mechanism", "PLAIN"))
    attempt.fails(6)


def test_the_leak_is_noticed(lab):
    """The control: where PLAIN is asked for, the server has the password."""
    from attack.lab import leaks

    def script(peer):
        peer.wrap(lab.good)
        peer.open(mechanisms("PLAIN"))
        assert peer.auth() == ("PLAIN", b"\0user\0" + lab.canary.encode())
        peer.send(sasl("success"))
        peer.open(BIND)
        peer.bind()
        peer.serve({})
    attempt = lab.run(script, options=("--mechanism", "PLAIN"))
    assert attempt.code == 0 and leaks(attempt.wire), attempt


DIGEST = 'realm="localhost",nonce="abc123",qop="auth",charset=utf-8,algorithm=md5-sess'


@rows(("wrong", sasl("challenge", "rspauth=" + "0" * 32)), ("missing", sasl("success")),
      ("empty", sasl("challenge", "rspauth=")), ("wrong in success", sasl("success", "rspauth=" + "f" * 32)))
def test_rspauth(lab, answer):
    def cheat(peer):
        assert peer.auth()[0] == "DIGEST-MD5"
        peer.send(sasl("challenge", DIGEST))
        assert b"response=" in peer.response()
        peer.send(answer)
        if "success" in answer:
            peer.open(BIND)
            peer.bind()
            peer.serve({})
    lab.run(over_tls(lab, cheat, ("DIGEST-MD5",)), options=("--mechanism", "DIGEST-MD5")).fails(3, 4)


@rows(("in a log-in", ("ping",)), ("with an own query", ("iq", "get", "localhost", "<q xmlns='x:y'/>")))
def test_the_wire_log_keeps_secrets(lab, command):
    def script(peer):
        peer.login(lab.canary, lab.good)
        peer.serve({})
    attempt = lab.run(script, *command, options=("--xml",))
    assert attempt.code == 0 and "<mechanism>SCRAM-SHA-256</mechanism>" in attempt.err, attempt
    attempt.keeps_quiet()
    sent = [part for part in attempt.wire.split(b"<") if part.startswith((b"auth ", b"response "))]
    assert len(sent) >= 2, attempt.wire
    for part in sent:
        blob = part.split(b">", 1)[1]
        assert not blob or blob.decode() not in attempt.err, (blob, attempt.err)


def test_the_wire_log_keeps_a_plain_password(lab):
    def script(peer):
        peer.wrap(lab.good)
        peer.open(mechanisms("PLAIN"))
        peer.auth()
        peer.send(FAILURE % "not-authorized")
    attempt = lab.run(script, options=("--mechanism", "PLAIN", "--xml"))
    attempt.wire = b""  # there the password is meant to be
    assert attempt.code == 3 and "not-authorized" in attempt.err, attempt
    attempt.keeps_quiet()
