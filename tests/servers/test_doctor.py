"""jabiru doctor: its facts are those that the tests' own eyes see, and that the server was set up with."""
import hashlib
import json
import socket
import ssl
import subprocess
import xml.etree.ElementTree as ET

from kit.accounts import Person
from kit.tap import rows

SASL, SASL2, CB = ("{urn:ietf:params:xml:ns:xmpp-sasl}", "{urn:xmpp:sasl:2}", "{urn:xmpp:sasl-cb:0}")
FAST, BIND2 = "{urn:xmpp:fast:0}", "{urn:xmpp:bind:0}"
HEADER = ("<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client'"
          " xmlns:stream='http://etherx.jabber.org/streams'>")
FILES = {"prosody": 10 * 1024 * 1024, "prosody with SASL2": 10 * 1024 * 1024, "ejabberd": 104857600}


def records(person, *options, code=0):
    result = person.run("doctor", "--json", *options).expect(code)
    assert not result.err, result
    return [json.loads(line) for line in result.out.splitlines()]


def checks(found):
    return {r["check"]: r for r in found if r["type"] == "check"}


def one(found, kind):
    """The one record of the kind; of offers, the one inside TLS."""
    fitting = [r for r in found if r["type"] == kind and r.get("secured", True)]
    assert len(fitting) == 1, found
    return fitting[0]


class Seen:
    """What the server shows to a socket of the tests' own: certificate and features, by direct TLS."""

    def __init__(self, world):
        context = ssl.create_default_context(cafile=world.server.ca)
        with socket.create_connection(("127.0.0.1", world.server.direct_port), 10) as bare, \
                context.wrap_socket(bare, server_hostname="localhost") as s:
            self.certificate, self.version = s.getpeercert(True), s.version()
            s.sendall(HEADER.encode())
            text = b""
            while b"</stream:features>" not in text:
                more = s.recv(65536)
                assert more, text
                text += more
        self.features = ET.fromstring(text.decode() + "</stream:stream>")[0]

    def texts(self, *path):
        return {e.text for e in self.features.findall("/".join(path))}


def test_what_everybody_is_told(world):
    """Without a log-in: no account is named, and none is needed."""
    me = world.person()
    me.password_file = None
    found = records(me, "localhost")
    seen, endpoint, offer = Seen(world), one(found, "endpoint"), one(found, "offer")
    assert endpoint["tcp"] == "connected" and endpoint["direct_tls"] == world.direct, endpoint
    assert "TLSv" + endpoint["tls"] == seen.version and "fault" not in endpoint, endpoint
    assert endpoint["trusted"] and endpoint["name_matches"] and endpoint["names"].startswith("localhost"), endpoint
    assert endpoint["issuer"] == "Throw-away test authority" and endpoint["days_left"] in (29, 30), endpoint
    assert set(offer["mechanisms"]) == seen.texts(SASL + "mechanisms", SASL + "mechanism"), offer
    assert set(offer["sasl2_mechanisms"]) == seen.texts(SASL2 + "authentication", SASL2 + "mechanism"), offer
    inline = SASL2 + "inline/"
    assert set(offer["fast_mechanisms"]) == seen.texts(SASL2 + "authentication", SASL2 + "inline", FAST + "fast",
                                                       FAST + "mechanism"), offer
    assert offer["bind2"] == (seen.features.find(SASL2 + "authentication/" + inline + BIND2 + "bind") is not None), offer
    assert offer["sasl2"] == (seen.features.find(SASL2 + "authentication") is not None), offer
    announced = {e.get("type") for e in seen.features.findall(CB + "sasl-channel-binding/" + CB + "channel-binding")}
    assert set(offer.get("bindings", ())) == announced, offer
    if world.server.name == "prosody with SASL2":
        assert offer["sasl2"] and offer["bind2"] and "tls-exporter" in offer["bindings"], offer
        assert not offer["fast"], "Prosody tells it to an account only: %s" % offer
    report = checks(found)
    assert "login" not in report and report["sasl"]["state"] != "failed", report
    assert ("PLAIN offered" in report["sasl"]["text"]) == ("PLAIN" in offer["mechanisms"]), report


def test_the_key_is_the_one_to_pin(world):
    me = world.person()
    endpoint = one(records(me, "--no-login"), "endpoint")
    public = subprocess.run(["openssl", "x509", "-inform", "DER", "-pubkey", "-noout"], input=Seen(world).certificate,
                            stdout=subprocess.PIPE, check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public,
                         stdout=subprocess.PIPE, check=True).stdout
    assert endpoint["key_sha256"] == hashlib.sha256(der).hexdigest(), endpoint
    me.run("ping", "--pin", endpoint["key_sha256"]).expect(0)
    me.run("doctor", "--no-login", "--pin", "00" * 32).expect(6)


def test_what_an_account_has(world):
    me = world.person()
    found = records(me)
    report = checks(found)
    assert one(found, "offer")["fast"] == (world.server.name == "prosody with SASL2"), found
    for check in ("login", "session", "archive", "carbons", "blocking", "pep", "upload", "rooms", "latency"):
        assert report[check]["state"] == "ok", report[check]
    assert report["login"]["jid"].startswith(me.jid + "/"), report["login"]
    assert report["session"]["stream_management"] and report["session"]["client_state"], report["session"]
    assert report["upload"]["jid"] == "upload.localhost" and report["rooms"]["jid"] == world.server.rooms, report
    assert report["upload"]["bytes"] == FILES[world.server.name], report["upload"]
    assert (report["push"]["state"] == "ok") == (world.server.name == "ejabberd"), report["push"]
    assert 0 <= report["latency"]["ms"] < 5000, report["latency"]
    assert not any(r["state"] == "failed" for r in report.values()), report


def test_every_record_fits_the_schema(world):
    me = world.person()
    schema = json.loads(me.run("schema").expect(0).out)
    kinds = {k["properties"]["type"]["const"]: k["properties"] for k in schema["oneOf"]}
    types = {"string": str, "integer": int, "boolean": bool, "array": list}
    for record in records(me):
        for name, value in record.items():
            assert isinstance(value, types[kinds[record["type"]][name]["type"]]), (name, value)


def test_an_address_in_place_of_j(world):
    me = world.person()
    person = Person(me.home, me.jid, me.password, me.options)
    person.argv = lambda *args: [a for a in Person.argv(person, *args) if a not in ("-j", me.jid)] + [me.jid]
    assert checks(records(person))["login"]["jid"].startswith(me.jid + "/")


def test_for_people_and_for_tables(world):
    me = world.person()
    lines = me.run("doctor").expect(0).out.splitlines()
    assert lines[0].startswith("ok\tdns\t") and lines[-1].split("\t")[1] == "latency", lines
    quiet = me.run("doctor", "-q").expect(0).out.splitlines()
    assert quiet and not any(line.startswith("ok\t") for line in quiet), quiet


@rows(("a wrong password", 3), ("a server that is not trusted", 6), ("nobody there", 4))
def test_the_exit_status_of(world, code):
    me = world.person()
    if code == 3:
        with open(me.password_file, "w") as f:
            f.write("not this one\n")
    if code == 6:
        me.options += ["--ca-file", "/etc/ssl/certs/ca-certificates.crt"]
    if code == 4:
        me.through(9)
    last = checks(records(me, code=code))
    failed = [r for r in last.values() if r["state"] == "failed"]
    assert len(failed) == 1 and failed[0]["exit"] == code and failed[0]["next"], last
