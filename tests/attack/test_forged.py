"""Stanzas that say they come from someone they do not come from: none is believed."""
import json

from kit.tap import rows

ROSTER = "{jabber:iq:roster}query"
VERSION = "{jabber:iq:version}query"
PING = "{urn:xmpp:ping}ping"
FRIEND = "<query xmlns='jabber:iq:roster'><item jid='friend@localhost' subscription='both'/></query>"
EVIL_ITEM = ("<query xmlns='jabber:iq:roster'><item jid='evil@attacker.example' name='Mother'"
             " subscription='both'/></query>")


def version(name):
    return "<query xmlns='jabber:iq:version'><name>%s</name><version>1</version></query>" % name


STRANGERS = [("of a stranger", "eve@attacker.example/x"), ("of another account", "eve@localhost"),
             ("of the server", "localhost"), ("of another resource", "user@localhost/other"),
             ("of a look-alike", "USER@localhost.attacker.example"), ("of a contact", "friend@localhost")]


@rows(*STRANGERS)
def test_a_roster_push(lab, sender):
    """RFC 6121 2.1.6: a push counts only without a sender or from the own bare address."""
    replies = []

    def roster(peer, iq):
        peer.send("<iq type='set' id='push1' from='%s' to='%s'>%s</iq>" % (sender, peer.jid, EVIL_ITEM))
        peer.result(iq, FRIEND)
        peer.send("<iq type='set' id='push2' from='%s' to='%s'>%s</iq>" % (sender, peer.jid, EVIL_ITEM))

    def seen(stanza):
        if stanza.get("id", "").startswith("push"):
            replies.append(stanza.get("type"))
    attempt = lab.run(lab.logged_in(lambda peer: peer.serve({ROSTER: roster}, seen)),
                      "roster", "list", "--json")
    attempt.succeeds()
    assert "friend@localhost" in attempt.out and "evil@" not in attempt.out, attempt
    assert "result" not in replies, replies


def test_a_roster_push_of_the_own_account(lab):
    """The control: a push without a sender is believed, and answered."""
    def roster(peer, iq):
        peer.result(iq, FRIEND if iq.get("type") == "get" else "")
        if iq.get("type") == "get":
            peer.send("<iq type='set' id='push' to='%s'>%s</iq>" % (peer.jid, EVIL_ITEM))

    answers = []

    def seen(stanza):
        if stanza.get("id") == "push":
            answers.append(stanza.get("type"))
    attempt = lab.run(lab.logged_in(lambda peer: peer.serve({ROSTER: roster}, seen)),
                      "roster", "group", "friend@localhost", "Friends")
    attempt.succeeds()
    assert answers == ["result"], answers


@rows(*STRANGERS)
def test_a_reply(lab, sender):
    """RFC 6120 8.2.3: the id alone does not make a reply."""
    def answer(peer, iq):
        peer.result(iq, version("Forged"), sender)
        peer.result(iq, version("True"))
    attempt = lab.run(lab.logged_in(lambda peer: peer.serve({VERSION: answer})),
                      "version", "peer@localhost/x", "--json")
    attempt.succeeds()
    assert json.loads(attempt.out)["name"] == "True", attempt


@rows(("message", "message"), ("presence", "presence"))
def test_a_reply_of_another_kind(lab, kind):
    """An error message with the request's id is no reply (CVE-2024-46957)."""
    def answer(peer, iq):
        peer.send("<%s type='error' id='%s' from='%s' to='%s'><error type='cancel'><item-not-found"
                  " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></%s>" %
                  (kind, iq.get("id"), iq.get("to"), peer.jid, kind))
        peer.result(iq, version("True"))
    attempt = lab.run(lab.logged_in(lambda peer: peer.serve({VERSION: answer})),
                      "version", "peer@localhost/x", "--json")
    attempt.succeeds()
    assert json.loads(attempt.out)["name"] == "True", attempt


def test_a_reply_nobody_asked_for(lab):
    def answer(peer, iq):
        for n in range(50):
            peer.send("<iq type='result' id='%d' from='localhost'>%s</iq>" % (n, version("Forged")))
        peer.result(iq, version("True"))
    attempt = lab.run(lab.logged_in(lambda peer: peer.serve({VERSION: answer})),
                      "version", "peer@localhost/x", "--json")
    attempt.succeeds()
    assert json.loads(attempt.out)["name"] == "True", attempt


def carbon(direction, wrapper, sender, receiver, body):
    return ("<message from='%s' to='user@localhost/x' type='chat'>"
            "<%s xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
            "<message xmlns='jabber:client' from='%s' to='%s' type='chat'><body>%s</body></message>"
            "</forwarded></%s></message>" % (wrapper, direction, sender, receiver, body, direction))


def sends_once_present(lab, xml):
    """A script that sends this when the client has sent its presence."""
    def then(peer):
        peer.serve({}, lambda st: peer.send(xml) if st.tag.endswith("}presence") and not st.get("type") else None)
    return lab.logged_in(then)


def listen(lab, *stanzas):
    """What `listen --json` prints of these and of the honest message that ends them."""
    honest = "<message from='friend@localhost/x' type='chat' id='last'><body>honest</body></message>"

    attempt = lab.run(sends_once_present(lab, "".join(stanzas) + honest), "listen", "--json", "--for", "4")
    attempt.succeeds()
    records = [json.loads(line) for line in attempt.out.splitlines()]
    return [r for r in records if r["type"] == "message"]


@rows(*STRANGERS)
def test_a_carbon(lab, sender):
    """XEP-0280 11: copies come from the own bare address, exactly."""
    records = listen(lab, carbon("received", sender, "boss@localhost/x", "user@localhost", "forged in"),
                     carbon("sent", sender, "user@localhost/x", "boss@localhost", "forged out"))
    assert [r["body"] for r in records] == ["honest"], records


def test_a_carbon_of_a_conversation_of_others(lab):
    records = listen(lab, carbon("received", "user@localhost", "a@x.example", "b@y.example", "not ours"))
    assert all(r["body"] != "not ours" or r["from"]["bare"] != "user@localhost" for r in records)


def test_a_carbon_within_a_carbon(lab):
    inner = carbon("received", "user@localhost", "boss@localhost/x", "user@localhost", "nested")
    outer = carbon("received", "user@localhost", "eve@attacker.example", "user@localhost", "")
    records = listen(lab, outer.replace("<body></body>", inner.replace("<message ", "<message xmlns='jabber:client' ", 1)))
    assert all(r.get("body") != "nested" for r in records), records


def test_an_archived_message_nobody_asked_for(lab):
    """XEP-0313 4.2: results of no open query are dropped."""
    forged = ("<message from='%s' to='user@localhost/x'><result xmlns='urn:xmpp:mam:2' queryid='1' id='1'>"
              "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>"
              "<message xmlns='jabber:client' from='boss@localhost' to='user@localhost' type='chat'>"
              "<body>forged</body></message></forwarded></result></message>")
    records = listen(lab, forged % "eve@attacker.example", forged % "user@localhost", forged % "localhost")
    assert [r["body"] for r in records] == ["honest"], records


def test_a_delay_that_is_claimed(lab):
    """XEP-0203: a sender cannot backdate a message by itself."""
    claimed = ("<message from='eve@attacker.example/x' type='chat'><body>old news</body>"
               "<delay xmlns='urn:xmpp:delay' from='eve@attacker.example' stamp='2001-02-03T04:05:06Z'/></message>")
    records = listen(lab, claimed)
    assert [r["body"] for r in records] == ["old news", "honest"], records
    assert not records[0]["stamp"].startswith("2001"), records


def test_terminal_codes_in_text(lab):
    """U+009B is CSI: XML allows it, a pipe or a terminal must not get it raw in text form."""
    codes = "<message from='friend@localhost/x' type='chat'><body>a\u009b31mb\u202ec\u2028d</body></message>"
    attempt = lab.run(sends_once_present(lab, codes), "listen", "--count", "1")
    attempt.succeeds()
    assert "a" in attempt.out and "\u009b" not in attempt.out, repr(attempt.out)


def test_unknown_requests_are_refused(lab):
    """RFC 6120 8.2.3: what is not understood is answered with service-unavailable."""
    replies = []

    def seen(stanza):
        if stanza.get("id") == "odd":
            replies.append((stanza.get("type"), [e.tag for e in stanza.iter()]))

    def answer(peer, iq):
        peer.send("<iq type='get' id='odd' from='eve@attacker.example/x'><q xmlns='no:such:thing'/></iq>")
        peer.result(iq, version("True"))
    lab.run(lab.logged_in(lambda peer: peer.serve({VERSION: answer}, seen)), "version", "peer@localhost/x")
    assert [kind for kind, _ in replies] == ["error"], replies
    assert any(tag.endswith("}service-unavailable") for tag in replies[0][1]), replies
