#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# "Reading an alarm" in docs/operations.md has a row for every alarm that exists, and for no other.
status=0
chapter=$(sed -n '/^## .*reading an alarm/,/^## /p' docs/operations.md | grep -E '^\| `' | cut -d'|' -f2 | grep -oE '`[a-z_]+`' | tr -d '`' | sort)
alarms=$(sed -nE 's/^    X\(([a-z_]+), .*/\1/p' controlplane/log/alarms.h | sort)
[ -n "$alarms" ] || { echo "controlplane/log/alarms.h: no alarm was found"; status=1; }
for a in $(comm -23 <(echo "$alarms") <(echo "$chapter")); do
  echo "docs/operations.md: reading an alarm: the alarm $a is missing"
  status=1
done
for a in $(comm -13 <(echo "$alarms") <(echo "$chapter")); do
  echo "docs/operations.md: reading an alarm: there is no alarm $a, or it stands there twice"
  status=1
done
exit $status
