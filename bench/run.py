#!/usr/bin/python3
"""Measures jabiru, beside others where there are any, in one run; `make bench` is this.

Programs are built as for a release. The report is bench/RESULTS.md, a section for each of
the modules below; `run.py NAME ...` measures only these, and leaves the others as they are.
"""

import argparse
import os
import platform
import re
import sys

BENCH = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, BENCH)
sys.dont_write_bytecode = True
import archive  # noqa: E402
import catchup  # noqa: E402
import login  # noqa: E402
import parsing  # noqa: E402
from report import output, read_sections, write_sections  # noqa: E402

SECTIONS = {'Parsing': parsing.section, 'Archive': archive.section,
            'Catching up': catchup.section, 'Logging in': login.section}


def machine():
    cpu = re.search(r'model name\s*: (.*)', open('/proc/cpuinfo').read())
    return (f'{cpu.group(1) if cpu else platform.machine()}, {os.cpu_count()} cores, '
            f'{platform.system()} {platform.release()}; '
            f"{output('cc', '--version').splitlines()[0]}")


def introduction():
    return ('# Measurements\n\nWritten by `make bench`; numbers are of the machine and the day that '
            f'a section names, ratios say more.\n\n- Machine: {machine()}\n')


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument('section', nargs='*', metavar='NAME', help=', '.join(SECTIONS))
    options.add_argument('--rounds', type=int, default=7)
    options.add_argument('--mb', type=float, default=8, help='size of each timed stream')
    args = options.parse_args()
    unknown = set(args.section) - set(SECTIONS)
    if unknown:
        options.error(f"there is no section {', '.join(unknown)}")
    there = read_sections()
    for name, measure in SECTIONS.items():
        if not args.section or name in args.section:
            there[name] = measure(args).strip('\n')
    print(write_sections(introduction(), {name: there[name] for name in SECTIONS if name in there}))


if __name__ == '__main__':
    main()
