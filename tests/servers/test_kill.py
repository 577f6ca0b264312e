"""kill -9 at any moment: what was accepted arrives, and nothing is shown twice.

KILLS says how many; `make soak` takes 200 of each for each server.
"""
import os
import random
import threading
import time

from kit import tap
from servers.exchange import TIME_FOR_ALL, Pair, Receiver, Sender, each_once_in_order, printed_well

PAUSE = 0.01
LINES = 40  # for each process that is killed: more than it gets to
LONGEST = 1.5  # seconds that one lives; less than 40 lines and the log-in take
IN_A_ROW = 4  # kills of one pair of accounts


def number_of(name, run):
    return ["%s, run %d, number %d" % (name, run, n) for n in range(LINES)]


class Killed:
    """What processes that were killed had accepted, and what they may have."""

    def __init__(self):
        self.accepted, self.perhaps = [], set()

    def add(self, lines, n):
        # A line is accepted first and reported then: the kill may come between. More than one
        # can be: what is accepted together is written together.
        self.accepted += lines[:n]
        self.perhaps |= set(lines[n:])


def kill_sender(world, name, dice):
    pair = Pair(world)
    me, other = pair.me, pair.other
    sender, receiver = Sender(me, other.jid, PAUSE), Receiver(other)
    killed = Killed()
    receiver.start()
    for run in range(IN_A_ROW):
        lines = number_of(name, run)
        killed.add(lines, sender.run(lines, killed_after=dice.uniform(0.02, LONGEST))[0])
    killed.accepted += sender.settle(["%s, the last one" % name])
    receiver.wait_for(killed.accepted)
    receiver.stop()
    compare("printed", receiver.bodies(), killed, sender, receiver)
    compare("stored", receiver.stored(me.jid, name), killed, sender, receiver)
    sender.states()


def compare(what, got, killed, sender, receiver):
    certain = [body for body in got if body not in killed.perhaps]
    log = "sender: %s\nreceiver: %s" % (sender.log, receiver.log)
    each_once_in_order(what, certain, killed.accepted, log)
    maybe = [body for body in got if body in killed.perhaps]
    assert len(maybe) == len(set(maybe)), "%s twice: %r\n%s" % (what, maybe, log)


def kill_receiver(world, name, dice):
    pair = Pair(world)
    me, other = pair.me, pair.other
    sender, receiver = Sender(me, other.jid, 2 * PAUSE), Receiver(other)
    given = []
    lines = ["%s, number %d" % (name, n) for n in range(40 * IN_A_ROW)]
    sending = threading.Thread(target=lambda: given.extend(sender.settle(lines)), daemon=True)
    receiver.start()
    sending.start()
    for _ in range(IN_A_ROW):
        time.sleep(dice.uniform(0.02, LONGEST))
        receiver.stop(kill=True)
        receiver.start()
    sending.join(TIME_FOR_ALL)
    given += sender.settle(["%s, the last one" % name])
    receiver.wait_for(given, not_more_than=IN_A_ROW)
    receiver.stop()
    log = "sender: %s\nreceiver: %s" % (sender.log, receiver.log)
    assert len(given) == len(lines) + 1, log
    each_once_in_order("stored", receiver.stored(me.jid, name), given, log)
    # It is stored first and printed then: a kill in between leaves one unprinted.
    printed = receiver.bodies()
    missing = [body for body in given if body not in printed]
    assert len(missing) <= IN_A_ROW, "not printed: %r\n%s" % (missing, log)
    printed_well(world.server, printed, [body for body in given if body not in missing], log)


def cases(world, default):
    """So many kills of each, on several pairs of accounts."""
    rounds = max(1, int(os.environ.get("KILLS", default)) // IN_A_ROW)
    for victim, what in (("send", kill_sender), ("listen", kill_receiver)):
        for i in range(rounds):
            seed = "%s %s %d" % (world.server.name, victim, i)
            yield tap.Case("%s, kill: %d times kill -9 of %s, round %d" %
                           (world.server.name, IN_A_ROW, victim, i),
                           lambda w=what, s=seed: w(world, s, random.Random(s)))
