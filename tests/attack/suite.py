#!/usr/bin/python3
"""Servers that lie, break, stall and attack: jabiru must end in time, say why, and give nothing away."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from attack import (test_broken, test_doctor, test_forged, test_log_in, test_network, test_resources, test_silent,
                    test_tls)
from attack.lab import Lab
from kit import tap

MODULES = (test_silent, test_network, test_tls, test_log_in, test_broken, test_forged, test_resources, test_doctor)

if __name__ == "__main__":
    lab = Lab(tap.folder())
    cases = [c for module in MODULES for c in tap.cases_of(module, lab)]
    sys.exit(tap.run(tap.wanted(cases), threads=6))
