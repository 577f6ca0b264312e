"""What only ejabberd offers: DIGEST-MD5, and compression (XEP-0138) with and without TLS."""
import json

from kit.tap import rows

BODY = "\u0434\u043b\u0438\u043d\u043d\u043e\u0435 <&> \U0001f98e " * 2000


def login(person, *options):
    return json.loads(person.run("account", "test", "--json", *options).expect(0).out)


def in_clear(world, *options):
    """An account on the port without TLS."""
    me = world.person(*options)
    me.options[me.options.index("--host") + 1] = "127.0.0.1:%d" % world.server.plain_port
    me.options[me.options.index("--tls") + 1] = "off"
    return me


def test_digest_md5_with_a_verified_rspauth(world):
    record = login(world.person(), "--mechanism", "DIGEST-MD5")
    assert record["mechanism"] == "DIGEST-MD5" and record["server_proved"] is True, record


def test_digest_md5_is_not_taken_by_itself(world):
    assert login(world.person())["mechanism"].startswith("SCRAM-SHA-512"), "the best is SCRAM-SHA-512"


def test_digest_md5_with_a_wrong_password(world):
    me = world.person("--mechanism", "DIGEST-MD5")
    with open(me.password_file, "w") as f:
        f.write("wrong\n")
    me.run("ping").expect(3)


@rows(("under TLS", lambda world: world.person("--compress", "--compress")),
      ("without TLS", lambda world: in_clear(world, "--compress")),
      ("without TLS, after DIGEST-MD5", lambda world: in_clear(world, "--compress", "--mechanism", "DIGEST-MD5")))
def test_compression(world, make):
    me, other = make(world), world.person()
    assert login(me)["compressed"] is True
    raw = world.raw(other)
    listen = world.listen(me, "--json", "--count", "2")
    raw.message(me.jid, BODY)
    assert json.loads(listen.line())["body"] == BODY
    raw.message(me.jid, "short")
    assert json.loads(listen.line(lambda l: "short" in l))["body"] == "short"
    assert listen.finish() == 0
    me.run("send", other.jid, stdin=BODY).expect(0)
    raw.take_message(body=BODY)


def test_compression_asked_for_once_is_not_used_inside_tls(world):
    record = login(world.person("--compress"))
    assert not record.get("compressed"), record


def test_many_lines_under_compression(world):
    me, other = in_clear(world, "--compress"), world.person()
    raw = world.raw(other)
    me.run("send", "--lines", other.jid, stdin="".join("line %d\n" % n for n in range(300))).expect(0)
    for n in range(300):
        raw.take_message(body="line %d" % n)
