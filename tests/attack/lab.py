"""What the attack tests share: certificates of every kind, and jabiru run against a scripted server."""
import base64
import itertools
import os
import subprocess
import time

from attack.scripted import Scripted
from kit.accounts import Person
from kit.certs import Authority

CANARY = "canary-7f3a9c51d2-bird"
PATIENCE = 20  # seconds that an attempt may take which needs no waiting, on a busy machine


def base64_cores(secret):
    """What of the secret's base64 shows whatever stands before and after it."""
    for shift in range(3):
        text = base64.b64encode(b"x" * shift + secret).decode()
        yield text[4 if shift else 0:-4]


def leaks(data):
    """The forms of the canary that are in data."""
    forms = [CANARY, CANARY.encode().hex(), *base64_cores(CANARY.encode())]
    return [f for f in forms if f.encode() in bytes(data)]


class Attempt:
    """One run of jabiru: its exit status, output, time, and what the servers saw."""

    def __init__(self, result, seconds, wire):
        self.code, self.out, self.err = result.code, result.out, result.err
        self.seconds, self.wire, self._result = seconds, wire, result

    def __str__(self):
        return "%s\nafter %.1f s" % (self._result, self.seconds)

    def fails(self, *codes, says=(), within=PATIENCE):
        """Insists on one of the exit statuses, one line that says why, in time, and no leak."""
        assert self.code in codes, "expected exit %s: %s" % (codes, self)
        assert self.err.startswith("jabiru: ") and self.err.count("\n") == 1, self
        for word in (says,) if isinstance(says, str) else says:
            assert word in self.err, "no %r: %s" % (word, self)
        return self.keeps_quiet(within)

    def succeeds(self, within=PATIENCE):
        assert self.code == 0, self
        return self.keeps_quiet(within)

    def keeps_quiet(self, within=PATIENCE):
        assert self.seconds < within, "took too long: %s" % self
        for data in (self.wire, self.out.encode(), self.err.encode()):
            assert not leaks(data), "the password leaked as %s: %s" % (leaks(data), self)
        return self


class Lab:
    """Certificates and temporary homes; `run` is what the tests call."""

    def __init__(self, folder):
        self.folder, self.canary = folder, CANARY
        self.authority = Authority(os.path.join(folder, "ca"))
        self.good = self.authority.issue("good", "localhost")
        self.expired = self.authority.issue("expired", "localhost", days=-1)
        self.wrong_name = self.authority.issue("wrong", "other.example")
        self.self_signed = self.authority.self_signed("self", "localhost")
        self.untrusted = Authority(os.path.join(folder, "other")).issue("untrusted", "localhost")
        self._numbers = itertools.count()

    def person(self, *options, domain="localhost", password=CANARY):
        home = os.path.join(self.folder, "home%d" % next(self._numbers))
        return Person(home, "user@" + domain, password,
                      ["--ca-file", self.authority.file, "--timeout", "15", *options])

    def run(self, script, *command, tls="direct", options=(), stdin=None, domain="localhost",
            password=CANARY):
        """Plays the script to `jabiru COMMAND`, `ping` when none is given."""
        server = Scripted(script, domain)
        person = self.person("--host", "127.0.0.1:%d" % server.port, "--tls", tls, *options,
                             domain=domain, password=password)
        attempt = self.attempt(person, *(command or ("ping",)), wire=server.wire, stdin=stdin)
        server.close()
        attempt.server = server
        assert not server.failures, "%s\n%r" % (attempt, server.failures)
        return attempt

    def attempt(self, person, *command, wire=b"", stdin=None):
        began = time.monotonic()
        try:
            result = person.run(*command, stdin=stdin, seconds=90)
        except subprocess.TimeoutExpired as e:
            raise AssertionError("still running after 90 s: %s\n%s" % (e.cmd, e.stderr))
        return Attempt(result, time.monotonic() - began, wire)

    def logged_in(self, then):
        """A script that logs the client in over direct TLS and goes on with then(peer)."""
        def script(peer):
            peer.login(CANARY, self.good)
            then(peer)
        return script
