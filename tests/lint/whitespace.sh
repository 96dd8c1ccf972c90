#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# No blanks at line ends, no carriage returns, a newline at the end; no tabs in what spaces indent.
status=0
mapfile -t text < <(git ls-files '*.c' '*.h' '*.def' '*.md' '*.sh' '*.py' '*.bash' '*.build' '*.cfg' '*.txt' '*.service' | while read -r f; do
  [ -s "$f" ] && case $f in tests/*/corpus/* | tests/*/data/*) ;; *) echo "$f" ;; esac
done)
grep -nE '[[:blank:]]$' "${text[@]}" && { echo "blanks at the end of lines"; status=1; }
grep -nP '\r' "${text[@]}" && { echo "carriage returns"; status=1; }
for f in "${text[@]}"; do
  [ -z "$(tail -c 1 "$f")" ] || { echo "$f: no newline at the end"; status=1; }
done
mapfile -t sources < <(git ls-files '*.c' '*.h' '*.def' '*.py' '*.build')
grep -nP '^ *\t' "${sources[@]}" && { echo "tabs as indentation"; status=1; }
exit $status
