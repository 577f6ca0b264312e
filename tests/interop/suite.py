#!/usr/bin/python3
"""jabiru and clients of other authors, on a private Prosody, talking both ways."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from interop import test_go_sendxmpp, test_slixmpp
from kit import tap
from kit.accounts import World
from servers.ejabberd import Ejabberd
from servers.prosody import Prosody

if __name__ == "__main__":
    folder = tap.folder()
    found = []
    for kind in (Prosody, Ejabberd):
        home = os.path.join(folder, kind.name)
        os.mkdir(home)
        world = World(kind(home), os.path.join(home, "people"), direct=False)
        for module in (test_slixmpp, test_go_sendxmpp):
            found += tap.cases_of(module, world, prefix=kind.name + ", ")
    sys.exit(tap.run(tap.wanted(found), threads=3))
