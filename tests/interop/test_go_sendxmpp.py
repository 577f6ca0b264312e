"""jabiru and go-sendxmpp, another program for the command line."""
import json
import subprocess

from kit.process import Running

TEXT = "\u0447\u0442\u043e <&> \"' \U0001f98e"


def command(world, person, *args):
    # It has no option for an authority of one's own: -n takes any certificate.
    return ["go-sendxmpp", "-u", person.jid, "-p", person.password, "-j", "127.0.0.1:%d" % world.port,
            "-n", *args]


def test_from_go_sendxmpp(world):
    me, other = world.person(), world.person()
    listen = world.listen(me, "--json", "--count", "1")
    done = subprocess.run(command(world, other, me.jid), input=TEXT.encode() + b"\n", env=other.env(),
                          cwd=other.home, timeout=30, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    record = json.loads(listen.line())
    assert record["body"] == TEXT and record["from"]["bare"] == other.jid, record


def test_to_go_sendxmpp(world):
    me, other = world.pair()
    raw = world.raw(me)
    listen = Running(command(world, other, "-l"), other.env(), other.home)
    raw.take_presence(other.jid)
    me.run("send", other.jid, TEXT).expect(0)
    listen.line(lambda line: TEXT in line)
    listen.kill()
