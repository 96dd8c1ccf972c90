#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Each source says its licence in one of its first two lines.
status=0
while read -r f; do
  [ -s "$f" ] || continue
  head -n 2 "$f" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' || { echo "$f: no SPDX line at the top"; status=1; }
done < <(git ls-files '*.c' '*.h' '*.def' '*.sh' '*.py' '*.bash' '*meson.build' meson_options.txt)
exit $status
