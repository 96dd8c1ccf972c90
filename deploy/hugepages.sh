#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Hugepages for the dataplane:
#   hugepages.sh            what there is
#   hugepages.sh PAGES      reserves so many of 2 MiB, now and at each boot (0 gives all back), shared over the NUMA nodes
#   hugepages.sh PAGES NODE only on that NUMA node, now
set -euo pipefail

conf=/etc/sysctl.d/80-heliograph-hugepages.conf
pool=/sys/kernel/mm/hugepages/hugepages-2048kB

show() {
  local d
  for d in /sys/devices/system/node/node*/hugepages/hugepages-2048kB; do
    [ -d "$d" ] || continue
    echo "$(echo "$d" | grep -o 'node[0-9]\+'): $(cat "$d/free_hugepages") of $(cat "$d/nr_hugepages") pages of 2 MiB free"
  done
  echo "in all: $(cat $pool/free_hugepages) of $(cat $pool/nr_hugepages) free, $(($(cat $pool/nr_hugepages) * 2)) MiB"
}

if [ ! -d "$pool" ]; then
  echo "hugepages.sh: this kernel has no hugepages of 2 MiB" >&2
  exit 1
fi
case ${1:-} in
  "") show; exit 0 ;;
  -h | --help) sed -n '3,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *[!0-9]*) echo "hugepages.sh: '$1' is not a number of pages" >&2; exit 2 ;;
esac
if [ "$(id -u)" -ne 0 ]; then
  echo "hugepages.sh: only root can reserve hugepages" >&2
  exit 1
fi
pages=$1
if [ -n "${2:-}" ]; then
  at=/sys/devices/system/node/node$2/hugepages/hugepages-2048kB/nr_hugepages
  [ -e "$at" ] || { echo "hugepages.sh: there is no NUMA node $2" >&2; exit 2; }
  echo "$pages" >"$at"
else
  at=$pool/nr_hugepages
  echo "$pages" >"$at"
  if [ "$pages" -eq 0 ]; then
    rm -f "$conf"
    echo "nothing is reserved at boot any more"
  else
    echo "vm.nr_hugepages = $pages" >"$conf"
    echo "$conf reserves them at each boot"
  fi
fi
have=$(cat "$at")
show
if [ "$have" -lt "$pages" ]; then
  echo "hugepages.sh: memory is too fragmented for $pages pages, $have could be had; reboot, they come first then" >&2
  exit 1
fi
