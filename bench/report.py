"""report.py: what the sections of bench/RESULTS.md share."""

import datetime
import os
import re
import statistics
import subprocess

BENCH = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(BENCH)
BUILD = os.path.join(ROOT, 'build-bench')
RESULTS = os.path.join(BENCH, 'RESULTS.md')


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def build(*targets):
    """Compiles as for a release."""
    if not os.path.exists(os.path.join(BUILD, 'build.ninja')):
        subprocess.run(['meson', 'setup', BUILD, ROOT, '-Dbench=true', '--buildtype=release'],
                       check=True, stdout=subprocess.DEVNULL)
    subprocess.run(['ninja', '-C', BUILD, '-j', '2', *targets], check=True,
                   stdout=subprocess.DEVNULL)
    return [os.path.join(BUILD, target) for target in targets]


def table(corner, columns, rows):
    lines = ['| ' + ' | '.join([corner] + columns) + ' |', '|' + ' --- |' * (len(columns) + 1)]
    lines += ['| ' + ' | '.join([name] + cells) + ' |' for name, cells in rows]
    return '\n'.join(lines) + '\n'


def spread(numbers, form='{:.1f}'):
    """median (least–most)"""
    middle, least, most = (form.format(f(numbers)) for f in (statistics.median, min, max))
    return f'{middle} ({least}–{most})'


def version(package):
    found = subprocess.run(['pkg-config', '--modversion', package], stdout=subprocess.PIPE,
                           text=True).stdout.strip()
    return found or 'unknown'


def package(name):
    """The version of a Debian package."""
    shown = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', name], stdout=subprocess.PIPE,
                           text=True).stdout
    return shown.split('-')[0].split('+')[0] or 'unknown'


def today():
    """The day, and what else the machine did: above the 1 of the program itself, times are long."""
    return f'{datetime.date.today().isoformat()}, load {os.getloadavg()[0]:.1f} at the end'


# -- Sections: "## Name" and what follows ------------------------------------------

def read_sections():
    """{name: text} of the report that is there."""
    if not os.path.exists(RESULTS):
        return {}
    with open(RESULTS, encoding='utf-8') as report:
        parts = re.split(r'^## (.*)\n', report.read(), flags=re.M)
    return {name: text.strip('\n') for name, text in zip(parts[1::2], parts[2::2])}


def write_sections(introduction, sections):
    text = introduction + ''.join(f'\n## {name}\n\n{body}\n' for name, body in sections.items())
    with open(RESULTS, 'w', encoding='utf-8') as report:
        report.write(text)
    return text
