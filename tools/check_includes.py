#!/usr/bin/python3
"""Says which #include lines point the wrong way; 1 if any does.

A layer of the library includes only layers below it. Programs and examples see
include/jabiru only, as everybody does.
"""
import re
import sys

from sources import c_files, read

LAYERS = ["base", "store", "xml", "jid", "sasl", "stream", "session", "ext", "net"]
PROGRAMS = ("app", "cli", "examples")
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.M)


def layer_of(name):
    """The layer that an include such as "xml/lex.h" names, or None."""
    first, slash, _ = name.partition("/")
    return first if slash and first in LAYERS else None


def wrong_in(path):
    """The includes of a file that it must not have."""
    parts = path.split("/")
    for name in INCLUDE.findall(read(path)):
        layer = layer_of(name)
        if parts[0] in PROGRAMS + ("include",) and (layer or name.startswith("..")):
            yield name
        elif parts[0] == "src" and parts[1] in LAYERS and (
                name.startswith("..") or
                layer and LAYERS.index(layer) > LAYERS.index(parts[1])):
            yield name


def main():
    wrong = [(path, name) for path in c_files("src", "include", *PROGRAMS) for name in wrong_in(path)]
    for path, name in wrong:
        print("%s includes %s" % (path, name))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
