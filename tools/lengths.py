#!/usr/bin/python3
"""Prints the twenty longest functions and files: the trend says more than a limit."""
import sys

from sources import c_files, functions, read

HOW_MANY = 20


def main():
    files = list(c_files())
    longest = sorted((f for path in files for f in functions(path)), key=lambda f: -f.lines)
    print("functions")
    for f in longest[:HOW_MANY]:
        print("%5d  %s:%d %s" % (f.lines, f.file, f.line, f.name))
    print("files")
    for n, path in sorted(((read(path).count("\n"), path) for path in files), reverse=True)[:HOW_MANY]:
        print("%5d  %s" % (n, path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
