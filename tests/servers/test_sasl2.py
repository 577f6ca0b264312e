"""Log-in by SASL2 (XEP-0388), Bind 2 (XEP-0386) and FAST (XEP-0484) against Prosody, over a vault.

What happened is read from the server's log and from its files; `--xml` tells how often the client had to wait.
"""
import json
import os
import re
import ssl
import stat
import subprocess

from kit.process import wait_until
from kit.relay import DOWN, UP, Fault, Relay
from kit.sasl2 import FAST, Login, SASL2, Scram, Token, user_agent
from kit.tap import rows
from kit.wire import Wire

HT = "HT-SHA-256-EXPR"


def log_in(world, person, *options):
    """Logs in and sends a message; (the server's words on that connection, what the wire log has)."""
    before = len(world.server.sessions_of(person.jid))
    result = person.run("--xml", *options, "send", person.jid, "a word").expect(0)
    words = [line for line in result.err.splitlines() if not re.match("[CS]: ", line)]
    assert not words, result
    sessions = wait_until(lambda: world.server.sessions_of(person.jid)[before:], 5, "the log has the connection")
    assert len(sessions) == 1, sessions
    return sessions[0], Wire(result.err)


def mechanism_of(session):
    """The mechanism of the log-in, by the server's log."""
    return re.findall(r"Received\[c2s_unauthed\]: <auth[a-z]* [^>]*mechanism='([^']+)'", session)


def flights(world, wire):
    """How often the client spoke up to <success/>, STARTTLS and its stream header not counted."""
    return wire.until(r"^<success\b").flights() - (0 if world.direct else 1)


def remembered(world):
    """An account that has logged in once, and was there."""
    me = world.person()
    me.run("listen", "--for", "3").expect(0)
    return me


# -- What the test bed is good for ------------------------------------------------

def test_the_server_refuses_what_is_bound_elsewhere(world):
    """The control: that a log-in with -PLUS succeeds means that the binding was right."""
    me = world.person()
    user = me.jid.split("@")[0]
    for port, version, kind in ((world.server.direct_port, ssl.TLSVersion.TLSv1_3, "tls-exporter"),
                                (world.server.tls12_port, ssl.TLSVersion.TLSv1_2, "tls-unique")):
        login = Login(me.jid, port, world.server.ca, version)
        assert login.offered()["bindings"] == {kind}
        answer = login.authenticate(Scram(user, me.password, (kind, os.urandom(32))), user_agent(1))
        assert answer.tag == SASL2 + "failure", answer.tag


# -- The first log-in -------------------------------------------------------------

def test_one_exchange_authenticates(world):
    session, wire = log_in(world, world.person())
    assert mechanism_of(session) == ["SCRAM-SHA-256-PLUS"], session
    # header, first message, proof
    assert flights(world, wire) == 3, wire
    assert wire.streams() == (1 if world.direct else 2), wire


def test_what_waits_for_an_account_is_not_cleared_by_who_only_sends(world):
    """XEP-0386 has the server clear it; so the resource is bound with the log-in once presence was sent."""
    me = world.person()
    for _ in range(2):
        session, _ = log_in(world, me)
        assert "Resource bound: " in session and "/jabiru~" not in session, session
    me.run("listen", "--for", "3").expect(0)
    session, wire = log_in(world, me)
    assert "/jabiru~" in session and "<iq type='set'" not in session.split("Resource bound")[0], session
    assert "<enable " not in session and "Received[c2s]: <a " in session, session


def test_a_token_is_asked_for_that_is_bound(world):
    session, _ = log_in(world, world.person())
    assert "Client requested new FAST token for " + HT in session, session


def test_a_resource_of_the_users_choice(world):
    """Bind 2 has no place for one (XEP-0386 §4): it is said to be part of the name that the server makes."""
    session, _ = log_in(world, world.person(), "--resource", "balcony")
    assert re.search(r"Resource bound: \S+/balcony", session), session


@rows(("SCRAM-SHA-256", "SCRAM-SHA-256"), ("PLAIN", "PLAIN"))
def test_a_mechanism_by_name(world, name):
    session, _ = log_in(world, world.person(), "--mechanism", name)
    assert mechanism_of(session) == [name], session


def test_a_wrong_password(world):
    me = world.person()
    with open(me.password_file, "w") as f:
        f.write("not this one\n")
    result = me.run("ping").expect(3)
    assert "password" in result.err and result.err.count("\n") == 1, result


# -- Channel binding --------------------------------------------------------------

def at_tls12(world):
    me = world.person()
    me.through(world.server.tls12_port)
    me.options[me.options.index("--tls") + 1] = "direct"
    return me


@rows(("tls-exporter on TLS 1.3", "1.3", lambda world: world.person()), ("tls-unique on TLS 1.2", "1.2", at_tls12))
def test_channel_binding(world, version, make):
    me = make(world)
    record = json.loads(me.run("account", "test", "--json").expect(0).out)
    assert record["tls"] == version and record["mechanism"] == "SCRAM-SHA-256-PLUS", record
    assert record["server_proved"] is True, record


def test_a_token_bound_by_tls_unique(world):
    me = at_tls12(world)
    session, _ = log_in(world, me)
    assert "new FAST token for HT-SHA-256-UNIQ" in session, session
    session, _ = log_in(world, me)
    assert mechanism_of(session) == ["HT-SHA-256-UNIQ"], session


# -- The second log-in ------------------------------------------------------------

def test_the_second_log_in_takes_one_flight(world):
    """Header and token together, as the server's offer is known."""
    me = remembered(world)
    session, wire = log_in(world, me)
    assert mechanism_of(session) == [HT] and "Resource bound: " in session, session
    assert flights(world, wire) == 1, wire


def test_the_same_device_each_time(world):
    """Bind 2 makes the resource of the id, so the server's view of a device stays."""
    me = remembered(world)
    names = {re.search(r"Resource bound: (\S+)", log_in(world, me)[0])[1] for _ in range(3)}
    assert len(names) == 1, names


def test_many_log_ins_with_one_token(world):
    me = remembered(world)
    for _ in range(4):
        session, _ = log_in(world, me)
        assert mechanism_of(session) == [HT], session


def revoke(server, jid):
    os.remove(server.tokens(jid)[1])


def expire(server, jid):
    server.change_tokens(jid, "expires_at", -10)


@rows(("revoked", revoke), ("expired", expire))
def test_a_token_is(world, spoil):
    """The keys serve in its place, nobody notices, and the next log-in has a token again."""
    me = remembered(world)
    me.without_password()
    spoil(world.server, me.jid)
    result = me.run("send", me.jid, "a word").expect(0)
    assert not result.err, result
    assert mechanism_of(world.server.sessions_of(me.jid)[-1])[-1] == "SCRAM-SHA-256-PLUS"
    session, _ = log_in(world, me)
    assert mechanism_of(session) == [HT], session


def test_a_token_is_replaced_when_the_server_says_so(world):
    me = remembered(world)
    log_in(world, me)
    old = world.server.tokens(me.jid)[0]["cur"]
    world.server.change_tokens(me.jid, "issued_at", -3 * 86400)
    session, _ = log_in(world, me)
    assert mechanism_of(session) == [HT] and "Provided new FAST token" in session, session
    session, _ = log_in(world, me)
    assert mechanism_of(session) == [HT] and "Provided new FAST token" not in session, session
    tokens = world.server.tokens(me.jid)[0]
    assert tokens["cur"] != old and "new" not in tokens, tokens


def test_the_old_token_serves_when_the_new_one_was_lost(world):
    """The server's answer with the new token does not reach the client: the old one is still there."""
    me = remembered(world)
    log_in(world, me)
    vault = snapshot(me)
    world.server.change_tokens(me.jid, "issued_at", -3 * 86400)
    log_in(world, me)
    restore(me, vault)
    session, _ = log_in(world, me)
    assert mechanism_of(session) == [HT], session


def bytes_of_a_log_in(world, person):
    """How many pass each way until all is said, through a relay."""
    relay = Relay(world.port)
    person.through(relay.port)
    log_in(world, person)
    passed = dict(relay.links[0].passed)
    relay.close()
    return passed


@rows(*(("%s at %d of 6" % (way, n), way, n) for way, n in ((UP, 2), (UP, 3), (DOWN, 2), (DOWN, 3), (DOWN, 4))))
def test_a_log_in_cut_while_the_token_is_replaced(world, way, n):
    """Wherever the connection ends: the next log-in needs no password."""
    me = remembered(world)
    length = bytes_of_a_log_in(world, me)[way]
    world.server.change_tokens(me.jid, "issued_at", -3 * 86400)
    me.without_password()
    relay = Relay(world.port, [Fault("reset", length * n // 6, way)])
    me.through(relay.port)
    me.run("send", me.jid, "cut")
    assert relay.faults[0].happened
    log_in(world, me)
    relay.close()


def files_of(person):
    for folder, _, names in os.walk(person.home):
        for name in names:
            yield os.path.join(folder, name)


def snapshot(person):
    saved = {}
    for path in files_of(person):
        with open(path, "rb") as f:
            saved[path] = f.read()
    return saved


def restore(person, saved):
    for path in list(files_of(person)):
        if path not in saved:
            os.remove(path)
    for path, data in saved.items():
        with open(path, "wb") as f:
            f.write(data)


# -- The password is needed once --------------------------------------------------

def test_a_password_is_needed_once(world):
    me = remembered(world)
    me.without_password()
    session, _ = log_in(world, me)
    assert mechanism_of(session) == [HT], session


def test_without_a_password_and_without_a_token(world):
    me = remembered(world)
    me.without_password()
    session, _ = log_in(world, me, "--mechanism", "SCRAM-SHA-256-PLUS")
    assert mechanism_of(session) == ["SCRAM-SHA-256-PLUS"], session


def test_a_password_that_was_changed_at_the_server(world):
    """Keys and token are of no use any more: asked for a password, not told of a broken server."""
    me = remembered(world)
    me.without_password()
    user = me.jid.split("@")[0]
    revoke(world.server, me.jid)
    path = os.path.join(world.server.folder, "data", "localhost", "accounts", user + ".dat")
    with open(path, "w", encoding="utf-8") as f:
        f.write('return { ["password"] = "another one" };\n')
    result = me.run("ping")
    assert result.code in (2, 3) and result.err.count("\n") == 1 and "password" in result.err, result
    me.password_file = os.path.join(me.home, "password")
    with open(me.password_file, "w", encoding="utf-8") as f:
        f.write("another one\n")
    os.chmod(me.password_file, 0o600)
    log_in(world, me)
    me.without_password()
    log_in(world, me)


def test_the_password_is_nowhere_on_the_disk(world):
    me = remembered(world)
    log_in(world, me)
    me.without_password()
    token = world.server.tokens(me.jid)[0]["cur"].encode()
    told = me.run("--xml", "-vv", "send", me.jid, "a word").expect(0)
    assert token.decode() not in told.out + told.err, told
    holders = []
    for path, data in snapshot(me).items():
        assert me.password.encode() not in data, path
        if token in data:
            holders.append(path)
    assert len(holders) == 1, holders
    assert stat.S_IMODE(os.stat(holders[0]).st_mode) == 0o600, holders


# -- Two programs at once ---------------------------------------------------------

def test_a_second_program_does_not_end_the_first(world):
    me = remembered(world)
    listen = world.listen(me, "--json", "--count", "2")
    session, _ = log_in(world, me)
    assert not mechanism_of(session)[0].startswith("HT-"), session
    listen.line(lambda line: '"a word"' in line)
    world.raw(world.person()).message(me.jid, "the last one")
    assert listen.finish(seconds=30) == 0
    assert len(world.server.sessions_of(me.jid)) >= 3
    session, _ = log_in(world, me)
    assert mechanism_of(session) == [HT], session


# -- Resumption inside the log-in -------------------------------------------------

def test_a_cut_connection_is_resumed_within_the_log_in(world):
    relay = Relay(world.port)
    me = world.person()
    me.through(relay.port)
    raw = world.raw(world.person())
    listen = world.listen(me, "--json", "--count", "2")
    raw.message(me.jid, "before")
    listen.line(lambda line: '"before"' in line)
    relay.cut()
    raw.message(me.jid, "meanwhile")
    listen.line(lambda line: '"meanwhile"' in line, seconds=30)
    assert listen.finish(seconds=30) == 0
    bodies = [json.loads(line)["body"] for line in listen.lines]
    assert bodies == ["before", "meanwhile"], bodies
    session = world.server.sessions_of(me.jid)[-1]
    assert mechanism_of(session) == [HT] and "resuming existing session" in session, session
    assert "<resume " not in session and "Resource bound" not in session, session
    relay.close()


def test_what_is_sent_arrives_once_across_a_cut(world):
    relay = Relay(world.port)
    me, other = world.person(), world.person()
    me.through(relay.port)
    raw = world.raw(other)
    chat = me.start("chat", other.jid, stdin=subprocess.PIPE)
    for n in range(3):
        chat.process.stdin.write(b"number %d\n" % n)
        chat.process.stdin.flush()
        raw.take_message(type="chat", body="number %d" % n)
        relay.cut()
        chat.error_has("connected again", seconds=30, times=n + 1)
    chat.process.stdin.close()
    assert chat.finish(seconds=30) == 0
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    assert not [e for e in raw.stanzas if e.findtext("{jabber:client}body")], raw.stanzas
    relay.close()


# -- The floor --------------------------------------------------------------------

def sunk(person, *words):
    """A log-in that is refused as it would be less safe; nothing was sent that could help anybody."""
    result = person.run("--xml", "ping").expect(6)
    said = [line for line in result.err.splitlines() if not re.match("[CS]: ", line)]
    assert len(said) == 1 and said[0].startswith("jabiru: "), result
    for word in ("jabiru account set %s --allow-weaker" % person.jid, *words):
        assert word in said[0], "no %r: %s" % (word, result)
    wire = Wire(result.err)
    assert not wire.said("C", r"<(auth|authenticate|response)\b") or \
        wire.said("C", r"mechanism='HT-"), wire
    return result


def test_a_lower_version_of_tls(world):
    me = remembered(world)
    me.through(world.server.tls12_port)
    me.options[me.options.index("--tls") + 1] = "direct"
    sunk(me, "1.2", "1.3")
    me.run("account", "set", me.jid, "--allow-weaker").expect(0)
    session, _ = log_in(world, me)
    assert mechanism_of(session) == ["SCRAM-SHA-256-PLUS"], session


def test_the_floor_rises_again(world):
    me = at_tls12(world)
    log_in(world, me)
    direct = world.server.direct_port
    me.through(direct)
    log_in(world, me)
    me.through(world.server.tls12_port)
    sunk(me)


def test_allow_weaker_is_for_the_accounts_own_floor(world):
    """It has nothing to lift for an account that was never seen, and says so or does nothing."""
    me = world.person()
    me.run("account", "set", me.jid, "--allow-weaker")
    log_in(world, me)
