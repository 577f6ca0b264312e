"""login.py: logs in to a real Prosody that is 50 ms away, beside other clients, in turns."""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import namedtuple

from report import BENCH, ROOT, build, package, spread, table, today, version
from slow_relay import UP, Relay

sys.path.insert(0, os.path.join(ROOT, 'tests'))
from servers.prosody import Prosody, Sasl2Prosody  # noqa: E402

DELAY = 0.05  # each way
WARMING = 2  # rounds that leave what later ones use: keys, a token, a TLS session, hashed passwords
# What Prosody 0.12 does by itself, but for TLS sessions, which it lets nobody resume unless told to.
SETTINGS = '''
authentication = "internal_hashed"
password_hash = "SHA-1"
default_iteration_count = 10000
c2s_ssl = { options = { no_ticket = false } }
c2s_direct_tls_ssl = { options = { no_ticket = false } }
'''
EARLY_SETTINGS = '''
plugin_paths = { "%s", "%s" }
VirtualHost "localhost"
    modules_enabled = { "early_front" }
'''
PROGRAMS = ['bench/early_front', 'bench/login_bench', 'bench/login_libstrophe']
FASTEST = 'jabiru, FAST + TLS resumption, direct TLS'
EARLIEST = 'jabiru, FAST + TLS resumption + early data, direct TLS'
Run = namedtuple('Run', 'trips_online trips up down processor online ready')


class World:
    """A server, and the way to it, by STARTTLS and by direct TLS."""

    def __init__(self, kind, folder):
        os.mkdir(folder)
        self.server = kind(folder, more=SETTINGS)
        self.relay = Relay(self.server.port, DELAY)
        self.direct_relay = Relay(self.server.direct_port, DELAY)

    def stop(self):
        self.server.stop()


class EarlyWorld(World):
    """Before the server a program that takes TLS early data, as Prosody does not."""

    def __init__(self, program, folder):
        os.mkdir(folder)
        lua = [os.path.join(ROOT, 'tests/servers/lua'), os.path.join(BENCH, 'prosody')]
        self.server = Sasl2Prosody(folder, more=SETTINGS + EARLY_SETTINGS % tuple(lua))
        cert = self.server.cert
        self.front = subprocess.Popen([program, cert.cert, cert.key, str(self.server.port)],
                                      stdout=subprocess.PIPE, text=True)
        self.direct_relay = Relay(int(self.front.stdout.readline()), DELAY)

    def stop(self):
        self.front.kill()
        self.front.wait()
        super().stop()


class Contestant:
    """A client with an account, and a folder for what it keeps from one log-in to the next."""

    # says: what a log-in has to say of itself, after its times
    def __init__(self, name, command, world='classic', ways='', vault=False, says=''):
        self.name, self.command, self.world, self.says = name, command, world, says
        self.ways, self.vault = ways.split(','), ['vault'] if vault else []
        self.runs, self.said = [], set()

    def prepare(self, folder, worlds):
        world = worlds[self.world]
        self.folder = tempfile.mkdtemp(dir=folder)
        self.jid, password = world.server.account()
        self.relay = world.direct_relay if 'direct' in self.ways else world.relay
        self.env = dict(os.environ, HOME=self.folder, PEER_PASSWORD=password,
                        NODE_EXTRA_CA_CERTS=world.server.ca)
        self.ca, self.turns = world.server.ca, 0
        self.argv = [*self.command, self.jid, str(self.relay.port), self.ca, ','.join(self.ways),
                     *self.vault]

    def begin_tls_anew(self):
        """No TLS session goes on where another authority is trusted: each time the same by another name."""
        self.argv[self.argv.index(self.ca)] = name = os.path.join(self.folder, f'{self.turns}.pem')
        os.symlink(os.path.realpath(self.ca), name)
        self.ca = name

    def next_turn(self):
        self.turns += 1
        if self.vault and self.turns > 1:
            self.env.pop('PEER_PASSWORD', None)  # what the first log-in has left is enough
        if 'full-tls' in self.ways:
            self.begin_tls_anew()

    def log_in(self):
        with subprocess.Popen(self.argv, env=self.env, cwd=self.folder, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            said = process.stdout.readline().split()
            link = self.relay.link
            process.stdin.close()
            errors = process.stderr.read()
        if process.returncode or len(said) < 4:
            raise RuntimeError(f'{self.name}: exit {process.returncode}\n{errors}')
        begin, online, ready, processor = map(float, said[:4])
        return ' '.join(said[4:]), Run(
            link.count(online).trips, *link.count(ready), processor * 1e3, (online - begin) * 1e3,
            (ready - begin) * 1e3)

    def run(self, counts):
        self.next_turn()
        said, run = self.log_in()
        if counts:
            self.said.add(said)
            self.runs.append(run)

    def title(self):
        other = self.said - {self.says}
        return f"{self.name}, BUT IT WAS {', '.join(sorted(other))}" if other else self.name

    def middle(self, member):
        return statistics.median(getattr(run, member) for run in self.runs)


class GoSendxmpp(Contestant):
    """Sends a message and ends: all of the process is counted, to the piece with the message."""

    def prepare(self, folder, worlds):
        super().prepare(folder, worlds)
        self.argv = ['go-sendxmpp', '-u', self.jid, '-p', self.env['PEER_PASSWORD'],
                     '-j', f'127.0.0.1:{self.relay.port}', '-n', self.jid]

    def log_in(self):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(self.argv, env=self.env, cwd=self.folder, input='text\n', text=True,
                       check=True, stdout=subprocess.DEVNULL)
        after, link = resource.getrusage(resource.RUSAGE_CHILDREN), self.relay.link
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        sent = link.last(UP)
        count = link.count(sent.time)
        took = (sent.time - link.began) * 1e3
        return '', Run(count.trips, *count, used * 1e3, took, took)


def has_xmppjs():
    return shutil.which('node') and subprocess.run(
        ['node', '-e', "require.resolve('@xmpp/client')"], cwd=BENCH, stderr=subprocess.DEVNULL,
        check=False).returncode == 0


def contestants(programs):
    ours, libstrophe = programs[1:]
    xmppjs = ['node', os.path.join(BENCH, 'xmppjs_login.mjs')]
    found = [
        Contestant('jabiru, classic, the first time', [ours], says='password'),
        Contestant('jabiru, classic', [ours], ways='full-tls', vault=True, says='password'),
        Contestant('jabiru, SASL2 + Bind 2', [ours], 'sasl2', 'bind2,no-fast,full-tls', True,
                   'sasl2 bind2 password'),
        Contestant('jabiru, FAST', [ours], 'sasl2', 'bind2,full-tls', True, 'sasl2 bind2 token'),
        Contestant('jabiru, FAST + TLS resumption', [ours], 'sasl2', 'bind2', True,
                   'sasl2 bind2 token resumed'),
        Contestant(FASTEST, [ours], 'sasl2', 'bind2,direct', True, 'sasl2 bind2 token resumed'),
        Contestant(EARLIEST, [ours], 'early', 'bind2,direct,early-data', True,
                   'sasl2 bind2 token resumed'),
        Contestant('libstrophe', [libstrophe]),
        Contestant('libstrophe, direct TLS', [libstrophe], ways='direct'),
        Contestant('slixmpp', [os.path.join(BENCH, 'slixmpp_login.py')]),
        GoSendxmpp('go-sendxmpp', []),
    ]
    if has_xmppjs():
        found += [Contestant('@xmpp/client, classic', xmppjs),
                  Contestant('@xmpp/client, SASL2 + Bind 2', xmppjs, 'sasl2')]
    return found


COLUMNS = ['round trips to sending', 'to the roster', 'bytes up', 'bytes down', 'processor ms',
           'ms to sending', 'ms to the roster', 'beside libstrophe']


def row(client, libstrophe):
    spreads = [spread([getattr(run, member) for run in client.runs], form) for member, form in
               (('processor', '{:.1f}'), ('online', '{:.0f}'), ('ready', '{:.0f}'))]
    whole = [f'{client.middle(member):.0f}' for member in ('trips_online', 'trips', 'up', 'down')]
    return client.title(), [*whole, *spreads,
                         f"{client.middle('ready') / libstrophe.middle('ready'):.2f}"]


def measure(clients, early_front, rounds):
    folder = tempfile.mkdtemp(prefix='jabiru-bench-')
    worlds = {}
    try:
        for name, kind, what in (('classic', World, Prosody), ('sasl2', World, Sasl2Prosody),
                                 ('early', EarlyWorld, early_front)):
            worlds[name] = kind(what, os.path.join(folder, name))
        for client in clients:
            client.prepare(folder, worlds)
        for turn in range(WARMING + rounds):
            for client in clients:
                client.run(counts=turn >= WARMING)
    finally:
        for world in worlds.values():
            world.stop()
        shutil.rmtree(folder)


def rows(clients, libstrophe):
    yield from (row(client, libstrophe) for client in clients)
    if not has_xmppjs():
        yield '@xmpp/client: not installed', ['–'] * len(COLUMNS)


def targets(clients):
    """What is aimed at, and whether it was reached."""
    trips = {name: client.middle('trips_online') for name, client in clients.items()}
    peers = min(trips[name] for name, client in clients.items() if client.world == 'classic' and
                not name.startswith('jabiru') and 'direct' not in client.ways)
    share, direct = (clients[FASTEST].middle('ready') / clients[name].middle('ready')
                     for name in ('libstrophe', 'libstrophe, direct TLS'))
    found = [
        ('Classic, no more round trips to sending than any other that begins with STARTTLS',
         f"{trips['jabiru, classic']:.0f} beside {peers:.0f}", trips['jabiru, classic'] <= peers),
        ('FAST + TLS resumption, at most 2', f'{trips[FASTEST]:.0f}', trips[FASTEST] <= 2),
        ('With early data 1', f'{trips[EARLIEST]:.0f}', trips[EARLIEST] <= 1),
        ("FAST + TLS resumption, at most a third of libstrophe's time",
         f'{share:.2f} ({direct:.2f} where that has direct TLS, too)', share <= 1 / 3),
    ]
    return ''.join(f"- {aim}: {figure}, {'reached' if reached else 'MISSED'}\n"
                   for aim, figure, reached in found)


NOTES = '''
- jabiru: a program with a vault of its own, which the log-ins before have filled; none, the first time. \
FAST + TLS resumption is what it does by itself; for the rows above that one, its ways are held back. \
The server is told to let TLS sessions be resumed; early data is taken by a small program in front of it
- libstrophe {strophe}; with direct TLS, too
- slixmpp {slixmpp}; the loading of Python's modules is not counted
- go-sendxmpp {go}: the whole process, up to the piece with its message. It sends the password itself \
(PLAIN), which saves a round trip, checks no certificate here, and asks for no roster
- @xmpp/client: where Node finds it; the loading of modules is not counted
'''


def section(args):
    programs = build(*PROGRAMS)
    clients = contestants(programs)
    measure(clients, programs[0], args.rounds)
    by_name = {client.name: client for client in clients}
    notes = NOTES.format(strophe=version('libstrophe'), slixmpp=package('python3-slixmpp'),
                         go=package('go-sendxmpp'))
    return (f'{today()}. Prosody {package("prosody")} through a relay that is 50 ms away, each way; '
            f'{args.rounds} log-ins each, in turns; median (least–most). A round trip is what the '
            "client sends in one go and what it then has to wait for; TLS's are among them, the one "
            'of TCP is not (add 100 ms). To sending: a message could leave, behind the request for '
            'the roster and the presence; to the roster: it is there. Bytes to the roster, those of '
            'TLS among them. SCRAM-SHA-1 with 10,000 rounds, STARTTLS unless it says direct.\n\n' +
            table('', COLUMNS, list(rows(clients, by_name['libstrophe']))) + '\n' +
            targets(by_name) + notes)
