#!/usr/bin/python3
"""Runs jabiru against a real server, over STARTTLS and over direct TLS.

    tests/servers/suite.py prosody|ejabberd          the tests
    tests/servers/suite.py prosody|ejabberd --serve  only the server, until Ctrl-C
"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from kit import tap
from kit.accounts import World
from servers import (test_login, test_messages, test_presence, test_queries, test_rooms, test_resume, test_roster,
                     test_streams)
from servers.ejabberd import Ejabberd
from servers.prosody import Prosody

SERVERS = {"prosody": Prosody, "ejabberd": Ejabberd}
MODULES = (test_login, test_roster, test_presence, test_messages, test_rooms, test_queries, test_resume)


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


def main():
    folder = tap.folder()
    server = SERVERS[sys.argv[1]](folder)
    if "--serve" in sys.argv:
        return serve(server)
    status = tap.run(tap.wanted(cases(server, folder)), threads=4)
    if status:
        print("".join("# server: %s\n" % line for line in server.log().splitlines()[-20:]))
    server.stop()
    return status


if __name__ == "__main__":
    sys.exit(main())
