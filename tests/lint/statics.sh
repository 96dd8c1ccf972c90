#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# State hangs off the rooms' structs: no changeable static in a function, no changeable global in a room of the dataplane.
python3 - <<'PY'
import os, re, subprocess, sys

bad = 0
files = subprocess.run(["git", "ls-files", "dataplane/*/*.c", "dataplane/*/*.h"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
for path in filter(os.path.isfile, files):
    with open(path, errors="replace") as f:
        text = f.read()
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    depth = 0
    for n, line in enumerate(text.split("\n"), 1):
        if not line.lstrip().startswith("#"):
            declared = re.match(r"\s*(static\s+|extern\s+)?(?:_Thread_local\s+|__thread\s+|volatile\s+|_Atomic\s+)*"
                                r"(?:struct |union |enum )?[a-z_]\w*[\s*]+(const\s+)?\w+(\[[^]]*\])*\s*(=[^=].*|;)$", line)
            words = line.split("=")[0]
            if re.match(r"(struct|union|enum) \w+;$|\w+_fn \w+;$", line):  # declarations of types, and of functions by their type
                declared = None
            changeable = declared and not re.search(r"\bconst\b", words) and not words.strip().startswith(("typedef", "return", "extern"))
            if changeable and (re.match(r"\s+static\s", line) or (depth == 0 and line[:1].strip())):
                print(f"{path}:{n}: changeable {'static in a function' if depth else 'global'}: put it into the room's state: {line.strip()}")
                bad += 1
            depth += line.count("{") - line.count("}")
sys.exit(1 if bad else 0)
PY
