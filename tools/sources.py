"""What the checks of the sources share: which files there are, and their functions."""
import os
import re
from collections import namedtuple

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ("include", "src", "app", "cli", "examples", "tests", "fuzz", "bench")
Function = namedtuple("Function", "file line name lines reason")


def c_files(*folders):
    """Paths, relative to the project, of C sources and headers below folders."""
    for folder in folders or FOLDERS:
        for path, _, names in sorted(os.walk(os.path.join(ROOT, folder))):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(path, name), ROOT)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def code_only(text):
    """The text with comments, strings and characters blanked, lines kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def functions(path):
    """The functions of a file: in this style a body is between '{' and '}' in column one."""
    lines = read(path).split("\n")
    begin = None
    for i, line in enumerate(lines):
        if line == "{":
            begin = i
        elif line == "}" and begin is not None:
            head = begin - 1
            while head > 0 and not re.match(r"\w", lines[head]):
                head -= 1
            name = re.search(r"(\w+)\(", " ".join(lines[head:begin]))
            reason = re.search(r"long: \w", "\n".join(lines[max(0, head - 4):begin + 1]))
            yield Function(path, head + 1, name.group(1) if name else "?", i - head + 1,
                           reason is not None)
            begin = None
