#!/usr/bin/python3
"""Measures jabiru beside other parsers in one run; `make bench` is this.

Programs are built as for a release. Every parser reads the same streams, in turns, so that
what else the machine does hits all of them alike; times are processor time, and the median
of the rounds counts. Instructions and allocations are the difference between a longer and a
shorter stream, so that starting up cancels out. The report is bench/RESULTS.md.
"""

import argparse
import datetime
import os
import platform
import re
import statistics
import subprocess
import sys

BENCH = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(BENCH)
BUILD = os.path.join(ROOT, 'build-bench')
STREAMS = os.path.join(BUILD, 'streams')
RESULTS = os.path.join(BENCH, 'RESULTS.md')

sys.path.insert(0, BENCH)
sys.dont_write_bytecode = True
import corpus  # noqa: E402

PARSERS = ['jabiru', 'expat', 'libxml2']
WHAT = {'jabiru': 'trees, and a look at from, id and body', 'expat': 'no handlers',
        'libxml2': 'SAX2 push, empty handlers, no tree'}

# Stanzas of the shorter and the longer stream for counting; a roster is one large stanza.
SIZES = {kind: (1, 3) if kind == 'roster' else (1000, 3000) for kind in corpus.KINDS}


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def build():
    if not os.path.exists(os.path.join(BUILD, 'build.ninja')):
        subprocess.run(['meson', 'setup', BUILD, ROOT, '-Dbench=true', '--buildtype=release'],
                       check=True, stdout=subprocess.DEVNULL)
    subprocess.run(['ninja', '-C', BUILD, '-j', '2', 'bench/xml_bench'], check=True,
                   stdout=subprocess.DEVNULL)
    return os.path.join(BUILD, 'bench', 'xml_bench')


def stream(kind, stanzas):
    """The path of a stream with so many stanzas, written if it is not there."""
    path = os.path.join(STREAMS, f'{kind}-{stanzas}.xml')
    if not os.path.exists(path):
        corpus.write(path, kind, lambda n, _: n >= stanzas)
    return path


def long_stream(kind, megabytes):
    path = os.path.join(STREAMS, f'{kind}.xml')
    stanzas = corpus.write(path, kind, lambda _, size: size >= megabytes * 1e6)
    return path, stanzas


class Run:
    """One run of the program: what it printed."""

    def __init__(self, program, parser, path, passes):
        fields = output(program, parser, path, str(passes)).split()
        self.bytes, self.seconds, self.allocations = int(fields[0]), float(fields[2]), int(fields[3])


def time_all(program, streams, rounds):
    """{(kind, parser): [seconds, ...]} and {kind: bytes}, in turns."""
    times, sizes = {}, {}
    for number in range(rounds):
        for kind, (path, _) in streams.items():
            for parser in PARSERS:
                run = Run(program, parser, path, 2)
                times.setdefault((kind, parser), []).append(run.seconds)
                sizes[kind] = run.bytes
        print(f'round {number + 1} of {rounds}', file=sys.stderr)
    return times, sizes


def allocations(program, kind, parser):
    less, more = SIZES[kind]
    few, many = (Run(program, parser, stream(kind, n), 1).allocations for n in (less, more))
    return (many - few) / (more - less)


def instructions(program, kind, parser):
    less, more = SIZES[kind]
    counts = []
    for n in (less, more):
        done = subprocess.run(['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null',
                               program, parser, stream(kind, n), '1'],
                              check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True)
        counts.append(int(re.search(r'Collected : (\d+)', done.stderr).group(1)))
    return (counts[1] - counts[0]) / (more - less)


# -- The report ----------------------------------------------------------------

def table(corner, columns, rows):
    lines = ['| ' + ' | '.join([corner] + columns) + ' |', '|' + ' --- |' * (len(columns) + 1)]
    lines += ['| ' + ' | '.join([name] + cells) + ' |' for name, cells in rows]
    return '\n'.join(lines) + '\n'


def per_parser(kinds, cell):
    return [(parser, [cell(kind, parser) for kind in kinds]) for parser in PARSERS]


def version(package):
    found = subprocess.run(['pkg-config', '--modversion', package], stdout=subprocess.PIPE,
                           text=True).stdout.strip()
    return found or 'unknown'


def machine():
    cpu = re.search(r'model name\s*: (.*)', open('/proc/cpuinfo').read())
    return (f'{cpu.group(1) if cpu else platform.machine()}, {os.cpu_count()} cores, '
            f'{platform.system()} {platform.release()}; '
            f"{output('cc', '--version').splitlines()[0]}")


def introduction(rounds):
    today = datetime.date.today().isoformat()
    parsers = ''.join(f'- {parser}: {WHAT[parser]}\n' for parser in PARSERS)
    return (f'# Measurements\n\nWritten by `make bench` on {today}; numbers are of that machine '
            f'and day, ratios say more.\n\n- Machine: {machine()}\n'
            f"- Beside: expat {version('expat')}, libxml2 {version('libxml-2.0')}\n"
            f'- Processor time, 16 KiB a read, second pass over each stream; median '
            f'(least–most) of {rounds} rounds in turns.\n\n## Parsing\n\n{parsers}\n')


def speed_tables(streams, times, sizes):
    kinds = list(streams)

    def rate(kind, parser):
        rates = [sizes[kind] / t / 1e6 for t in times[kind, parser]]
        return f'{statistics.median(rates):.0f} ({min(rates):.0f}–{max(rates):.0f})'

    def stanza(kind, parser):
        ns = statistics.median(times[kind, parser]) / streams[kind][1] * 1e9
        return f'{ns:,.0f}'

    def ratio(kind, parser):
        theirs = [a / b for a, b in zip(times[kind, parser], times[kind, 'jabiru'])]
        return f'{statistics.median(theirs):.1f}'

    return ('MB/s:\n\n' + table('', kinds, per_parser(kinds, rate)) +
            '\nns per stanza (a roster has 10,000 items):\n\n' +
            table('', kinds, per_parser(kinds, stanza)) +
            '\nHow many times as long as jabiru:\n\n' +
            table('', kinds, per_parser(kinds, ratio)[1:]))


def count_tables(program, kinds):
    def of(measure, form):
        return per_parser(kinds, lambda kind, parser: form.format(measure(program, kind, parser)))

    return ('\nInstructions per stanza:\n\n' + table('', kinds, of(instructions, '{:,.0f}')) +
            '\nAllocation calls per stanza, once running:\n\n' +
            table('', kinds, of(allocations, '{:.2f}')))


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument('--rounds', type=int, default=7)
    options.add_argument('--mb', type=float, default=8, help='size of each timed stream')
    args = options.parse_args()
    program = build()
    os.makedirs(STREAMS, exist_ok=True)
    streams = {kind: long_stream(kind, args.mb) for kind in corpus.KINDS}
    times, sizes = time_all(program, streams, args.rounds)
    report = introduction(args.rounds) + speed_tables(streams, times, sizes)
    report += count_tables(program, list(streams))
    with open(RESULTS, 'w', encoding='utf-8') as out:
        out.write(report)
    print(report)


if __name__ == '__main__':
    main()
