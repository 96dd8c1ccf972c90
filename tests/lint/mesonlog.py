# SPDX-License-Identifier: BSD-2-Clause
"""Turns meson's testlog.json into 'ok|FAIL|skip NAME' lines: a line per cmocka case, or per program without cases."""
import json
import re
import sys

CASE = re.compile(r"^\[\s+(OK|FAILED|SKIPPED)\s+\] (\S+)")
bad = 0
with open(sys.argv[1], errors="replace") as f:
    for line in f:
        t = json.loads(line)
        text = (t.get("stdout") or "") + "\n" + (t.get("stderr") or "")
        cases = {}
        for row in text.split("\n"):
            m = CASE.match(row)
            if m:
                cases[m.group(2)] = m.group(1)
        word = {"OK": "ok", "FAILED": "FAIL", "SKIPPED": "skip"}
        for case, result in cases.items():
            print(f"{word[result]} {t['name']}/{case}")
        failed = t["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")
        if failed and "FAILED" not in cases.values():
            print(f"FAIL {t['name']} ({t['result']})")
        elif not cases:
            print(f"{'skip' if t['result'] == 'SKIP' else 'ok'} {t['name']}")
        bad += failed
sys.exit(1 if bad else 0)
