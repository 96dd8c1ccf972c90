#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The tests that docs/requirements.md names are there, no row stands twice, and none is without a test or a reason.
cd "$(dirname "$0")/../.." || exit 1
page=docs/requirements.md
status=0
while IFS='#' read -r file name; do
  if [ ! -f "tests/$file" ] || ! grep -qw -- "$name" "tests/$file"; then
    echo "$page: tests/$file has no $name"
    status=1
  fi
done < <(grep -oE '`[a-z_/]+\.(c|py)#\w+`' "$page" | tr -d '`' | sort -u)
twice=$(sed -nE 's/^\| ([A-Z][A-Z0-9, -]*[0-9]) \|.*/\1/p' "$page" | tr -d ' ' | tr ',' '\n' | sort | uniq -d)
[ -z "$twice" ] || { echo "$page: twice: $twice"; status=1; }
empty=$(grep -E '^\| [A-Z]+[0-9]{2}.*\|  *\|$' "$page")
[ -z "$empty" ] || { echo "$page: neither a test nor a reason: $empty"; status=1; }
exit $status
