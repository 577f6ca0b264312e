#!/usr/bin/python3
"""Runs jabiru against a real server, over STARTTLS and over direct TLS.

    tests/servers/suite.py prosody|ejabberd|sasl2    the tests; sasl2 is a Prosody with it
    tests/servers/suite.py prosody|ejabberd|sasl2 --serve    only the server, until Ctrl-C
    tests/servers/suite.py prosody|ejabberd|sasl2 --soak     faults and kills, many of them
"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from kit import tap
from kit.accounts import USERS, World, users
from servers import (test_account, test_bindings, test_classic, test_doctor, test_faults, test_history, test_kill,
                     test_login, test_messages, test_middle, test_presence, test_queries, test_rooms,
                     test_resume, test_roster, test_sasl2, test_streams)
from servers.ejabberd import Ejabberd
from servers.prosody import Prosody, Sasl2Prosody

SERVERS = {"prosody": Prosody, "ejabberd": Ejabberd, "sasl2": Sasl2Prosody}
# (points of faults, kills of each program)
SAMPLE, SOAK = {"prosody": (12, 8), "ejabberd": (12, 8), "sasl2": (6, 3)}, (500, 200)
MODULES = (test_login, test_account, test_classic, test_roster, test_presence, test_messages, test_rooms, test_queries,
           test_resume, test_history, test_doctor)


def serve(server):
    """Says how to reach the server and keeps it until interrupted."""
    jid, password = server.account()
    print("STARTTLS 127.0.0.1:%d, direct TLS 127.0.0.1:%d, --ca-file %s" %
          (server.port, server.direct_port, server.ca))
    print("%s and the following numbers, password %r" % (jid, password), flush=True)
    try:
        while True:
            time.sleep(60)
    except KeyboardInterrupt:
        return 0


def cases(server, folder):
    for direct in (False, True):
        world = World(server, os.path.join(folder, "people"), direct)
        label = "%s, %s, " % (server.name, "direct TLS" if direct else "STARTTLS")
        for module in MODULES:
            yield from tap.cases_of(module, world, prefix=label)
        if server.name == "ejabberd":
            yield from tap.cases_of(test_streams, world, prefix=label)
        if server.name == "ejabberd" and not direct:  # they choose their ports themselves
            yield from tap.cases_of(test_bindings, world, prefix=label)


def sasl2_cases(server, folder):
    """What the other log-in changes, and a little of what comes after it."""
    for direct in (False, True):
        world = World(server, os.path.join(folder, "people"), direct)
        label = "sasl2, %s, " % ("direct TLS" if direct else "STARTTLS")
        yield from tap.cases_of(test_sasl2, world, prefix=label)
        if direct:
            yield from tap.cases_of(test_account, world, prefix=label)
        yield from tap.cases_of(test_doctor, world, prefix=label)
    yield from tap.cases_of(test_middle, world, prefix=label)
    yield from tap.cases_of(test_resume, world, prefix=label)


def hard_cases(server, folder, sizes):
    """Faults on the way and programs killed: few for each commit, many now and then."""
    world = World(server, os.path.join(folder, "survivors"), True)
    yield from test_faults.cases(world, sizes[0])
    yield from test_kill.cases(world, sizes[1])


def main():
    folder = tap.folder()
    soak = "--soak" in sys.argv
    server = SERVERS[sys.argv[1]](folder, users=users(1500) if soak else USERS)
    if "--serve" in sys.argv:
        return serve(server)
    chosen = [] if soak else list((sasl2_cases if sys.argv[1] == "sasl2" else cases)(server, folder))
    chosen += hard_cases(server, folder, SOAK if soak else SAMPLE[sys.argv[1]])
    status = tap.run(tap.wanted(chosen), threads=6 if soak else 4)
    if status:
        print("".join("# server: %s\n" % line for line in server.log().splitlines()[-20:]))
    server.stop()
    return status


if __name__ == "__main__":
    sys.exit(main())
