#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Every C file is as clang-format leaves it.
command -v clang-format >/dev/null || { echo "clang-format is missing"; exit 1; }
mapfile -t files < <(git ls-files '*.c' '*.h' | while read -r f; do [ -f "$f" ] && echo "$f"; done)
one() {
  clang-format --dry-run -Werror "$@" 2>&1 | sed -n 's/^\([^: ]*\):[0-9]*:.*-Wclang-format-violations.*/\1/p' | sort -u
}
export -f one
bad=$(printf '%s\n' "${files[@]}" | xargs -P 2 -n 16 bash -c 'one "$@"' one | sort -u)
[ -z "$bad" ] && exit 0
sed 's/$/: clang-format -i changes it/' <<<"$bad"
exit 1
