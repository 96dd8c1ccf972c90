#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The generated documents are what hg-docgen prints. `BUILD=build tests/lint/docs.sh --update` writes them.
cd "$(dirname "$0")/../.." || exit 1
docgen=${BUILD:-build}/controlplane/config/hg-docgen
[ -x "$docgen" ] || { echo "$docgen is not built"; exit 1; }
status=0
while read -r document file; do
  if [ "${1:-}" = --update ]; then
    mkdir -p "$(dirname "$file")"
    if "$docgen" "$document" >"$file.new"; then mv "$file.new" "$file"; else rm -f "$file.new"; status=1; fi
  elif ! "$docgen" "$document" | cmp -s - "$file"; then
    echo "$file is not current: BUILD=${BUILD:-build} tests/lint/docs.sh --update"
    status=1
  fi
done <<LIST
sample deploy/heliograph.cfg
config.md docs/config.md
config.5 docs/man/heliograph.cfg.5
counters.md docs/counters.md
ha.md docs/ha.md
hgctl.1 docs/man/hgctl.1
hgctl.bash deploy/hgctl.bash
LIST
bash -n deploy/hgctl.bash || status=1
for page in docs/man/hg-dataplane.8 docs/man/hg-controlplane.8; do
  [ -s "$page" ] || { echo "$page is missing"; status=1; }
done
exit $status
