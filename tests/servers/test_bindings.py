"""Channel binding at ejabberd 23.01, which offers -PLUS on TLS 1.3 and then takes tls-unique alone."""
import json
import os

from kit.certs import Authority
from kit.mitm import Middle, V12, without_plus
from kit.tap import rows


def login(person, *options):
    return json.loads(person.run("account", "test", "--json", *options).expect(0).out)


def at_tls12(world):
    me = world.person()
    me.through(world.server.tls12_port)
    me.options[me.options.index("--tls") + 1] = "direct"
    return me


def test_the_wrong_binding_of_tls13_is_not_tried(world):
    """It would be refused as a wrong password."""
    me = world.person()
    for _ in range(3):
        result = me.run("--xml", "account", "test", "--json").expect(0)
        record = json.loads(result.out)
        assert record["tls"] == "1.3" and record["mechanism"].startswith("SCRAM-SHA-512"), record
        assert record["server_proved"] is True and "<failure" not in result.err, result


def test_the_binding_of_tls12(world):
    me = at_tls12(world)
    for _ in range(2):
        record = login(me)
        assert record["tls"] == "1.2" and record["mechanism"] == "SCRAM-SHA-512-PLUS", record


@rows(("relaying everything", ()), ("without -PLUS", (without_plus,)))
def test_a_man_in_the_middle(world, changes):
    me = at_tls12(world)
    login(me)
    cert = Authority(os.path.join(world.server.folder, "ca")).issue(me.jid.split("@")[0], "localhost")
    man = Middle(cert, world.server.tls12_port, world.server.ca, *changes, near=V12, far=V12)
    me.through(man.port)
    result = me.run("ping")
    assert result.code in (3, 6) and b"<success" not in man.down, result
    if changes:
        assert result.code == 6 and "--allow-weaker" in result.err, result
    man.close()
    me.through(world.server.tls12_port)
    login(me)


@rows(("at once", False), ("after a better one", True))
def test_digest_md5_by_explicit_wish_only(world, before):
    """Nor when it is all that is offered. The better one of the last time may be tried, which gives nothing away."""
    me = world.person()
    if before:
        login(me)
    cert = Authority(os.path.join(world.server.folder, "ca")).issue(me.jid.split("@")[0], "localhost")
    only = Middle(cert, world.server.direct_port, world.server.ca, without_others)
    me.through(only.port)
    me.options[me.options.index("--tls") + 1] = "direct"
    result = me.run("ping")
    assert before or result.code in (3, 8), result
    for name in (b"DIGEST-MD5", b"PLAIN"):
        assert name not in only.up, (name, only.up)
    only.close()


def without_others(text):
    """Features that offer nothing but DIGEST-MD5 and PLAIN."""
    for name in ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "X-OAUTH2"):
        for plus in ("", "-PLUS"):
            text = text.replace("<mechanism>%s%s</mechanism>" % (name, plus), "")
    return text
