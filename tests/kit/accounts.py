"""Accounts of a test server and the jabiru program run as one of them."""
import os
import subprocess

from kit.process import Running
from kit.xmpp import Client

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.environ.get("JABIRU", os.path.join(ROOT, "build-test", "jabiru"))

# A sanitizer's finding ends the program with a status that no test expects.
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:exitcode=99:allocator_may_return_null=1",
              "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99"}


def users(n):
    return ["user%03d" % i for i in range(n)]


USERS = users(600)


def account_of(user):
    """The (address, password) of a user of a private server."""
    return user + "@localhost", "pass-%s \u0436" % user


class Result:
    def __init__(self, argv, code, out, err):
        self.argv, self.code, self.out, self.err = argv, code, out, err

    def __str__(self):
        return "%s\nexit %d\n%s\n%s" % (" ".join(self.argv), self.code, self.out[-3000:], self.err[-3000:])

    def expect(self, code=0):
        """Insists on an exit status."""
        assert self.code == code, "expected exit %d: %s" % (code, self)
        return self


class Person:
    """An account with a home folder of its own, so that no test meets another's files."""

    def __init__(self, folder, jid, password, options=()):
        self.jid, self.password = jid, password
        self.home = folder
        self.options = list(options)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.password_file = os.path.join(folder, "password")
        with os.fdopen(os.open(self.password_file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
            f.write(password + "\n")

    def argv(self, *args):
        source = ["--password-file", self.password_file] if self.password_file else []
        return [PROGRAM, "-j", self.jid, *source, *self.options, *args]

    def without_password(self):
        """From now on no source of a password is named, and the file is gone."""
        os.remove(self.password_file)
        self.password_file = None

    def through(self, port):
        """From now on the server is reached through this port."""
        self.options[self.options.index("--host") + 1] = "127.0.0.1:%d" % port

    def env(self):
        env = {"HOME": self.home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
               "XDG_RUNTIME_DIR": self.home, "TZ": "UTC"}
        env.update(SANITIZERS)
        return env

    def run(self, *args, stdin=None, seconds=60, blocks=None):
        """Runs jabiru to its end; `blocks`: no file may grow beyond so many of 512 bytes."""
        argv = self.argv(*args)
        if blocks is not None:
            argv = ["sh", "-c", "ulimit -f %d; exec \"$@\"" % blocks, "sh", *argv]
        done = subprocess.run(argv, env=self.env(), cwd=self.home, timeout=seconds,
                              input=stdin.encode() if stdin is not None else b"",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return Result(argv, done.returncode, done.stdout.decode("utf-8", "strict"),
                      done.stderr.decode("utf-8", "strict"))

    def start(self, *args, stdin=subprocess.DEVNULL):
        """Starts jabiru and leaves it running."""
        return Running(self.argv(*args), self.env(), self.home, stdin)


class World:
    """A server with a supply of fresh accounts; one of STARTTLS and direct TLS is used throughout."""

    def __init__(self, server, folder, direct):
        self.server, self.folder, self.direct = server, folder, direct
        self.port = server.direct_port if direct else server.port

    def person(self, *options):
        """An account that no other test has."""
        jid, password = self.server.account()
        options = ["--host", "127.0.0.1:%d" % self.port, "--ca-file", self.server.ca,
                   "--tls", "direct" if self.direct else "required", *options]
        return Person(os.path.join(self.folder, jid + ("-direct" if self.direct else "")),
                      jid, password, options)

    def raw(self, person, resource="raw", roster=True, presence=True):
        """The tests' own client, logged in as the same account."""
        client = Client(person.jid, person.password, self.port, self.server.ca, self.direct,
                        resource=resource)
        if roster:
            client.roster()
        if presence:
            client.presence()
            client.take_presence(client.jid)
        return client

    def listen(self, person, *args):
        """Starts `jabiru listen` and waits until the server knows of its presence.

        A message that reaches ejabberd between log-in and presence may be shown
        only at the next log-in.
        """
        watcher = self.raw(person, resource="watcher", presence=False)
        watcher.presence(inner="<priority>-1</priority>")
        running = person.start("listen", *args)
        watcher.take_presence(person.jid, test=lambda e: e.get("from") != watcher.jid)
        watcher.close()
        return running

    def pair(self):
        """Two people who see each other's presence, arranged by the tests' own client."""
        people = self.person(), self.person()
        ends = [self.raw(p) for p in people]
        for me, other in (ends, ends[::-1]):
            me.presence(to=other.bare, type="subscribe")
            other.take_presence(me.bare, "subscribe")
            other.presence(to=me.bare, type="subscribed")
            me.take_push(other.bare, test=lambda i: i.get("subscription") in ("to", "both"))
        for end in ends:  # so that none of it is still under way when the test begins
            end.presence(type="unavailable")
            end.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
            end.close()
        return people
