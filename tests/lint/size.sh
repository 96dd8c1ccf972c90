#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Files stay below 500 lines (warned) and in no case above 700; functions below 70 (warned) and never above 120.
status=0
while read -r f; do
  [ -f "$f" ] || continue
  n=$(wc -l <"$f")
  [ "$n" -le 500 ] || echo "$f: $n lines, soft cap 500"
  [ "$n" -le 700 ] || status=1
done < <(git ls-files 'include/*.[ch]' 'dataplane/*.[ch]' 'controlplane/*.[ch]' 'tests/*.[ch]')
while read -r f; do
  [ -f "$f" ] || continue
  awk -v file="$f" '/^[a-z].*\)$/ {start = FNR; name = $0}
    /^}/ && start {n = FNR - start - 1; start = 0
      if (n > 70) printf "%s: %d lines, soft cap 70: %s\n", file, n, name
      if (n > 120) bad = 1}
    END {exit bad}' "$f" || status=1
done < <(git ls-files 'include/*.c' 'dataplane/*.c' 'controlplane/*.c')
exit $status
