"""catchup.py: what was missed is fetched from the archive of a real Prosody, beside slixmpp."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from report import BENCH, ROOT, build, package, table, today

sys.path.insert(0, os.path.join(ROOT, 'tests'))
from kit.accounts import Person  # noqa: E402
from kit.xmpp import Client  # noqa: E402
from servers.prosody import Prosody  # noqa: E402

COUNT = 100000
ONE_BY_ONE = 10000  # of them for the program that syncs each message by itself
# In memory, as the server's files would be the slowest by far; a module of ours fills it.
SETTINGS = '''
default_storage = "internal"
storage = { archive = "memory" }
storage_archive_item_limit = 1000000
max_archive_query_results = 100
plugin_paths = { "%s" }
VirtualHost "localhost"
    modules_enabled = { "fill_archive" }
''' % os.path.join(BENCH, 'prosody')


def measure(argv, **settings):
    """(seconds, processor seconds) of a process that is to end well."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, **settings)
    took, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def copied_home(person):
    """A home as the first run has left it."""
    home = person.home + '-copy'
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(person.home, home)
    return home


def listen(programs, server, person):
    del server
    home = copied_home(person)
    return measure([programs[0], *person.argv('listen', '--count', str(ONE_BY_ONE), '--timeout', '3000')[1:]],
                   env=dict(person.env(), HOME=home), cwd=home)


def library(programs, server, person):
    store, = [os.path.join(path, name) for path, _, names in os.walk(copied_home(person))
              for name in names if name.endswith('.db')]
    return measure([programs[1], person.jid, str(server.port), server.ca, store, str(COUNT)],
                   env=dict(os.environ, PEER_PASSWORD=person.password))


def slixmpp(programs, server, person):
    del programs
    return measure([os.path.join(BENCH, 'slixmpp_catchup.py'), person.jid, str(server.port),
                    server.ca, str(COUNT)], env=dict(os.environ, PEER_PASSWORD=person.password))


def prepare(program, server, folder):
    """The account, which has seen one message and then missed the others."""
    (jid, password), (friend, other) = server.account(), server.account()
    person = Person(os.path.join(folder, 'home'), jid, password,
                    ['--host', f'127.0.0.1:{server.port}', '--ca-file', server.ca])
    sender = Client(friend, other, server.port, server.ca)
    sender.message(jid, 'The first one')
    sender.iq('get', "<ping xmlns='urn:xmpp:ping'/>")
    subprocess.run([program, *person.argv('listen', '--for', '3')[1:]], env=person.env(),
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    sender.message('localhost', f"{jid.split('@')[0]} {COUNT}")
    sender.take_message(seconds=300, body='filled')
    sender.close()
    return person


CLIENTS = [('libjabiru', library, COUNT), ('jabiru listen', listen, ONE_BY_ONE),
           ('slixmpp', slixmpp, COUNT)]


def row(name, count, wall, processor):
    return name, [f'{count:,}', f'{count / wall:,.0f}', f'{processor / count * 1e6:.0f}']


def section(args):
    del args
    programs = build('jabiru', 'bench/catchup_bench')
    folder = tempfile.mkdtemp(prefix='jabiru-bench-')
    server = Prosody(folder, ['hero', 'friend'], more=SETTINGS)
    try:
        person = prepare(programs[0], server, folder)
        rows = [row(name, count, *client(programs, server, person))
                for name, client, count in CLIENTS]
    finally:
        server.stop()
        shutil.rmtree(folder)
    return (f'{today()}. {COUNT:,} messages that were missed, from the archive of a Prosody '
            f"{package('prosody')}, over TLS, in pages of 100; process start to end, one run "
            'each. The server is the same for all and takes most of the time: its storage in memory '
            'looks for the place of each page from the beginning. The runs follow one another, so '
            'that other work on the machine does not hit all alike: processor time says more than '
            'the rate.\n\n'
            '- libjabiru: a program with a store in a file; each message is stored, can be searched, '
            'and is synced to the disk before the program sees it\n'
            '- jabiru listen: the same, printed, and synced one by one, so that the end of the '
            'process at any moment neither loses nor repeats more than the line at hand\n'
            '- slixmpp: a script that looks at bodies and stamps, and keeps nothing\n\n' +
            table('', ['messages', 'messages/s', 'processor µs per message'], rows))
