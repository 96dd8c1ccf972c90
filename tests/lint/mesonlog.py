# SPDX-License-Identifier: BSD-2-Clause
"""Turns meson's testlog.json into 'ok|FAIL|skip NAME' lines: a line per cmocka case, or per program without cases.
What a failed one said follows its line, indented."""
import json
import re
import sys

CASE = re.compile(r"^\[\s+(RUN|OK|FAILED|SKIPPED)\s+\] (\S+)")
SAYS = re.compile(r"^\[\s+(ERROR|LINE)\s+\] --- (.*)")
WORD = {"OK": "ok", "FAILED": "FAIL", "SKIPPED": "skip"}
TAIL = 25  # lines of a program that failed without saying which of its cases did


def cases_of(text):
    """{case: (result, what cmocka said while it ran)}; the list of failed ones that follows names nothing new."""
    cases, running, said = {}, None, []
    for row in text.split("\n"):
        m, says = CASE.match(row), SAYS.match(row)
        if m and m.group(1) == "RUN":
            running, said = m.group(2), []
        elif m and m.group(2) == running:
            cases[running] = (m.group(1), said)
            running = None
        elif says:
            said.append(says.group(2))
    return cases


def main(path):
    bad = 0
    with open(path, errors="replace") as f:
        for t in map(json.loads, f):
            text = (t.get("stdout") or "") + "\n" + (t.get("stderr") or "")
            cases = cases_of(text)
            for case, (result, said) in cases.items():
                print("\n    ".join([f"{WORD[result]} {t['name']}/{case}"] + (said if result == "FAILED" else [])))
            failed = t["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")
            if failed and "FAILED" not in [result for result, _ in cases.values()]:
                print("\n    ".join([f"FAIL {t['name']} ({t['result']})"] + text.rstrip().split("\n")[-TAIL:]))
            elif not cases:
                print(f"{'skip' if t['result'] == 'SKIP' else 'ok'} {t['name']}")
            bad += failed
    return 1 if bad else 0


sys.exit(main(sys.argv[1]))
