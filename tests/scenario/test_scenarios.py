#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every behaviour of the proxy over a wire, step by step. test_scenarios.py [WORD ...]: only tests whose names have one."""
import importlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scene
from scene import lab

# Some mostly wait, for half a minute: those all at once. SIPp stumbles over the probes of the refusals, which come last.
PARTS = (("forwarding",), ("transactions", "targets"), ("cores",), ("calls",), ("refusals",))


def main():
    words, code = sys.argv[1:], 0
    w = scene.World()
    for part in PARTS:
        tests = [t for name in part for t in importlib.import_module(name).TESTS]
        tests = [t for t in tests if not words or any(word in t.__name__ for word in words)]
        code |= (lab.run_together if len(part) > 1 else lab.run_tests)(tests, (w,))
    if code:
        print(w.gw.logs(), w.mc.logs())
    return code


if __name__ == "__main__":
    sys.exit(main())
