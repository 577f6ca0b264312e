"""Log-in: the mechanisms, the refusals, the certificates."""
import json

from kit.tap import rows


def login(person, *options):
    """The record of how a log-in went."""
    return json.loads(person.run("account", "test", "--json", *options).expect(0).out)


def test_log_in_with_the_best_scram(world):
    me = world.person()
    record = login(me)
    assert record["mechanism"].startswith("SCRAM-SHA-"), record
    assert record["server_proved"] is True and record["tls"] in ("1.2", "1.3"), record
    assert record["jid"].startswith(me.jid + "/"), record


@rows(("SCRAM-SHA-1", "SCRAM-SHA-1"), ("SCRAM-SHA-256", "SCRAM-SHA-256"))
def test_log_in_with(world, name):
    record = login(world.person(), "--mechanism", name)
    assert record["mechanism"] == name and record["server_proved"] is True, record


def test_log_in_with_plain_by_name(world):
    assert login(world.person(), "--mechanism", "PLAIN")["mechanism"] == "PLAIN"


def test_log_in_with_the_best_of_several(world):
    record = login(world.person(), "--mechanism", "PLAIN", "--mechanism", "SCRAM-SHA-1")
    assert record["mechanism"] == "SCRAM-SHA-1", record


def test_a_resource_of_choice(world):
    me = world.person()
    assert login(me, "--resource", "balcony")["jid"] == me.jid + "/balcony"


def refused(person, code, *words):
    result = person.run("ping").expect(code)
    assert result.err.startswith("jabiru: ") and result.err.count("\n") == 1, result
    for word in words:
        assert word in result.err, result


def test_a_wrong_password(world):
    me = world.person()
    with open(me.password_file, "w") as f:
        f.write("not this one\n")
    refused(me, 3, "sasl", "password")


def test_an_unknown_user(world):
    me = world.person()
    me.jid = "nobody-here@localhost"
    refused(me, 3, "sasl")


def test_a_mechanism_that_is_not_offered(world):
    me = world.person("--mechanism", "SCRAM-SHA-999")
    refused(me, 3)


def test_an_authority_that_is_not_trusted(world):
    me = world.person()
    at = me.options.index("--ca-file")
    del me.options[at:at + 2]
    refused(me, 6, "tls")


def test_a_certificate_for_another_domain(world):
    me = world.person()
    me.jid = me.jid.replace("@localhost", "@example.org")
    result = me.run("ping")
    assert result.code in (4, 6) and result.err.count("\n") == 1, result


def test_each_stage_is_told_with_v(world):
    err = world.person().run("-v", "ping").expect(0).err
    for word in ("tcp", "sasl", "online as", "TLS"):
        assert word in err, err


def test_many_log_ins_one_after_the_other(world):
    """No log-in out of many fails or hangs: order and timing differ each time."""
    me = world.person()
    for _ in range(15):
        me.run("ping").expect(0)
