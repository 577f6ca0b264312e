#!/usr/bin/python3
"""Checks of the sources and of what was built: layers, headers, symbols, installation."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import test_built, test_sources
from kit import tap

if __name__ == "__main__":
    modules = (test_sources, test_built)
    sys.exit(tap.run(tap.wanted([c for m in modules for c in tap.cases_of(m)])))
