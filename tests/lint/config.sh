#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Every item is described and used; the configuration files that we deliver are valid.
status=0
hgctl=${BUILD:-build}/controlplane/hgctl
sources=$(git ls-files 'dataplane/*.[ch]' 'controlplane/*.[ch]' 'include/impl/*.[ch]')
while read -r field; do
  # shellcheck disable=SC2086
  grep -qE "(->|\.)$field\>" $sources || { echo "include/hg/config_items.def: nothing reads $field"; status=1; }
done < <(sed -nE 's/^HG_(INT|BOOL|STR|ENUM)\(([a-z0-9_]+),.*/\2/p' include/hg/config_items.def)
grep -nE '^HG_(INT|BOOL|STR|ENUM)\(' include/hg/config_items.def | grep -vE '"[^"]{8,}\."\)$' && {
  echo "an item without a sentence that describes it"; status=1; }
if [ -x "$hgctl" ]; then
  while read -r f; do
    [ -f "$f" ] || continue
    sed -e 's/@NAME@/node1/; s/@CORES@/0/; s|@SOCKET@|/run/a|; s/@[A-Z_]*@/1/g' "$f" >"${TMPDIR:-/tmp}/hg-lint.$$.cfg"
    "$hgctl" config check "${TMPDIR:-/tmp}/hg-lint.$$.cfg" >/dev/null || { echo "$f is refused"; status=1; }
    rm -f "${TMPDIR:-/tmp}/hg-lint.$$.cfg"
  done < <(git ls-files '*heliograph*.cfg')
else
  echo "$hgctl is not built: the configuration files were not checked"
fi
exit $status
