#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Each header compiles alone, with gcc and with clang. One is no header but a body, compiled once per instruction set.
flags="-std=gnu11 -D_GNU_SOURCE -DHG_VERSION=\"0\" -Wall -Wextra -Werror -Wno-missing-field-initializers -Wno-unused-function -fsyntax-only"
dpdk=$(pkg-config --cflags libdpdk | sed 's/-I/-isystem /g')
BUILD=${BUILD:-build}
export flags dpdk BUILD
one() {
  local f=$1 path="-I include" cc
  case $f in
    dataplane/*) path="$path -I dataplane -I $BUILD/dataplane $dpdk" ;;
    controlplane/*) path="$path -I controlplane" ;;
    tests/*) path="$path -I tests/bench/inproc -I dataplane -I $BUILD/dataplane -I controlplane -I tests -I . $dpdk" ;;
    *) path="$path $dpdk" ;;
  esac
  for cc in gcc clang; do
    command -v $cc >/dev/null || continue
    # shellcheck disable=SC2086
    $cc $flags $([ $cc = clang ] && echo -Wno-address-of-packed-member) $path -x c -include "$f" /dev/null 2>&1 || echo "$f: does not compile alone with $cc"
  done
}
export -f one
out=$(git ls-files '*.h' | grep -vxE "dataplane/sip/(index_fast|index_blocks|shape).h" | while read -r f; do [ -f "$f" ] && echo "$f"; done | xargs -P 2 -I{} bash -c 'one {}')
[ -z "$out" ] && exit 0
echo "$out"
exit 1
