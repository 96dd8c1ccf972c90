#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""hand.py as a person uses it: each of its words once, wrong ones too."""
import glob
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab

WORDS = """hgctl n1 ha status
cut n1 lan out
spoil n1 mgmt loss=0.05 delay_ms=10 in
heal n1
kill n2.cp
start n2
stop redis3
go redis3
end redis2.sentinel
start redis2.sentinel
fill redis3
free redis3
redis redis1 role
spoil n9 mgmt
cut n1
nonsense
account
quit
hgctl n1 status
"""


def every_word_does_what_it_says():
    hand = subprocess.Popen([sys.executable, os.path.join(lab.TOP, "tests", "lab", "hand.py"), "2"], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text, _ = hand.communicate(WORDS, timeout=300)
    assert hand.returncode == 0 and "Traceback" not in text, text
    for line in ("subcluster S1: high availability on", "master\n", "'n9' has no wire: n1, n2, redis1", "not understood",
                 "users of n1: ", "users of n2: "):
        assert line in text, f"{line} is missing\n{text}"
    assert text.count("  kill WHO") == 2, text  # at the start and for nonsense, never for a good word
    assert text.count("not understood") == 1, text
    left = glob.glob(f"/run/netns/hg{hand.pid}-*")
    assert not left, left


if __name__ == "__main__":
    sys.exit(lab.run_tests([every_word_does_what_it_says], ()))
