"""A session cut, stalled and spoilt at points all over its length: nothing is lost or doubled.

FAULT_POINTS says how many points; `make soak` takes 500 for each server.
"""
import os
import threading
import time

from kit import tap
from kit.relay import DOWN, UP, Fault, Relay
from servers.exchange import Pair, Receiver, Sender, each_once_in_order, printed_well, through

MESSAGES = 30
PAUSE = 0.01
POINTS_OF_A_PAIR = 10

# Most are cuts; the others come by turns.
KINDS = ("reset", "close", "reset", "stall", "close", "flip", "reset", "silence")


class Session:
    """Messages from one account of a pair to the other, through a relay each."""

    def __init__(self, pair, name, sender_faults=(), receiver_faults=(), **how):
        self.pair, self.name = pair, name
        self.relays = [Relay(pair.world.port, f, **how) for f in (sender_faults, receiver_faults)]
        me, other = (through(p, relay) for p, relay in zip((pair.me, pair.other), self.relays))
        self.sender, self.receiver = Sender(me, other.jid, PAUSE), Receiver(other)

    def run(self):
        try:
            self.exchange()
            for relay in self.relays:
                relay.faults.clear()
            self.check()
        finally:
            for relay in self.relays:
                relay.close()

    def exchange(self):
        self.receiver.start()
        try:
            self.given = self.sender.settle(["%s, number %d" % (self.name, n) for n in range(MESSAGES)])
            self.receiver.wait_for(self.given)
        finally:
            if self.receiver.running.process.poll() is None:
                self.receiver.stop()

    def check(self):
        log = "sender: %s\nreceiver: %s" % (self.sender.log, self.receiver.log)
        stored = self.receiver.stored(self.pair.me.jid, self.name)
        printed_well(self.pair.world.server, self.receiver.bodies(), self.given, log)
        each_once_in_order("stored", stored, self.given, log)
        self.check_states(log)

    def check_states(self, log):
        """What the sender says of each message is what the server's archive says."""
        states = self.sender.states()
        assert set(states.values()) == {"delivered"}, "%r\n%s" % (states, log)
        archived, end = self.archived(), time.monotonic() + 10
        while set(archived) != set(states) and time.monotonic() < end:  # it may be written behind
            time.sleep(0.5)
            archived = self.archived()
        if not self.pair.world.server.hands_over_in_order:
            archived, states = sorted(set(archived)), sorted(states)
        each_once_in_order("the sender's archive", archived, list(states), log)

    def archived(self):
        """The ids of the session's messages in the sender's archive."""
        raw = self.pair.world.raw(self.pair.me, roster=False, presence=False)
        bodies = [(m.get("id"), m.findtext("{jabber:client}body") or "") for m in raw.archive()]
        raw.close()
        return [id for id, body in bodies if body.startswith(self.name + ",")]


class Points:
    """Points spread evenly over a session that is measured when the first of them is tried."""

    def __init__(self, world, n):
        self.world, self.n = world, n
        self._lock, self._measuring = threading.Lock(), threading.Lock()
        self._lengths = None
        self._pairs = []

    def _take_pair(self):
        with self._lock:
            if self._pairs:
                return self._pairs.pop()
        return Pair(self.world)

    def _give_back(self, pair):
        """For another point, while its archive is short."""
        pair.used += 1
        with self._lock:
            if pair.used < POINTS_OF_A_PAIR:
                self._pairs.append(pair)

    def lengths(self):
        """How many bytes pass in a session without faults: {(whose, direction): n}."""
        with self._measuring:
            if not self._lengths:
                session = self.session("golden")
                assert [relay.accepted for relay in session.relays] == [1, 2]  # the check is the second
                self._lengths = {(whose, way): session.relays[whose].links[0].passed[way]
                                 for whose in (0, 1) for way in (UP, DOWN)}
        return self._lengths

    def session(self, name, *faults, **how):
        """A whole session with these faults of the sender and of the receiver."""
        pair = self._take_pair()
        session = Session(pair, name, *faults, **how)
        session.run()
        self._give_back(pair)
        return session

    def case(self, i):
        whose, way = ((0, UP), (1, DOWN), (0, DOWN), (1, UP))[i % 4]
        place = (i // 4 + 0.5) / ((self.n + 3) // 4)
        kind = KINDS[(i // 4 + i) % len(KINDS)]
        # A silent link to one who only listens is noticed late: in few points only.
        if kind == "silence" and whose == 1 and i % 5:
            kind = "close"
        words = "%s at %.1f %% of what %s %s" % (
            kind, 100 * place, "the sender" if whose == 0 else "the receiver",
            "sends" if way == UP else "gets")
        return tap.Case("%s, faults: %s" % (self.world.server.name, words),
                        lambda: self.run(i, whose, way, place, kind))

    def run(self, i, whose, way, place, kind):
        length = self.lengths()[whose, way]
        faults = [Fault(kind, int(length * place), way, seconds=2)]
        if i % 3 == 0:  # trouble while it recovers, too
            faults.append(Fault("reset", 600 + 37 * i % 6000, DOWN if way == UP else UP, connection=1))
        self.session("point %d" % i, *((faults, ()) if whose == 0 else ((), faults)))


def cases(world, default):
    points = Points(world, int(os.environ.get("FAULT_POINTS", default)))
    yield tap.Case("%s, faults: a slow link changes nothing but the time" % world.server.name,
                   lambda: points.session("slow", delay={UP: 0.05, DOWN: 0.1}, rate=20000))
    for i in range(points.n):
        yield points.case(i)
