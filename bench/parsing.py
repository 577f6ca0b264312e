"""parsing.py: reading streams, beside other parsers.

Every parser reads the same streams, in turns, so that what else the machine does hits all of
them alike; times are processor time, and the median of the rounds counts. Instructions and
allocations are the difference between a longer and a shorter stream, so that starting up
cancels out.
"""

import os
import re
import statistics
import subprocess
import sys

import corpus
from report import BUILD, build, output, spread, table, today, version

STREAMS = os.path.join(BUILD, 'streams')

PARSERS = ['jabiru', 'expat', 'libxml2']
WHAT = {'jabiru': 'trees, and a look at from, id and body', 'expat': 'no handlers',
        'libxml2': 'SAX2 push, empty handlers, no tree'}

# Stanzas of the shorter and the longer stream for counting; a roster is one large stanza.
SIZES = {kind: (1, 3) if kind == 'roster' else (1000, 3000) for kind in corpus.KINDS}


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

def per_parser(kinds, cell):
    return [(parser, [cell(kind, parser) for kind in kinds]) for parser in PARSERS]


def speed_tables(streams, times, sizes):
    kinds = list(streams)

    def rate(kind, parser):
        rates = [sizes[kind] / t / 1e6 for t in times[kind, parser]]
        return spread(rates, '{:.0f}')

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


def section(args):
    program, = build('bench/xml_bench')
    os.makedirs(STREAMS, exist_ok=True)
    streams = {kind: long_stream(kind, args.mb) for kind in corpus.KINDS}
    times, sizes = time_all(program, streams, args.rounds)
    text = (f"{today()}. Beside expat {version('expat')}, libxml2 {version('libxml-2.0')}. "
            'Processor time, 16 KiB a read, second pass over each stream; median (least–most) of '
            f'{args.rounds} rounds in turns.\n\n')
    text += ''.join(f'- {parser}: {WHAT[parser]}\n' for parser in PARSERS) + '\n'
    return text + speed_tables(streams, times, sizes) + count_tables(program, list(streams))
