#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Every lint of this folder: a line "ok NAME" or "FAIL NAME" each, then "N passed, N failed".
#   BUILD=folder tests/lint/run.sh [NAME...]     BUILD is where hg-docgen was built (build)
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
passed=0 failed=0
names=("$@")
[ $# -gt 0 ] || names=(spdx whitespace format layers statics size config docs decisions requirements alarms headers)
for name in "${names[@]}"; do
  if out=$(bash "tests/lint/$name.sh" 2>&1); then
    echo "ok lint $name"
    passed=$((passed + 1))
  else
    echo "FAIL lint $name"
    failed=$((failed + 1))
  fi
  [ -z "$out" ] || sed 's/^/  /' <<<"$out"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
