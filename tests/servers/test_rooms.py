"""Rooms: sending to one, listening in one, and not making one by mistake."""
import json

from kit.xmpp import CLIENT

MUC = "<x xmlns='http://jabber.org/protocol/muc'/>"


def make_room(world, owner, name):
    """A room made and opened by the tests' own client; its address."""
    raw = world.raw(owner)
    room = "%s-%s@%s" % (name, owner.jid.split("@")[0], world.server.rooms)
    raw.presence(to=room + "/owner", inner=MUC)
    raw.take_presence(room + "/owner")
    raw.iq("set", "<query xmlns='http://jabber.org/protocol/muc#owner'>"
           "<x xmlns='jabber:x:data' type='submit'/></query>", to=room)
    return raw, room


def test_send_to_a_room(world):
    owner, me = world.person(), world.person()
    raw, room = make_room(world, owner, "hall")
    me.run("send", "--room", "--nick", "guest", room, "\u043f\u0440\u0438\u0432\u0435\u0442 <all> \U0001f98e").expect(0)
    message = raw.take_message(type="groupchat", body="\u043f\u0440\u0438\u0432\u0435\u0442 <all> \U0001f98e")
    assert message.get("from") == room + "/guest"
    raw.take_presence(room + "/guest", "unavailable")


def test_no_room_is_made_by_sending(world):
    me = world.person()
    room = "no-such-room-%s@%s" % (me.jid.split("@")[0], world.server.rooms)
    me.run("send", "--room", room, "hello?").expect(5)
    found = world.raw(world.person()).iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", to=room)
    assert found.get("type") == "error", "the room was left behind"


def test_listen_in_a_room(world):
    owner, me = world.person(), world.person()
    raw, room = make_room(world, owner, "ear")
    listen = me.start("listen", "--json", "--room", room, "--nick", "ear", "--count", "1")
    raw.take_presence(room + "/ear")
    raw.message(room, "can you hear me?", type="groupchat")
    record = json.loads(listen.line())
    assert record["kind"] == "groupchat" and record["from"]["full"] == room + "/owner", record
    assert record["body"] == "can you hear me?", record
    assert listen.finish() == 0


def test_a_nick_that_is_taken(world):
    owner, me = world.person(), world.person()
    _, room = make_room(world, owner, "nick")
    result = me.run("send", "--room", "--nick", "owner", room, "it is me").expect(5)
    assert "conflict" in result.err, result


def test_the_history_of_a_room(world):
    owner, me = world.person(), world.person()
    raw, room = make_room(world, owner, "past")
    for n in range(3):
        raw.message(room, "old %d" % n, type="groupchat")
        raw.take_message(type="groupchat", body="old %d" % n)
    result = me.run("listen", "--json", "--room", room, "--history", "2", "--count", "2", "--for", "15").expect(0)
    records = [json.loads(line) for line in result.out.splitlines()]
    assert [r["body"] for r in records] == ["old 1", "old 2"], records
    assert all(r["history"] is True for r in records), records
