"""Nothing lost, nothing shown twice: what is kept here, the outbox, and the archive."""
import json
import os
import signal
import subprocess
import time

from kit.accounts import Person
from kit.process import wait_until
from kit.relay import Relay
from kit.xmpp import CLIENT
from servers.test_resume import through
from servers.test_rooms import make_room


def records(text):
    return [json.loads(line) for line in text.splitlines()]


def bodies(text):
    return [r["body"] for r in records(text) if r["type"] == "message"]


def second_home(person):
    """The same account on another machine."""
    return Person(person.home + "-other", person.jid, person.password, person.options)


def two_listeners(world, me):
    """The account's `jabiru listen` on two machines; a third client sees both online."""
    watcher = world.raw(me, resource="watcher", presence=False)
    watcher.presence(inner="<priority>-1</priority>")
    both = me.start("listen", "--json"), second_home(me).start("listen", "--json")

    def seen():
        return {e.get("from") for e in list(watcher.stanzas) if e.tag == CLIENT + "presence"} - {watcher.jid}
    wait_until(lambda: len(seen()) == 2, 15, "presence of both")
    watcher.close()
    return both


def store_of(person):
    return os.path.join(person.home, ".local", "share", "jabiru", person.jid + ".db")


def arrived(raw):
    """Bodies that have reached the tests' own client so far, in order."""
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    return [e.findtext(CLIENT + "body") for e in list(raw.stanzas)
            if e.tag == CLIENT + "message" and e.find(CLIENT + "body") is not None]


# -- Sending -----------------------------------------------------------------------

def test_each_message_is_accepted_then_delivered(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    result = me.run("send", "--lines", "--json", other.jid, stdin="one\ntwo\nthree\n").expect(0)
    found = {}
    for record in records(result.out):
        found.setdefault(record["id"], []).append(record["state"])
    assert list(found.values()) == [["accepted", "delivered"]] * 3, found
    assert arrived(raw) == ["one", "two", "three"]
    assert os.stat(store_of(me)).st_mode & 0o777 == 0o600


def test_every_way_to_wait_sends_once(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    for way in ("ack", "bounce", "none"):
        me.run("send", "--wait", way, other.jid, way).expect(0)
        raw.take_message(body=way)
    me.run("send", other.jid, "last").expect(0)
    raw.take_message(body="last")
    assert arrived(raw) == [], "something was sent again"


def test_a_receipt_is_waited_for(world):
    me, other = world.pair()
    listen = world.listen(other, "--receipts")
    result = me.run("send", "--json", "--wait=receipt", "--timeout", "20", other.jid, "got it?").expect(0)
    assert [r["state"] for r in records(result.out)] == ["received"], result
    listen.interrupt()
    listen.finish()
    result = me.run("send", "--json", "--wait=receipt", "--timeout", "3", other.jid, "and now?").expect(7)
    assert [r["state"] for r in records(result.out)] == ["delivered"], result
    assert "no receipt" in result.err, result


def test_what_failed_is_not_sent_later(world):
    relay = Relay(world.port)
    me, other = through(world, relay), world.person()
    raw = world.raw(other)
    send = me.start("send", "--lines", "--json", other.jid, stdin=subprocess.PIPE)
    send.process.stdin.write(b"first\n")
    send.process.stdin.flush()
    send.line(lambda line: '"delivered"' in line)
    relay.close()
    send.error_has("connection was lost")
    send.process.stdin.write(b"second\n")
    send.process.stdin.flush()
    identity = json.loads(send.line(lambda line: '"accepted"' in line and
                                    json.loads(line)["id"] != json.loads(send.lines[0])["id"]))["id"]
    send.interrupt()
    assert send.finish() == 130
    states = [r["state"] for r in map(json.loads, send.lines) if r["id"] == identity]
    assert states == ["accepted", "failed"], send.lines
    assert b"safe to try again" in send.errors, send.errors
    me.options[me.options.index("--host") + 1] = "127.0.0.1:%d" % world.port
    me.run("send", other.jid, "second").expect(0)
    raw.take_message(body="second")
    assert arrived(raw) == ["first"], "it came twice"


def test_killed_and_sent_again(world):
    """What a killed run accepted arrives once, in order, before what the next one sends."""
    me, other = world.person(), world.person()
    raw = world.raw(other)
    for round_ in range(4):
        send = me.start("send", "--lines", "--json", other.jid, stdin=subprocess.PIPE)
        wanted = 5 + 17 * round_
        lines = "".join("%d.%d\n" % (round_, n) for n in range(300)).encode()
        send.process.stdin.write(lines)
        send.process.stdin.flush()
        wait_until(lambda: len(send.lines) > wanted, 15, "records of accepted messages")
        send.kill()
        send.finish()
    accepted = [r["id"] for r in map(json.loads, send.lines) if r["state"] == "accepted"]
    result = me.run("send", "--json", other.jid, "end").expect(0)
    raw.take_message(body="end")
    got = arrived(raw)
    assert len(got) == len(set(got)), "something came twice"
    for round_ in range(4):
        part = [b for b in got if b.startswith("%d." % round_)]
        assert part == ["%d.%d" % (round_, n) for n in range(len(part))], part
    earlier = {r["id"] for r in records(result.out) if r.get("earlier")}
    told = {r["id"] for r in map(json.loads, send.lines) if r["state"] == "delivered"}
    assert set(accepted) <= told | earlier, "an accepted message was forgotten"
    assert len([b for b in got if b.startswith("3.")]) >= len(accepted)


def test_a_full_disk(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    me.run("send", other.jid, "before").expect(0)
    raw.take_message(body="before")
    result = me.run("send", other.jid, "x" * 60000, blocks=64).expect(9)
    assert "store:" in result.err and "--no-store" in result.err, result
    assert arrived(raw) == [], "it was sent all the same"
    me.run("send", other.jid, "after").expect(0)
    raw.take_message(body="after")
    assert arrived(raw) == []


def test_no_place_to_keep_anything(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    with open(os.path.join(me.home, ".local"), "w"):
        pass  # a file where a folder is needed
    result = me.run("send", other.jid, "hello").expect(9)
    assert "--no-store" in result.err and result.err.count("\n") == 1, result
    me.run("send", "--no-store", other.jid, "hello").expect(0)
    raw.take_message(body="hello")


# -- Listening ------------------------------------------------------------------------

def test_what_was_missed_comes_once_and_in_order(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    me.run("listen", "--for", "3").expect(0)
    for n in range(12):
        raw.message(me.jid, "missed %d" % n)
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    first = me.run("listen", "--json", "--count", "5", "--for", "15").expect(0)
    rest = me.run("listen", "--json", "--count", "7", "--for", "15").expect(0)
    assert bodies(first.out) + bodies(rest.out) == ["missed %d" % n for n in range(12)], (first, rest)
    assert all(r["history"] for r in records(rest.out)), rest
    assert me.run("listen", "--json", "--for", "2").expect(0).out == ""


def test_what_waited_before_the_first_time(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    for n in range(3):
        raw.message(me.jid, "waiting %d" % n)
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    result = me.run("listen", "--json", "--count", "3", "--for", "15").expect(0)
    assert bodies(result.out) == ["waiting 0", "waiting 1", "waiting 2"], result
    assert me.run("listen", "--json", "--for", "2").expect(0).out == ""


def test_what_waited_comes_in_parts(world):
    """Also when the first look at the archive has passed it already."""
    me, other = world.person(), world.person()
    raw = world.raw(other)
    for n in range(6):
        raw.message(me.jid, "waiting %d" % n)
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    shown = []
    for count in (2, 3, 1):
        shown += bodies(me.run("listen", "--json", "--count", str(count), "--for", "15").expect(0).out)
    assert shown == ["waiting %d" % n for n in range(6)], shown
    assert me.run("listen", "--json", "--for", "2").expect(0).out == ""


def test_a_kill_loses_and_repeats_nothing(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    me.run("listen", "--for", "3").expect(0)
    shown, sent = [], 0
    for _ in range(4):
        listen = me.start("listen", "--json")
        end = sent + 15
        while sent < end:
            raw.message(me.jid, "number %d" % sent)
            sent += 1
        wait_until(lambda: listen.lines, 20, "a message")
        listen.kill()
        listen.finish()
        shown += [json.loads(line)["body"] for line in listen.lines]
    result = me.run("listen", "--json", "--for", "4").expect(0)
    shown += bodies(result.out)
    assert len(shown) == len(set(shown)), "shown twice: %r" % shown
    kept = bodies(me.run("history", "--local", "--json", "--with", other.jid, "--limit", "500").expect(0).out)
    assert kept == ["number %d" % n for n in range(sent)], kept
    assert len(shown) >= sent - 4, "at most one a kill is kept and not shown: %r" % shown


def test_two_clients_show_each_message_once(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    one, two = two_listeners(world, me)
    mine = world.raw(me)
    raw.message(me.jid, "to both")
    mine.message(other.jid, "from a third")
    raw.message(mine.jid, "to the third")
    wanted = {"to both", "from a third", "to the third"}
    for listen in (one, two):
        wait_until(lambda: {json.loads(l)["body"] for l in listen.lines} >= wanted, 15, "three messages")
        listen.interrupt()
        listen.finish()
        shown = [json.loads(line)["body"] for line in listen.lines]
        assert sorted(shown) == sorted(wanted), shown
    assert me.run("listen", "--json", "--for", "2").expect(0).out == ""


def test_a_command_that_fails_gets_the_message_again(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    me.run("listen", "--for", "3").expect(0)
    for n in range(3):
        raw.message(me.jid, "task %d" % n)
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    log = os.path.join(me.home, "log")
    command = "cat >> %s; echo >> %s; ! grep -q 'task 1' %s || [ -e %s/ready ]" % (log, log, log, me.home)
    result = me.run("listen", "--for", "20", "--count", "3", "--ack-after-exec", "--exec", command).expect(9)
    assert "--ack-after-exec" in result.err, result
    open(os.path.join(me.home, "ready"), "w").close()
    me.run("listen", "--for", "20", "--count", "2", "--ack-after-exec", "--exec", command).expect(0)
    with open(log) as f:
        assert f.read().split("\n") == ["task 0", "task 1", "task 1", "task 2", ""]
    assert me.run("listen", "--json", "--for", "2").expect(0).out == ""


def test_the_history_of_a_room_is_shown_once(world):
    owner, me = world.person(), world.person()
    raw, room = make_room(world, owner, "once")
    for n in range(3):
        raw.message(room, "old %d" % n, type="groupchat")
        raw.take_message(type="groupchat", body="old %d" % n)
    first = me.run("listen", "--json", "--room", room, "--history", "5", "--for", "4").expect(0)
    assert bodies(first.out) == ["old 0", "old 1", "old 2"], first
    raw.message(room, "new", type="groupchat")
    raw.take_message(type="groupchat", body="new")
    second = me.run("listen", "--json", "--room", room, "--for", "4").expect(0)
    assert bodies(second.out) == ["new"], second


def test_beside_a_running_one(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    listen = world.listen(me, "--json")
    raw.message(me.jid, "kept by listen")
    listen.line()
    me.run("send", other.jid, "sent beside it").expect(0)
    raw.take_message(body="sent beside it")
    result = me.run("history", "--json").expect(0)
    assert "kept by listen" in bodies(result.out), result
    assert bodies(me.run("search", "--json", "kept").expect(0).out) == ["kept by listen"]
    result = me.run("listen", "--for", "3").expect(0)
    assert "another jabiru" in result.err, result
    listen.interrupt(signal.SIGTERM)
    assert listen.finish() == 143


# -- Looking back -----------------------------------------------------------------------

def test_history_and_search(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    texts = ["\u0451\u043b\u043a\u0430 \u0438 \u0437\u0432\u0435\u0437\u0434\u0430", "\u4f60\u597d\u4e16\u754c",
             "Caf\u00e9 invoice", "plain"]
    for text in texts:
        raw.message(me.jid, text)
    me.run("send", other.jid, "my own invoice").expect(0)
    raw.take_message(body="my own invoice")
    assert bodies(me.run("history", "--json").expect(0).out) == texts + ["my own invoice"]
    result = me.run("history", "--json", "--with", other.jid).expect(0)
    assert bodies(result.out) == texts + ["my own invoice"], result
    own = records(result.out)[-1]
    assert own["state"] == "delivered" and own["from"]["bare"] == me.jid, own
    for words, wanted in ((["\u0415\u041b\u041a\u0410"], texts[:1]), (["\u4e16\u754c"], texts[1:2]),
                          (["cafe"], texts[2:3]), (["invoice"], [texts[2], "my own invoice"]),
                          (["my", "invo"], ["my own invoice"])):
        assert bodies(me.run("search", "--json", *words).expect(0).out) == wanted, words
    me.run("search", "nothing-like-that").expect(1)
    me.run("search", "plain", "--since", "2099-01-01").expect(1)
    me.run("search", "plain", "--with", "stranger@localhost").expect(1)
    assert bodies(me.run("search", "--json", "plain", "--with", other.jid.split("@")[0]).expect(0).out) == ["plain"]


def test_history_page_by_page(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    for n in range(9):
        raw.message(me.jid, "line %d" % n)
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    wanted = ["line %d" % n for n in range(9)]
    for where in ((), ("--server",)):
        key, found = None, []
        for _ in range(3):
            more = ("--before", key) if key else ()
            result = me.run("history", "--json", "--with", other.jid, "--limit", "3", *where, *more).expect(0)
            page = records(result.out)
            key = page[0]["archive_id" if where else "key"]
            found = [r["body"] for r in page] + found
        assert found == wanted, (where, found)
    result = me.run("history", "--server", "--with", other.jid, "--before", "no-such-id")
    # Prosody refuses an id that it does not know; ejabberd has nothing before it, or takes it for any.
    assert result.code in (1, 2) or all(line.split("\t")[-1] in wanted for line in result.out.splitlines()), result
    assert me.run("history", "--local", "--with", "stranger@localhost").expect(1).out == ""


def test_history_as_a_file(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    raw.message(me.jid, "From here\n\u0436 *not bold*")
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    box = me.run("history", "--export", "mbox").expect(0).out
    assert box.startswith("From %s " % other.jid) and "\n>From here\n\u0436 *not bold*\n" in box, box
    text = me.run("history", "--local", "--export", "md").expect(0).out
    assert "\\*not bold\\*" in text and text.startswith("## "), text
    assert bodies(me.run("history", "--local", "--export", "json").expect(0).out) == ["From here\n\u0436 *not bold*"]


def test_history_does_not_swallow_what_listen_is_to_print(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    me.run("listen", "--for", "3").expect(0)
    raw.message(me.jid, "for both")
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    assert bodies(me.run("history", "--json").expect(0).out) == ["for both"]
    result = me.run("listen", "--json", "--count", "1", "--for", "10").expect(0)
    assert bodies(result.out) == ["for both"], result
    assert me.run("listen", "--json", "--for", "2").expect(0).out == ""


def test_history_without_a_connection(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    raw.message(me.jid, "kept")
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    me.run("history").expect(0)
    me.options[me.options.index("--host") + 1] = "127.0.0.1:1"
    assert bodies(me.run("history", "--local", "--json").expect(0).out) == ["kept"]
    result = me.run("history", "--json").expect(4)
    assert bodies(result.out) == ["kept"], result


def test_chat_begins_with_what_was_said(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    raw.message(me.jid, "said before")
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    me.run("history").expect(0)
    result = me.run("chat", other.jid, "--history", "5", stdin="hello\n").expect(0)
    assert "said before" in result.out, result
    raw.take_message(body="hello")
    time.sleep(0.5)
    assert arrived(raw) == []


def test_a_full_disk_while_listening(world):
    """What cannot be kept stays at the server and comes when there is room again."""
    me, other = world.person(), world.person()
    raw = world.raw(other)
    me.run("listen", "--for", "3").expect(0)
    texts = ["one", "two", "x" * 60000, "four"]
    for text in texts:
        raw.message(me.jid, text)
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    full = me.run("listen", "--json", "--for", "100", blocks=100, seconds=120).expect(9)
    assert "store: " in full.err or "jabiru: " in full.err, full
    after = me.run("listen", "--json", "--for", "4")
    if after.code == 4:  # what was acknowledged could not be kept either: Prosody ends that stream
        after = me.run("listen", "--json", "--for", "4")
    after.expect(0)
    assert bodies(full.out) + bodies(after.out) == texts, (full, after)
    kept = bodies(me.run("history", "--local", "--json", "--with", other.jid).expect(0).out)
    assert kept == texts, kept


def test_the_last_messages_first(world):
    me, other = world.person(), world.person()
    raw = world.raw(other)
    me.run("listen", "--for", "3").expect(0)
    for n in range(5):
        raw.message(me.jid, "old %d" % n)
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    me.run("listen", "--count", "5", "--for", "15").expect(0)
    raw.message(me.jid, "new")
    raw.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    result = me.run("listen", "--json", "--history", "2", "--count", "3", "--for", "15").expect(0)
    assert bodies(result.out) == ["old 3", "old 4", "new"], result
    fresh = second_home(me).run("listen", "--json", "--history", "3", "--count", "3", "--for", "15").expect(0)
    assert bodies(fresh.out) == ["old 3", "old 4", "new"], fresh
