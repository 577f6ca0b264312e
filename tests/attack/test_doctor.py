"""jabiru doctor at servers that lie, break, stall and attack: it looks, tells, ends in time, and gives nothing away."""
import json
import time

from attack.lab import leaks
from attack.scripted import BIND, HEADER, STARTTLS, Scripted, mechanisms
from kit.dns import NameServer, a, srv
from kit.tap import rows

SCRAM = mechanisms("SCRAM-SHA-256", "SCRAM-SHA-1")


def checks(attempt):
    """The report: {check: (state, text, next)}; the first line of each."""
    found = {}
    for line in attempt.out.splitlines():
        state, check, text, following = line.split("\t")
        assert state in ("ok", "note", "failed"), attempt
        assert state == "ok" or following or state == "failed", "no next step: " + line
        found.setdefault(check, (state, text, following))
    return found


def checks_of(attempt, options):
    """{check: state} of either form."""
    if "--json" not in options:
        return {check: line[0] for check, line in checks(attempt).items()}
    found = [json.loads(line) for line in attempt.out.splitlines()]
    return {r["check"]: r["state"] for r in found if r["type"] == "check"}


def examined(attempt, code, within=20, named=False):
    """The report, when the exit status is that; whatever happened, no secret left, and the account
    was named only to a server that had proved who it is."""
    assert attempt.code == code, "expected exit %d: %s" % (code, attempt)
    assert (b"user" in attempt.wire) == named, attempt.wire
    attempt.keeps_quiet(within)
    return checks(attempt)


def look(lab, script, *options, tls="required", code=0, within=20):
    return examined(lab.run(script, "doctor", "--no-login", *options, tls=tls), code, within)


def good(lab, *features):
    def script(peer):
        peer.starttls(lab.good)
        peer.open(*features or (SCRAM,))
    return script


def test_a_good_server(lab):
    report = look(lab, good(lab))
    assert {report[check][0] for check in ("dns", "tcp", "tls", "stream", "sasl")} == {"ok"}, report
    assert "29 days left, name matches" in report["tls"][1], report


def test_a_domain_needs_no_account(lab):
    """No option of an account, no password, and an unreadable one is not looked at."""
    server = Scripted(good(lab))
    person = lab.person()
    person.options = ["--ca-file", lab.authority.file, "--host", "127.0.0.1:%d" % server.port]
    person.password_file = "/nonexistent"
    examined(lab.attempt(person, "doctor", "localhost", wire=server.wire), 0)
    server.close()


@rows(("untrusted", "untrusted", "not trusted", "--ca-file"), ("self-signed", "self_signed", "not trusted", "--ca-file"),
      ("expired", "expired", "expired", "renew"), ("for another name", "wrong_name", "other.example", "domain after @"))
def test_a_certificate_that_is_not_acceptable(lab, which, words, step):
    def script(peer):
        peer.starttls(getattr(lab, which))
        peer.open(SCRAM)
    report = look(lab, script, code=6)
    assert report["tls"][0] == "failed" and words in report["tls"][1] and step in report["tls"][2], report
    assert "SCRAM-SHA-256" in report["sasl"][1], report


@rows(("untrusted", "untrusted"), ("expired", "expired"), ("for another name", "wrong_name"))
def test_no_log_in_after_a_bad_certificate(lab, which):
    """With an account and a password at hand, too."""
    def script(peer):
        peer.wrap(getattr(lab, which))
        peer.open(SCRAM)
        peer.auth()
        raise AssertionError("it began to log in")
    examined(lab.run(script, "doctor"), 6)


GARBAGE = [("HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n"), ("HTML", "<html><body>"), ("bytes", b"\x00\xff\xfe\x16\x03"),
           ("a document type", "<!DOCTYPE a [<!ENTITY b 'c'>]>"), ("nothing", ""),
           ("another version", "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' version='0.9'>"),
           ("another domain", HEADER % ("evil.example", "1"))]


@rows(*GARBAGE)
def test_something_else_than_a_stream(lab, said):
    def script(peer):
        peer.header()
        peer.send(said)
        peer.socket.close()
    report = look(lab, script, code=4)
    assert report["stream"][0] == "failed", report


def endless(*pieces):
    def script(peer):
        peer.header()
        for piece in pieces[:-1]:
            peer.send(piece)
        for _ in range(4000):
            peer.send(pieces[-1] * 1024)
        raise AssertionError("it took 4 MB and more")
    return script


@rows(("header", "<stream:stream a='", "xxxx"), ("features", HEADER % ("localhost", "1"), "<stream:features>", "<x/>"),
      ("depth", HEADER % ("localhost", "1"), "<stream:features>", "<x>"), ("blanks", HEADER % ("localhost", "1"), "    "))
def test_no_end_of(lab, *pieces):
    report = look(lab, endless(*pieces), code=4)
    assert report["stream"][0] == "failed", report


STAGES = [("connecting", lambda lab, peer: None),
          ("the header", lambda lab, peer: peer.header()),
          ("the features", lambda lab, peer: (peer.header(), peer.send(HEADER % ("localhost", "1")))),
          ("TLS", lambda lab, peer: (peer.open(STARTTLS), peer.next(),
                                     peer.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"))),
          ("the features in TLS", lambda lab, peer: peer.starttls(lab.good))]


@rows(*STAGES)
def test_silence_after(lab, stage):
    named = stage is STAGES[-1][1]
    attempt = lab.run(lambda peer: stage(lab, peer), "doctor", tls="required", options=("--timeout", "3"))
    examined(attempt, 7, within=9, named=named)


def test_blanks_now_and_then_are_silence_too(lab):
    def script(peer):
        peer.header()
        while True:
            peer.send(" ")
            time.sleep(0.05)
    examined(lab.run(script, "doctor", tls="required", options=("--timeout", "3")), 7, within=9)


def test_starttls_taken_away(lab):
    report = look(lab, lambda peer: peer.open(mechanisms("PLAIN", "SCRAM-SHA-1")), code=6)
    assert report["tls"][0] == "failed" and "offers no TLS" in report["tls"][1], report


def test_what_stands_behind_proceed_is_not_believed(lab):
    injected = HEADER % ("localhost", "evil") + "<stream:features>" + mechanisms("PLAIN") + "</stream:features>"

    def script(peer):
        peer.starttls(lab.good, inject=injected)
        peer.open(SCRAM)
    attempt = lab.run(script, "doctor", "--no-login", tls="required")
    assert attempt.code in (0, 6), attempt
    attempt.keeps_quiet()
    assert "PLAIN offered" not in attempt.out, attempt


@rows(("only PLAIN", ["PLAIN"], "failed", 3), ("nothing", [], "failed", 3), ("guests", ["ANONYMOUS"], "note", 0),
      ("DIGEST-MD5 too", ["SCRAM-SHA-1", "DIGEST-MD5"], "note", 0))
def test_mechanisms(lab, names, state, code):
    report = look(lab, good(lab, mechanisms(*names)), code=code)
    assert report["sasl"][0] == state, report


@rows(("for people", ()), ("JSON", ("--json",)))
def test_control_characters_stay_out_of_the_terminal(lab, options):
    """In a stream error, in names of mechanisms, and from C1 as well as C0, which XML bars."""
    evil = "\u009b31mred\u202e\u2028"

    def broken(peer):
        peer.header()
        peer.send((HEADER % ("localhost", "1")) + "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                  "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>%s</text></stream:error>" % evil)
    for script in (broken, good(lab, mechanisms("SCRAM-SHA-1", "SCRAM-%s" % evil))):
        attempt = lab.run(script, "doctor", "--no-login", *options, tls="required")
        attempt.keeps_quiet()
        assert "red" in attempt.out, attempt
        for character in "\u009b\u202e\u2028":
            assert character not in attempt.out, repr(attempt.out)


def test_words_without_end_are_cut(lab):
    many = mechanisms(*["SCRAM-%d" % i for i in range(1000)], "SCRAM-" + "X" * 9000)
    attempt = lab.run(good(lab, many), "doctor", "--no-login", "--json", tls="required")
    assert attempt.code == 0, attempt
    offers = [json.loads(line) for line in attempt.out.splitlines() if '"offer"' in line]
    assert len(offers[-1]["mechanisms"]) == 32 and len(attempt.out) < 20000, attempt


# -- Names ----------------------------------------------------------------------------------------

def test_a_name_that_does_not_exist(lab):
    dns = NameServer()
    person = lab.person("--nameserver", dns.address)
    report = examined(lab.attempt(person, "doctor", "no.such.example"), 4)
    assert "NXDOMAIN" in report["dns"][1] and "jabiru doctor such.example" in report["dns"][2], report
    dns.close()


def test_a_silent_name_server(lab):
    dns = NameServer(silent=True)
    person = lab.person("--nameserver", dns.address, "--timeout", "3")
    assert examined(lab.attempt(person, "doctor", "silent.example"), 7, within=9)["dns"][0] == "failed"
    dns.close()


@rows(("for tables", ()), ("JSON", ("--json",)))
def test_records_with_controls(lab, options):
    """A domain's owner writes what he likes into his zone."""
    records = [srv("\x1b[31m\x9b%d.example" % i, 1 + i, i) for i in range(8)]
    dns = NameServer({"_xmpp-client._tcp.evil.example": records, "_xmpps-client._tcp.evil.example": records})
    person = lab.person("--nameserver", dns.address)
    attempt = lab.attempt(person, "doctor", "evil.example", *options).keeps_quiet()
    assert attempt.code in (4, 7) and "\x1b" not in attempt.out and "\x9b" not in attempt.out, attempt
    assert len(attempt.out) < 20000 and checks_of(attempt, options)["dns"] == "failed", attempt
    dns.close()


def served(lab, *servers, options=()):
    """localhost.example's SRV records lead to these servers and to one that is not there."""
    made = [Scripted(script, "localhost.example") for script in servers]
    records = [srv("gone.example", 9, 1)] + [srv("a.example", s.port, 5 + i) for i, s in enumerate(made)]
    dns = NameServer({"_xmpp-client._tcp.localhost.example": records, "a.example": [a("127.0.0.1")],
                      "gone.example": [a("127.0.0.1")]})
    person = lab.person("--nameserver", dns.address)
    attempt = lab.attempt(person, "doctor", "localhost.example", *options)
    for server in made:
        server.close()
        assert not server.failures, "%s\n%r" % (attempt, server.failures)
    dns.close()
    attempt.keeps_quiet()
    return attempt, made


def test_one_host_of_several_is_down(lab):
    cert = lab.authority.issue("srv", "localhost.example")

    def script(peer):
        peer.starttls(cert)
        peer.open(SCRAM)
    attempt, made = served(lab, script)
    assert attempt.code == 0 and attempt.out.count("failed\ttcp\tgone.example:9") == 1, attempt
    attempt, made = served(lab, script, options=("--all-endpoints",))
    assert attempt.code == 4, attempt


def test_all_endpoints_finds_the_one_that_is_not_well(lab):
    cert = lab.authority.issue("srv2", "localhost.example")

    def well(peer):
        peer.starttls(cert)
        peer.open(SCRAM)

    def ill(peer):
        peer.starttls(lab.expired)
        peer.open(SCRAM)
    attempt, made = served(lab, well, ill)
    assert attempt.code == 0 and "expired" not in attempt.out, attempt
    attempt, made = served(lab, well, ill, options=("--all-endpoints",))
    assert attempt.code in (4, 6) and "expired" in attempt.out, attempt


def test_all_endpoints_logs_in_where_it_can(lab):
    """What is not well elsewhere decides the exit status, and is no reason to look no further."""
    server = Scripted(logged_in(lab, {}))
    person = lab.person("--host", "localhost:%d" % server.port, "--tls", "direct")
    attempt = lab.attempt(person, "doctor", "--all-endpoints", wire=server.wire)  # nobody is at [::1]
    report = checks(attempt.keeps_quiet())
    assert attempt.code == 4 and report["tcp"][0] == "failed" and report["login"][0] == "ok", attempt
    server.close()


# -- Logged in ------------------------------------------------------------------------------------

DISCO = "{http://jabber.org/protocol/disco#%s}query"


def logged_in(lab, answers):
    """A server that first lets the probe look, then logs in and answers."""
    def script(peer):
        peer.wrap(lab.good)
        peer.open(SCRAM)
        peer.scram(lab.canary)
        peer.open(BIND)
        peer.bind()
        peer.serve(answers)
    return script


def items(n):
    return ("<query xmlns='http://jabber.org/protocol/disco#items'>%s</query>" %
            "".join("<item jid='s%d.example'/>" % i for i in range(n)))


def test_services_without_number_and_without_answer(lab):
    asked = []

    def info(peer, iq):
        asked.append(iq.get("to"))
        if not iq.get("to").endswith(".example"):
            peer.result(iq, "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    script = logged_in(lab, {DISCO % "items": items(3000), DISCO % "info": info})
    attempt = lab.run(script, "doctor")
    assert attempt.code == 0, attempt
    attempt.keeps_quiet(within=25)
    report = checks(attempt)
    assert report["latency"][0] == "note" and "not answered in time" in report["latency"][1], report
    assert report["upload"][:2] == ("note", "not known: not all have answered"), report
    assert report["archive"][0] == "note" and "missed" in report["archive"][1], report
    assert len(asked) <= 40, len(asked)


@rows(("words", "many"), ("a negative", "-5"), ("no end", "9" * 400), ("nothing", ""))
def test_an_upload_limit_that_is(lab, value):
    form = ("<query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:http:upload:0'/>"
            "<x xmlns='jabber:x:data' type='result'><field var='max-file-size'><value>%s</value></field></x></query>" % value)
    attempt = lab.run(logged_in(lab, {DISCO % "items": items(1), DISCO % "info": form}), "doctor")
    assert attempt.code == 0, attempt
    report = checks(attempt.keeps_quiet())
    assert report["upload"][0] == "ok" and "up to" not in report["upload"][1], report


def test_a_stream_that_ends_while_services_are_asked(lab):
    def end(peer, iq):
        peer.send("<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
    attempt = lab.run(logged_in(lab, {DISCO % "info": end}), "doctor")
    assert attempt.code == 4, attempt
    report = checks(attempt.keeps_quiet())
    assert report["login"][0] == "ok" and report["session"][0] == "failed", report
    assert "archive" not in report, report


def test_a_wrong_password(lab):
    def script(peer):
        peer.wrap(lab.good)
        peer.open(SCRAM)
        peer.auth()
        peer.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>")
    attempt = lab.run(script, "doctor")
    assert attempt.code == 3, attempt
    assert not leaks(attempt.wire) and checks(attempt)["login"][0] == "failed", attempt
