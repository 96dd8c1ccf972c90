#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every behaviour of the proxy over a wire, step by step. test_scenarios.py [WORD ...]: only tests whose names have one."""
import importlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scene
from scene import lab

PARTS = ("forwarding", "transactions", "targets", "refusals", "cores", "calls")


def main():
    tests = [t for part in PARTS for t in importlib.import_module(part).TESTS]
    words = sys.argv[1:]
    tests = [t for t in tests if not words or any(word in t.__name__ for word in words)]
    w = scene.World()
    code = lab.run_tests(tests, (w,))
    if code:
        print(w.gw.logs(), w.mc.logs())
    return code


if __name__ == "__main__":
    sys.exit(main())
