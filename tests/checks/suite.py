#!/usr/bin/python3
"""Checks of the sources, or of what was built: layers, headers, symbols, installation.

    tests/checks/suite.py sources|built
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import test_built, test_sources
from kit import tap

if __name__ == "__main__":
    module = {"sources": test_sources, "built": test_built}[sys.argv[1]]
    sys.exit(tap.run(tap.wanted(tap.cases_of(module))))
