"""What the program keeps of an account's log-ins: told, lifted, forgotten, and no secret lost by the way."""
import glob
import json
import os
import stat

from kit.tap import rows


def info(person):
    """What `account info` knows."""
    return json.loads(person.run("account", "info", "--json").expect(0).out)


def vault(person):
    return os.path.join(person.home, ".local", "share", "jabiru", person.jid + ".vault")


def login(person, *options):
    return json.loads(person.run("account", "test", "--json", *options).expect(0).out)


def test_what_was_reached_is_told(world):
    me = world.person()
    before = info(me)
    assert before["keys"] is False and "mechanism" not in before, before
    reached = login(me)
    after = info(me)
    assert after["mechanism"] == reached["mechanism"].replace("-PLUS", "") and after["tls"] == reached["tls"], after
    assert after["keys"] is True and after["jid"] == me.jid, after
    assert stat.S_IMODE(os.stat(vault(me)).st_mode) == 0o600
    me.run("account", "set", me.jid, "--allow-weaker", "--dry-run").expect(0)
    assert info(me) == after
    said = me.run("account", "set", me.jid, "--allow-weaker").expect(0).err
    assert after["mechanism"] in said and "TLS " + after["tls"] in said, said
    lifted = info(me)
    assert "mechanism" not in lifted and "tls" not in lifted and lifted["keys"] is True, lifted


def test_the_log_in_is_told_in_one_line(world):
    me = world.person()
    reached = login(me)
    lines = [l for l in me.run("-v", "ping").expect(0).err.splitlines() if "online as" in l]
    assert len(lines) == 1 and "TLS " + reached["tls"] in lines[0], lines


def test_nothing_is_left_with_no_store(world):
    me = world.person()
    me.run("ping", "--no-store").expect(0)
    assert not os.path.exists(os.path.join(me.home, ".local"))
    me.run("ping").expect(0)
    me.without_password()
    me.run("ping", "--no-store", "--no-input").expect(2)
    me.run("account", "set", me.jid, "--allow-weaker", "--no-store").expect(2)


def cut(path):
    os.truncate(path, 100)


def open_to_others(path):
    os.chmod(path, 0o644)


def change(path):
    with open(path, "r+b") as f:
        f.seek(120)
        byte = f.read(1)
        f.seek(120)
        f.write(bytes((byte[0] ^ 1,)))


@rows(("cut", cut), ("open to others", open_to_others), ("changed", change))
def test_a_vault_that_is(world, spoil):
    """It ends the log-in before anything is sent, and stays until the user says so."""
    me = world.person()
    login(me)
    spoil(vault(me))
    with open(vault(me), "rb") as f:
        damaged = f.read()
    result = me.run("--xml", "ping").expect(9)
    assert "jabiru account set %s --allow-weaker" % me.jid in result.err and "C: " not in result.err, result
    me.run("account", "info").expect(9)
    said = me.run("account", "set", me.jid, "--allow-weaker").expect(0).err
    aside, = glob.glob(glob.escape(vault(me)) + ".damaged-*")
    assert aside in said, said
    with open(aside, "rb") as f:
        assert f.read() == damaged
    login(me)
    assert info(me)["keys"] is True


def test_no_place_for_a_vault(world):
    me = world.person()
    with open(os.path.join(me.home, ".local"), "w"):
        pass  # a file where a folder is needed
    result = me.run("ping").expect(9)
    assert "--no-store" in result.err and result.err.count("\n") == 1, result
    me.run("ping", "--no-store").expect(0)


def configured(person, name="work"):
    """Keeps the account in a configuration of its own; returns what names that."""
    person.run("account", "add", name, "--config", person.home + "/config.ini").expect(0)
    return ("--config", person.home + "/config.ini")


def test_an_account_that_is_changed(world):
    me = world.person()
    config = configured(me)
    path = config[1]
    me.run("account", "set", "work", *config, "--set", "tls=off", "--set", "resource=here").expect(0)
    me.run("account", "set", "work", *config, "--set", "tls=").expect(0)
    with open(path) as f:
        text = f.read()
    assert "resource = here" in text and "tls" not in text, text
    for wrong in ("nonsense=1", "tls=sometimes", "tls", "jid=other@localhost"):
        me.run("account", "set", "work", *config, "--set", wrong).expect(2)
    me.run("account", "set", "nobody", *config, "--set", "tls=off").expect(1)
    me.run("account", "set", "work", *config).expect(2)
    with open(path) as f:
        assert f.read() == text


def test_an_account_that_is_removed_leaves_nothing(world):
    me = world.person()
    config = configured(me)
    login(me)
    me.run("account", "rm", "work", *config, "--dry-run").expect(0)
    assert os.path.exists(vault(me))
    me.run("account", "rm", "work", *config).expect(0)
    assert not os.path.exists(vault(me))
    me.run("account", "rm", "work", *config).expect(1)


def test_an_account_is_removed_while_offline(world):
    me = world.person()
    me.through(9)  # nobody is there
    config = configured(me)
    me.through(world.port)
    login(me)
    me.run("account", "rm", "work", *config).expect(0)
    assert not os.path.exists(vault(me))


def test_an_address_that_two_accounts_have(world):
    me = world.person()
    config = configured(me)
    configured(me, "other")
    login(me)
    me.run("account", "rm", "other", *config).expect(0)
    assert os.path.exists(vault(me))
    me.run("account", "rm", "work", *config).expect(0)
    assert not os.path.exists(vault(me))


def test_an_account_that_is_in_use_stays(world):
    me = world.person()
    config = configured(me)
    login(me)
    listen = world.listen(me)
    assert info(me)["in_use"] is True
    for args in (("account", "rm", "work", *config), ("account", "set", me.jid, "--allow-weaker")):
        result = me.run(*args).expect(9)
        assert "another jabiru" in result.err, result
    me.run("ping").expect(0)
    listen.kill()
    assert "in_use" not in info(me)
    me.run("account", "rm", "work", *config).expect(0)


def test_a_password_that_was_changed(world):
    """What was kept serves no more: the new password is read by the usual ways, without another word."""
    me = world.person()
    login(me)
    if info(me)["token"]:
        return  # which outlives the password; test_sasl2 has that
    raw = world.raw(me)
    raw.iq("set", "<query xmlns='jabber:iq:register'><username>%s</username><password>new one</password></query>" %
           me.jid.split("@")[0], to="localhost")
    raw.close()
    me.without_password()
    result = me.run("ping", "--no-input").expect(2)
    assert "--password-file" in result.err, result
    with open(os.open(me.home + "/new", os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
        f.write("new one\n")
    me.run("ping", "--no-input", "--password-file", me.home + "/new").expect(0)


def test_a_secret_that_is_not_named_waits_until_it_is_needed(world):
    """Keys may fail where the server makes a new salt each time: what is sent is sent once all the same."""
    me = world.person()
    login(me)
    me.without_password()
    env = dict(me.env(), JABIRU_PASSWORD=me.password)
    me.env = lambda: env
    raw = world.raw(me)
    for n in range(3):
        me.run("send", me.jid, "word %d" % n).expect(0)
        raw.take_message(body="word %d" % n)
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    env["JABIRU_PASSWORD"] = "not this one"
    if not info(me)["token"]:
        me.run("send", me.jid, "never").expect(3)


@rows(("no scheme", "127.0.0.1:1080"), ("no port", "socks5://127.0.0.1"), ("unknown", "ftp://127.0.0.1:1"),
      ("with a password", "socks5://user:word@127.0.0.1:1"))
def test_a_proxy_that_cannot_be(world, url):
    result = world.person().run("ping", "--proxy", url).expect(2)
    assert result.err.startswith("jabiru: proxy: ") and result.err.count("\n") == 1 and "word@" not in result.err, result


def test_a_proxy_with_a_password_in_a_file_of_all(world):
    me = world.person()
    config = configured(me)
    with open(me.home + "/config.ini", "a") as f:
        f.write("proxy = socks5://user:word@127.0.0.1:1\n")
    me.run("ping", "-a", "work", *config).expect(4)
    os.chmod(me.home + "/config.ini", 0o644)
    assert "chmod 600" in me.run("ping", "-a", "work", *config).expect(2).err


def test_a_token_for_oauthbearer(world):
    """No server here takes one; what counts is that it is read as a secret is, and no password asked for."""
    me = world.person()
    me.without_password()
    path = me.home + "/token"
    with open(path, "w") as f:
        f.write("token\n")
    os.chmod(path, 0o644)
    assert "token: others" in me.run("ping", "--bearer-token-file", path).expect(2).err
    os.chmod(path, 0o600)
    result = me.run("ping", "--no-input", "--bearer-token-file", path).expect(3)
    assert result.err.startswith("jabiru: sasl: ") and "token" not in result.out, result


def test_the_token_ends_with_the_account(world):
    """Whoever got hold of a copy of the vault cannot use it any more (XEP-0484 §3.7)."""
    me = world.person()
    config = configured(me)
    login(me)
    if not info(me)["token"]:
        return
    assert login(me)["token"] is True
    with open(vault(me), "rb") as f:
        copy = f.read()
    assert "was told" in me.run("-v", "account", "rm", "work", *config).expect(0).err
    with open(os.open(vault(me), os.O_CREAT | os.O_WRONLY, 0o600), "wb") as f:
        f.write(copy)
    assert info(me)["token"] is True and "token" not in login(me)
