"""archive.py: an archive of a million messages, in the store that comes with the library."""

import os
import shutil

from report import BUILD, build, output, spread, table, today, version

FOLDER = os.path.join(BUILD, 'archive')
COUNT = 1000000

PAGES = [('the busiest', 'friend0@mantua.example'), ('one in between', 'friend100@mantua.example'),
         ('the quietest', 'friend399@mantua.example')]
SEARCHES = [('a rare word, in 5 messages', 'zanzibar'), ('a frequent word, in most', 'di'),
            ('the beginning of a word, in 25,000', 'plagal'),
            ('a Chinese phrase, in 1,000', '花園的門'), ('no message has it', 'xylophone')]


def fill(program, how, path):
    """(wall seconds, processor seconds, bytes)"""
    wall, processor, size = output(program, how, path, str(COUNT)).split()
    return float(wall), float(processor), int(size)


def filling_table(program, store, plain):
    results = [('jabiru', fill(program, 'fill', store)),
               ('SQLite, bare table', fill(program, 'plain', plain))]
    rows = [(name, [f'{COUNT / wall:,.0f}', f'{processor / COUNT * 1e6:.0f}', f'{size / COUNT:,.0f}'])
            for name, (wall, processor, size) in results]
    ours, theirs = (result for _, result in results)
    rows.append(('ratio', [f'1 : {ours[0] / theirs[0]:.1f}', f'{ours[1] / theirs[1]:.1f}',
                           f'{ours[2] / theirs[2]:.1f}']))
    return table('', ['messages/s', 'processor µs per message', 'bytes per message'], rows)


def look(program, how, store, what, rounds):
    """Cells: from a cold start with opening, cold, warm; rows found."""
    runs = [[float(n) for n in output(program, how, store, what).split()] for _ in range(rounds)]
    return [spread([opening + first for opening, first, _, _ in runs]),
            spread([first for _, first, _, _ in runs]),
            spread([warm for _, _, warm, _ in runs], '{:.2f}'), f'{runs[0][3]:.0f}']


def looking_table(program, store, rounds):
    rows = [(f'last page of a conversation: {name}', look(program, 'page', store, what, rounds))
            for name, what in PAGES]
    rows += [(f'search: {name}', look(program, 'search', store, what, rounds))
             for name, what in SEARCHES]
    return table('', ['ms, opening included', 'ms, cold', 'ms, warm', 'rows'], rows)


def section(args):
    program, = build('bench/archive_bench')
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(FOLDER)
    store, plain = (os.path.join(FOLDER, name) for name in ('store.db', 'plain.db'))
    text = (f'{today()}. {COUNT:,} messages of 400 conversations, English-like, Russian-like and '
            f"Chinese, in a file over SQLite {version('sqlite3')}; through the public functions.\n\n"
            'Taken in as from an archive: for each message a look for copies by archive id and by '
            'fingerprint, then the message with its words for searching; the cursor and a commit '
            '(synced to the disk) every 50. The bare table has neither indexes nor search, and '
            'looks for nothing; it commits as often.\n\n')
    text += filling_table(program, store, plain)
    text += ('\nReading 50 messages, newest first. Targets: 20 ms for a page, 50 ms for a search. '
             "Cold: the file is not in the system's cache. Warm: the median of 21 more. Median "
             f'(least–most) of {args.rounds} processes.\n\n')
    text += looking_table(program, store, args.rounds)
    shutil.rmtree(FOLDER)
    return text
