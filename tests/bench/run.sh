#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Measures what is claimed, beside the peers in the same run, and prints 'figure NAME VALUE UNIT' lines and a summary.
#   sudo tests/bench/run.sh [sip]        everything of the SIP suite (about ten minutes)
#   sudo tests/bench/run.sh sip PART...  parse inproc kamailio veth memif churn
#   sudo tests/bench/run.sh failover [PART...]   the cluster (about a quarter of an hour): kills start feed assign record sim wan
# Never a timed test: machines are noisy. Medians of BENCH_RUNS (7) runs; quote ratios, not single figures.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
suite=${1:-sip}
shift || true
case $suite in
  -h | --help) sed -n '3,7s/^# //p' "$0"; exit 0 ;;
  sip) all="parse inproc kamailio veth memif churn" ;;
  failover) all="kills start feed assign record sim wan" ;;
  *) echo "tests/bench/run.sh: unknown suite '$suite'; there are: sip failover" >&2; exit 2 ;;
esac
parts=${*:-$all}
[ "$(id -u)" -eq 0 ] || { echo "tests/bench/run.sh: network namespaces need root" >&2; exit 2; }
deploy/packages.sh build run test bench || exit 1
[ -f build-bench/build.ninja ] || CC=gcc meson setup build-bench --buildtype=release >/dev/null || exit 1
ninja -C build-bench >/tmp/hg-bench-build.$$ 2>&1 || { tail -n 40 /tmp/hg-bench-build.$$; rm -f /tmp/hg-bench-build.$$; exit 1; }
rm -f /tmp/hg-bench-build.$$
export HG_BUILD=$PWD/build-bench BENCH_RUNS=${BENCH_RUNS:-7}
bench=build-bench/tests/bench
out=$(mktemp)
mkfifo "$out.pipe"
# Packet memory and tables in hugepages, as in production, where the machine lets us; the number found is put back.
pages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
pages_before=$(cat $pages 2>/dev/null || echo)
child=""
cleanup() {
  trap - EXIT INT TERM
  if [ -n "$child" ]; then # it ends what it has started
    kill "$child" 2>/dev/null
    wait "$child" 2>/dev/null
  fi
  rm -f "$out" "$out.pipe"
  [ -z "$pages_before" ] || echo "$pages_before" 2>/dev/null >$pages
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ -n "$pages_before" ] && [ "$pages_before" -lt 1200 ]; then
  echo 1200 2>/dev/null >$pages
fi
status=0

part() { # part NAME COMMAND...: in the background, so that a signal to us is heard at once
  local failed=""
  printf '\n== %s\n' "$1"
  shift
  tee -a "$out" <"$out.pipe" &
  local reader=$!
  timeout --kill-after=60 1200 "$@" >"$out.pipe" 2>&1 &
  child=$!
  wait "$child" || failed=1
  child=""
  wait "$reader"
  [ -z "$failed" ] || { echo "# '$*' failed"; status=1; }
}

echo "# $(grep -m1 'model name' /proc/cpuinfo | sed 's/.*: //'), $(nproc) CPUs, $(uname -r), load $(cut -d' ' -f1 /proc/loadavg)"
part calibration $bench/bench_calibrate
for p in $parts; do
  case $p in
    parse) part "parsers" taskset -c 1 $bench/parse/bench_parse ;;
    inproc)
      part "in process (excludes I/O)" taskset -c 0,1 $bench/bench_sip
      part "two cores (excludes I/O)" $bench/bench_scaling
      ;;
    kamailio) part "Kamailio over loopback" python3 tests/bench/peer_kamailio.py ;;
    veth) part "both over one veth pair" python3 tests/bench/peer_veth.py ;;
    memif) part "two processes over net_memif" python3 tests/bench/memif.py ;;
    kills) part "nodes killed under load" python3 tests/bench/failover.py ;;
    start) part "a node with a million users starts" python3 tests/bench/node_start.py ;;
    feed) part "a million users told to four nodes while they forward" $bench/bench_churn feed ;;
    record) part "the record over a real Redis" $bench/bench_record ;;
    assign) part "a million users assigned and rebalanced" python3 tests/bench/assign_million.py ;;
    sim) part "a million faults in simulated time" taskset -c 1 build-bench/tests/sim/sim_pair --faults 1000000 ;;
    wan) part "a simulated month at 80 ms and 1% loss" taskset -c 1 build-bench/tests/sim/sim_pair --month ;;
    churn) part "load while the tables change" $bench/bench_churn ;;
    *) echo "tests/bench/run.sh: unknown part '$p'" >&2; exit 2 ;;
  esac
done
part "calibration again" $bench/bench_calibrate

python3 tests/bench/summary.py "$out" "$suite" | tee -a "$out"
exit $status
