"""Messages of every type, both ways, with all that text can hold."""
import json
import os

from kit.tap import rows
from kit.xmpp import CLIENT

BODIES = [
    ("Russian", "\u0413\u0434\u0435 \u0442\u0432\u043e\u0439 \u0434\u043e\u043c, \u0420\u043e\u043c\u0435\u043e?"),
    ("emoji", "\U0001f98e \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e7\U0001f1f7 e\u0301"),
    ("markup", "<a href=\"x\">&amp; ' \" ]]> &#x41; <!-- -->"),
    ("lines", "first\nsecond\n\n\tlast  "),
    ("64 KiB", "0123456789abcd \u0436" * 3855),
    ("a control that XML allows", "next\u0085line \u009b31m"),
]


@rows(*BODIES)
def test_sent(world, body):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    me.run("send", other.jid, stdin=body).expect(0)
    raw.take_message(type="chat", body=body)


@rows(*BODIES)
def test_received(world, body):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    listen = world.listen(me, "--json", "--count", "1")
    raw.message(me.jid, body)
    record = json.loads(listen.line())
    assert record["body"] == body and record["from"]["full"] == raw.jid, record
    assert listen.finish() == 0


@rows(("chat", "chat"), ("normal", "normal"), ("headline", "headline"))
def test_types_sent(world, kind):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    me.run("send", "--type", kind, "--subject", "\u0422\u0435\u043c\u0430 <&>", other.jid, "text").expect(0)
    message = raw.take_message(body="text")
    assert message.get("type") in ((None, "normal") if kind == "normal" else (kind,)), message.attrib
    assert message.findtext(CLIENT + "subject") == "\u0422\u0435\u043c\u0430 <&>"
    assert message.get("id"), "a message needs an id to be traced by"


@rows(("chat", "chat"), ("normal", "normal"), ("headline", "headline"))
def test_types_received(world, kind):
    me, other = world.pair()
    raw = world.raw(other)
    listen = me.start("listen", "--json", "--count", "1")
    raw.take_presence(me.jid)
    raw.message(me.jid, "text", type=kind, id="m1", inner="<subject>\u0422\u0435\u043c\u0430 &lt;</subject>"
                "<thread>t-1</thread>")
    record = json.loads(listen.line())
    assert record["kind"] == kind and record["subject"] == "\u0422\u0435\u043c\u0430 <", record
    assert record["thread"] == "t-1" and record["id"] == "m1", record


def test_an_error_message_is_received(world):
    me, other = world.pair()
    raw = world.raw(other)
    listen = me.start("listen", "--json", "--count", "1")
    full = raw.take_presence(me.jid).get("from")
    raw.send("<message type='error' to='%s' id='e1'><body>lost</body><error type='wait'><recipient-unavailable"
             " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>"
             "asleep</text></error></message>" % full)
    record = json.loads(listen.line())
    assert record["kind"] == "error" and record["error"]["condition"] == "recipient-unavailable", record
    assert record["error"]["text"] == "asleep", record


def test_an_unknown_user_bounces(world):
    me = world.person()
    result = me.run("send", "no-such-user@localhost", "hello").expect(5)
    assert "not delivered to no-such-user@localhost: service-unavailable" in result.err, result


def test_one_of_several_recipients_bounces(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    result = me.run("send", "--json", other.jid, "no-such-user@localhost", "hello all").expect(5)
    raw.take_message(body="hello all")
    states = {r["to"]: r["state"] for r in map(json.loads, result.out.splitlines())}
    assert states == {other.jid: "delivered", "no-such-user@localhost": "failed"}, states


def test_an_unknown_server_bounces(world):
    me = world.person()
    result = me.run("send", "someone@no-such-host.invalid", "hello")
    assert result.code in (0, 5), result  # the own server may need time to find out


def test_nothing_to_send(world):
    assert "nothing to send" in world.person().run("send", "x@localhost", stdin="").expect(2).err


def test_lines_arrive_in_order(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    lines = ["line %d \u0436" % n for n in range(200)]
    me.run("send", "--lines", other.jid, stdin="\n".join(lines) + "\n").expect(0)
    for line in lines:
        body = raw.take(lambda e: e.find(CLIENT + "body") is not None).findtext(CLIENT + "body")
        assert body == line, (body, line)


def test_a_message_waits_for_an_absent_friend(world):
    me, other = world.person(), world.person()
    me.run("send", other.jid, "see you later").expect(0)
    result = other.run("listen", "--json", "--count", "1", "--for", "20").expect(0)
    record = json.loads(result.out.splitlines()[0])
    assert record["body"] == "see you later" and record["from"]["bare"] == me.jid, record
    assert record["delay"]["stamp"] and record["stamp"] == record["delay"]["stamp"], record


def test_two_jabirus_talk(world):
    me, other = world.person(), world.person()
    listen = world.listen(other, "--json", "--count", "2")
    me.run("send", other.jid, "art thou not Romeo?").expect(0)
    me.run("send", other.jid, "<and a Montague?>").expect(0)
    assert listen.finish() == 0
    assert [json.loads(l)["body"] for l in listen.lines] == ["art thou not Romeo?", "<and a Montague?>"]


def test_copies_of_what_another_client_sends(world):
    """XEP-0280: what the account's other client sends and gets is shown as a copy."""
    me, other = world.person(), world.person()
    mine, theirs = world.raw(me), world.raw(other)
    listen = world.listen(me, "--json")
    for n in range(20):  # until carbons are on, which no one but the server knows
        mine.message(theirs.jid, "from my other client %d" % n)
        theirs.take_message(body="from my other client %d" % n)
        if any("carbon" in line for line in listen.lines):
            break
        mine.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    record = json.loads(listen.line(lambda line: "history" not in json.loads(line), seconds=3))
    assert record["carbon"] == "sent" and record["to"]["full"] == theirs.jid, record


def test_only_from_one(world):
    me, friend, stranger = world.person(), world.person(), world.person()
    listen = world.listen(me, "--json", "--count", "1", "--from", friend.jid)
    stranger.run("send", me.jid, "buy!").expect(0)
    friend.run("send", me.jid, "hello").expect(0)
    assert json.loads(listen.line())["body"] == "hello"
    assert listen.finish() == 0


def test_a_command_for_each_message(world):
    me, other = world.person(), world.person()
    kept = os.path.join(me.home, "kept")
    listen = world.listen(me, "--count", "1", "--exec", "cat > %s; echo $JABIRU_FROM >> %s" % (kept, kept))
    body = "$(touch %s/pwned) `id` ; \u0436 \U0001f98e" % me.home
    other.run("send", me.jid, stdin=body).expect(0)
    assert listen.finish() == 0
    with open(kept, encoding="utf-8") as f:
        text = f.read()
    assert text.startswith(body) and other.jid in text, text
    assert not os.path.exists(os.path.join(me.home, "pwned"))


def test_listening_in_vain(world):
    me = world.person()
    me.run("listen", "--for", "3").expect(0)
    me.run("listen", "--for", "1", "--count", "1").expect(1)


def test_listen_ends_by_a_signal(world):
    import signal
    me, other = world.pair()
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        raw = world.raw(other)
        listen = me.start("listen")
        raw.take_presence(me.jid)
        listen.interrupt(number)
        assert listen.finish() == code
        raw.take_presence(me.jid, "unavailable")
        raw.close()


def test_chat_line_by_line(world):
    import subprocess
    me, other = world.pair()
    raw = world.raw(other)
    chat = me.start("chat", other.jid, stdin=subprocess.PIPE)
    raw.take_presence(me.jid)
    chat.process.stdin.write("\u0447\u0442\u043e \u043d\u043e\u0432\u043e\u0433\u043e?\n".encode())
    chat.process.stdin.flush()
    asked = raw.take_message(type="chat", body="\u0447\u0442\u043e \u043d\u043e\u0432\u043e\u0433\u043e?")
    raw.message(asked.get("from"), "nothing new \U0001f98e")
    chat.line(lambda l: "nothing new \U0001f98e" in l)
    chat.process.stdin.close()
    assert chat.finish() == 0
