"""A sender and a receiver whose way to the server may be bad, and what must hold in the end.

`send --lines` gives messages to people who may be hard to reach, `listen` takes them. Both
are started anew when they end before all is settled, as a user would.
"""
import json
import os
import sqlite3
import subprocess
import threading
import time

from kit.process import Running

TIME_FOR_ALL = 150  # seconds until everything is settled, once faults are over
RUNS = 20  # of one program


def through(person, relay):
    """The account reaches its server through the relay."""
    person.options[person.options.index("--host") + 1] = "127.0.0.1:%d" % relay.port
    return person


class Pair:
    """Two accounts whose programs have been online before: each knows its place in its archive."""

    def __init__(self, world):
        self.world, self.used = world, 0
        self.me, self.other = world.person(), world.person()
        self.me.run("send", self.other.jid, "hello").expect(0)
        self.other.run("listen", "--history", "1", "--count", "1", "--for", "10").expect(0)


class Log:
    """The JSON records of a command over all its runs, and how these ended."""

    def __init__(self):
        self.records, self.ends = [], []

    def add(self, running, code):
        # kill -9 may leave a line unfinished: it has not been printed.
        self.records += [json.loads(line) for line in running.lines if line.endswith("}")]
        self.ends.append("exit %s%s" % (code, running.errors.decode(errors="replace")[-600:] and
                                        ":\n" + running.errors.decode(errors="replace")[-600:]))

    def __str__(self):
        return "\n".join(self.ends)


class Sender:
    """Gives lines to `send --lines`; the first ones that it has accepted are its promise."""

    def __init__(self, person, to, pause):
        self.person, self.to, self.pause = person, to, pause
        self.log = Log()

    def run(self, lines, killed_after=None):
        """One process with these lines; returns (how many it accepted, exit status)."""
        running = self.person.start("send", "--lines", "--json", self.to, stdin=subprocess.PIPE)
        feeder = threading.Thread(target=self._feed, args=(running, lines), daemon=True)
        feeder.start()
        try:
            code = running.process.wait(TIME_FOR_ALL if killed_after is None else killed_after)
        except subprocess.TimeoutExpired:
            running.kill()
            code = None
        for thread in running._threads:
            thread.join(5)
        feeder.join(5)
        self.log.add(running, code)
        told = [json.loads(line) for line in running.lines if line.endswith("}")]
        return sum(r["state"] == "accepted" for r in told), code

    def _feed(self, running, lines):
        try:
            for line in lines:
                running.process.stdin.write(line.encode() + b"\n")
                running.process.stdin.flush()
                time.sleep(self.pause)
            running.process.stdin.close()
        except (OSError, ValueError):
            pass

    def settle(self, lines):
        """Runs until all lines are accepted and a run has ended well; returns what was accepted."""
        end = time.monotonic() + TIME_FOR_ALL
        given, code = [], None
        while (lines or code != 0) and time.monotonic() < end and len(self.log.ends) < RUNS:
            lines = lines or ["one more, as the last run ended with %s" % code]
            n, code = self.run(lines)
            given += lines[:n]
            lines = lines[n:]
            time.sleep(0.2 if code else 0)
        assert not lines and code == 0, "the sender did not get through: %s" % self.log
        return given

    def states(self):
        """The final states by the messages' ids, in order; a message has one at most."""
        final = {}
        for record in self.log.records:
            if record["state"] != "accepted":
                assert record["id"] not in final, "two final states of one message: %s" % record
                final[record["id"]] = record["state"]
        return final


class Receiver:
    """Keeps `listen` running and collects what it prints."""

    def __init__(self, person):
        self.person = person
        self.log = Log()
        self.running = None

    def start(self):
        self.running = self.person.start("listen", "--json")

    def stop(self, kill=False):
        if kill:
            self.running.process.kill()
        else:
            self.running.process.terminate()
        try:
            code = self.running.finish(20)
        except subprocess.TimeoutExpired:
            self.running.kill()
            code = "none within 20 s of SIGTERM"
        self.log.add(self.running, code)
        return code

    def bodies(self):
        """What was printed in all runs so far."""
        lines = [r["body"] for r in self.log.records if r.get("type") == "message"]
        if self.running and self.running.process.poll() is None:
            now = list(self.running.lines)
            lines += [json.loads(line).get("body") for line in now]
        return lines

    def wait_for(self, bodies, not_more_than=0):
        """Until these were printed, but for so many; a `listen` that ended is started again."""
        end = time.monotonic() + TIME_FOR_ALL
        while bodies[-1] not in self.bodies() or len(set(bodies) - set(self.bodies())) > not_more_than:
            if self.running.process.poll() is not None:
                self.stop()
                time.sleep(0.5)
                self.start()
            if time.monotonic() > end:
                self.stop()
                missing = [body for body in bodies if body not in self.bodies()]
                raise AssertionError("not printed: %r, but %r\n%s" % (missing, self.bodies()[-3:], self.log))
            time.sleep(0.05)

    def stored(self, sender, name):
        """What the data folder's database has of the conversation, in a reader's order, once the
        archive has been read to its end: bodies that begin with the name of the test."""
        self.person.run("history", "--with", sender, "--limit", "1").expect(0)
        path = os.path.join(self.person.home, ".local", "share", "jabiru", self.person.jid + ".db")
        base = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
        try:
            assert base.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            return [row[0] for row in base.execute(
                "SELECT body FROM messages JOIN addresses ON addresses.id = conversation"
                " WHERE address = ? AND body GLOB ? ORDER BY rank, key", (sender, name + ",*"))]
        finally:
            base.close()


def printed_well(server, printed, wanted, log):
    """Each once; in order where the server keeps it."""
    if not server.hands_over_in_order:
        printed, wanted = sorted(printed), sorted(wanted)
    each_once_in_order("printed", printed, wanted, log)


def each_once_in_order(what, got, wanted, log):
    """Insists on exactly these bodies, in this order."""
    if got == wanted:
        return
    doubled = sorted({b for b in got if got.count(b) > 1})
    missing = [b for b in wanted if b not in got]
    others = [b for b in got if b not in wanted]
    first = next((i for i, pair in enumerate(zip(got, wanted)) if pair[0] != pair[1]), min(len(got), len(wanted)))
    raise AssertionError("%s: missing %r, doubled %r, unexpected %r, differs from number %d on: %r\n%s" % (
        what, missing, doubled, others, first, got[first:first + 8], log))
