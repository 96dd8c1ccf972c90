#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Every decision has a number of its own, and what the text refers to by docs/decisions/NNNN is there.
status=0
twice=$(git ls-files docs/decisions | sed -nE 's|^docs/decisions/([0-9]{4})-.*\.md$|\1|p' | sort | uniq -d)
[ -z "$twice" ] || { echo "docs/decisions: twice: $twice"; status=1; }
for n in $(git grep -hoE 'decisions/[0-9]{4}' -- docs controlplane dataplane include tests deploy | cut -d/ -f2 | sort -u); do
  [ -n "$(git ls-files "docs/decisions/$n-*.md")" ] || { echo "docs/decisions: there is no $n"; status=1; }
done
odd=$(git ls-files docs/decisions | grep -vE '^docs/decisions/[0-9]{4}-[a-z0-9-]+\.md$')
[ -z "$odd" ] || { echo "docs/decisions: not NNNN-title.md: $odd"; status=1; }
exit $status
