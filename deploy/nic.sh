#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Network ports for the dataplane:
#   nic.sh list              PCI ports with driver, NUMA node, kernel interface and addresses
#   nic.sh bind PCI...       gives ports to vfio-pci; refused while the kernel uses one (--force says do it)
#   nic.sh unbind PCI...     gives them back to their kernel driver
set -euo pipefail

force=no
pci=/sys/bus/pci

die() { echo "nic.sh: $*" >&2; exit 1; }

full() { # PCI address with its domain
  local a=$1
  [[ $a == ????:* ]] || a=0000:$a
  [ -d "$pci/devices/$a" ] || die "there is no PCI device $a; nic.sh list shows the ports"
  [[ $(cat "$pci/devices/$a/class") == 0x02* ]] || die "$a is not a network port"
  echo "$a"
}

driver() { local d; d=$(readlink "$pci/devices/$1/driver" || true); basename "${d:-none}"; }

interfaces() {
  local n
  for n in "$pci/devices/$1"/net/* "$pci/devices/$1"/virtio*/net/*; do [ -e "$n" ] && basename "$n"; done || true
}

list() {
  local d a i found=no
  for d in "$pci"/devices/*; do
    [[ $(cat "$d/class" 2>/dev/null) == 0x02* ]] || continue
    found=yes
    a=$(basename "$d")
    i=$(interfaces "$a" | tr '\n' ' ')
    printf '%s  driver %-10s numa %-3s %s\n' "$a" "$(driver "$a")" "$(cat "$d/numa_node" 2>/dev/null || echo '?')" \
      "${i:+interface $i$(for n in $i; do ip -brief address show dev "$n" | awk '{$1="";$2="";print}'; done | xargs)}"
  done
  [ $found = yes ] || echo "no PCI network port; use a software port such as net_af_packet0,iface=IF"
}

bind() {
  local a=$1 d i
  d=$(driver "$a")
  [ "$d" = vfio-pci ] && { echo "$a is bound to vfio-pci already"; return; }
  [[ $d == mlx5* || $d == mlx4* ]] && die "$a ($d) stays with its kernel driver: name it in dataplane.ports as it is"
  for i in $(interfaces "$a"); do
    if [ $force = no ] && ip route show | grep -qw "dev $i"; then
      die "$a is $i and carries routes of the kernel; binding it would cut them (--force does it all the same)"
    fi
    ip link set "$i" down
  done
  modprobe vfio-pci 2>/dev/null || die "the kernel has no vfio-pci"
  if [ -z "$(ls /sys/kernel/iommu_groups 2>/dev/null)" ]; then
    local unsafe=/sys/module/vfio/parameters/enable_unsafe_noiommu_mode
    echo "no IOMMU: add intel_iommu=on iommu=pt to the kernel's command line; going on without its protection" >&2
    [ -w $unsafe ] && echo 1 >$unsafe
  fi
  echo vfio-pci >"$pci/devices/$a/driver_override"
  [ "$d" = none ] || echo "$a" >"$pci/devices/$a/driver/unbind"
  echo "$a" >"$pci/drivers_probe"
  [ "$(driver "$a")" = vfio-pci ] || die "$a did not go to vfio-pci; dmesg says why"
  echo "$a: $d -> vfio-pci"
}

unbind() {
  local a=$1 d
  d=$(driver "$a")
  echo >"$pci/devices/$a/driver_override"
  [ "$d" = none ] || echo "$a" >"$pci/devices/$a/driver/unbind"
  echo "$a" >"$pci/drivers_probe"
  echo "$a: $d -> $(driver "$a")"
}

what=${1:-list}
shift || true
[ "${1:-}" = --force ] && { force=yes; shift; }
case $what in
  list) list ;;
  bind | unbind)
    [ $# -gt 0 ] || die "$what which port? nic.sh list shows them"
    [ "$(id -u)" -eq 0 ] || die "only root can do that"
    for p in "$@"; do a=$(full "$p"); $what "$a"; done
    ;;
  -h | --help | help) sed -n '3,6s/^# \{0,1\}//p' "$0" ;;
  *) die "unknown command '$what'; list, bind or unbind" ;;
esac
