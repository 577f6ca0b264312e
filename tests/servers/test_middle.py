"""A man in the middle whose certificate verifies. Prosody's accounts have channel binding, so he gets nothing."""
import itertools
import os
import re

from kit.certs import Authority
from kit.mitm import (Middle, V12, only_mechanisms, without_bindings, without_plus, without_sasl2, without_tokens)
from kit.sasl2 import Login, SASL2, Scram, user_agent
from kit.tap import rows

NUMBERS = itertools.count()

ALL_STRIPPED = (without_plus, without_bindings, without_sasl2)

STRIPPED = (("relaying everything",), ("without -PLUS", without_plus),
            ("without the list of bindings", without_bindings),
            ("without -PLUS and the list", without_plus, without_bindings),
            ("without SASL2", without_sasl2),
            ("without any of it", *ALL_STRIPPED),
            ("with PLAIN only", only_mechanisms("PLAIN"), without_bindings, without_tokens),
            ("with SCRAM-SHA-1 only", without_sasl2, without_bindings,
             lambda text: text.replace("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1")),
            ("with unbound tokens only", without_plus, without_bindings,
             lambda text: re.sub(r"<mechanism>HT-SHA-256-EXPR</mechanism>", "", text)))

# What it looks like is ejabberd before 24.02, which is logged in to without binding: who was never
# there cannot tell.
LOOKS_LIKE_A_QUIRK = ("to look like a server of the wrong binding", without_bindings, without_sasl2)


def middle(world, *changes, **versions):
    """He has a certificate of the trusted authority for the server's name, with a key of his own."""
    authority = Authority(os.path.join(world.server.folder, "ca"))
    cert = authority.issue("middle%d" % next(NUMBERS), "localhost")
    return Middle(cert, world.server.direct_port, world.server.ca, *changes, **versions)


def fooled(world, person, man):
    """The person logs in through him, and fails. He has seen nothing that opens the account."""
    person.through(man.port)
    result = person.run("ping")
    assert result.code in (3, 6, 8), result
    assert result.err.startswith("jabiru: ") and result.err.count("\n") == 1, result
    assert b"<success" not in man.down, result
    for secret in (person.password.encode(), b"'PLAIN'", b"'DIGEST-MD5'"):
        assert secret not in man.up, (secret, result)
    assert not re.search(rb"<authenticate [^>]*HT-SHA-256-NONE", man.up), man.up
    return result


def test_he_gets_through_where_nothing_is_bound(world):
    """The control: a log-in without channel binding passes him by."""
    me = world.person()
    man = middle(world)
    login = Login(me.jid, man.port, world.server.ca)
    answer = login.authenticate(Scram(me.jid.split("@")[0], me.password), user_agent(1))
    assert answer.tag == SASL2 + "success", answer.tag
    man.close()


@rows(*((label, changes) for label, *changes in STRIPPED))
def test_the_first_log_in_ever(world, changes):
    man = middle(world, *changes)
    fooled(world, world.person(), man)
    man.close()


@rows(*((label, changes) for label, *changes in (*STRIPPED, LOOKS_LIKE_A_QUIRK)))
def test_an_account_that_logged_in_before(world, changes):
    me = world.person()
    me.run("ping").expect(0)
    man = middle(world, *changes)
    result = fooled(world, me, man)
    if without_plus in changes:
        assert result.code == 6 and "--allow-weaker" in result.err, result
    man.close()
    me.through(world.server.direct_port)
    me.run("ping").expect(0)  # he has broken nothing, either


def test_a_lower_version_of_tls(world):
    me = world.person()
    me.run("ping").expect(0)
    man = middle(world, near=V12)
    result = fooled(world, me, man)
    assert result.code == 6 and "1.2" in result.err, result
    man.close()


def test_he_is_not_taken_for_a_wrong_password(world):
    """The user would type another one, and another one."""
    me = world.person()
    me.run("ping").expect(0)
    man = middle(world)
    result = fooled(world, me, man)
    assert "in between" in result.err or "channel" in result.err, result
    man.close()


def test_at_the_users_own_word_even_he_is_let_through(world):
    me = world.person()
    me.run("ping").expect(0)
    man = middle(world, *LOOKS_LIKE_A_QUIRK[1:])
    fooled(world, me, man)
    me.run("account", "set", me.jid, "--allow-weaker").expect(0)
    me.run("ping").expect(0)
    assert b"<success" in man.down
    man.close()
