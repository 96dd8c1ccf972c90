#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Automatic fallback (D43-D45, F10) of a pair of two real nodes, with a quiet period of seconds."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab
import test_ha


def row_10_back_after_a_quiet_period(p):
    p.normal()
    p.lab.end(p.n1.dp, signal.SIGKILL)
    p.wait("F12")
    p.n1.start_dp()
    p.passed("F10", 60)
    p.wait("F01")
    p.served(p.n1)


def back_after_a_reboot(p):
    """D44"""
    p.normal()
    p.n1.kill()
    p.wait("F16")
    p.served(p.n2)
    p.n1.start_cp()
    p.n1.start_dp()
    p.passed("F10", 60)
    p.wait("F01")
    p.served(p.n1)


if __name__ == "__main__":
    pair = test_ha.Pair(lab.Lab(), "automatic_fallback = true; fallback_quiet = 4000;")
    sys.exit(lab.run_tests([row_10_back_after_a_quiet_period, back_after_a_reboot], (pair,)))
