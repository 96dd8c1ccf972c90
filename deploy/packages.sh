#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Installs the Debian packages that a purpose needs and that are missing: packages.sh build|run|test|bench ...
set -euo pipefail

build="gcc meson ninja-build pkg-config dpdk dpdk-dev libdpdk-dev libconfig-dev libjemalloc-dev libhiredis-dev
  libuv1-dev libssl-dev libc-ares-dev libmicrohttpd-dev libjansson-dev libcmocka-dev libpcap-dev libnuma-dev"
run="redis-server redis-tools iproute2 ethtool sip-tester"
test="clang libclang-rt-14-dev openssl clang-format python3 python3-scapy tcpdump procps iputils-ping"
bench="kamailio libosip2-dev libsofia-sip-ua-dev"

wanted=""
for purpose in "$@"; do
  case $purpose in
    build) wanted+=" $build" ;;
    run) wanted+=" $run" ;;
    test) wanted+=" $test" ;;
    bench) wanted+=" $bench" ;;
    *) echo "packages.sh: unknown purpose '$purpose'; use build, run, test or bench" >&2; exit 2 ;;
  esac
done

missing=""
for p in $wanted; do
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=" $p"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "packages.sh: these packages are missing and only root can install them:$missing" >&2
  exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Daemons that a package would start are not wanted: we run private ones.
policy=/usr/sbin/policy-rc.d
made_policy=""
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod +x $policy
  made_policy=1
fi
status=0
{ apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 || status=$?
[ -n "$made_policy" ] && rm -f $policy
if [ $status -ne 0 ]; then
  tail -n 30 "$log" >&2
  echo "packages.sh: installing failed; the last lines of apt-get stand above" >&2
  exit 1
fi
