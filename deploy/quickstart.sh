#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# From a fresh Debian 12 to a running Heliograph: installs packages, builds, starts a private Redis, the control plane
# and the dataplane in a network namespace on a software port, sends real SIP calls through it, prints a report.
#
#   sudo deploy/quickstart.sh            stays up afterwards, until Ctrl-C
#   sudo deploy/quickstart.sh --check    exits after the report; non-zero if anything was lost
#
#   sudo deploy/quickstart.sh --nodes 4  instead a cluster of two pairs: a node is killed under load, its peer takes over
#
#   --calls N     calls to send (default 600)         --rate N    calls per second (default 100)
#
#      caller 10.77.0.2 ---+
#      callee1 10.77.0.11 -+-- bridge -- hg0: dataplane 10.77.0.1 (routes 4*: callee1 weight 20, callee2 weight 10)
#      callee2 10.77.0.12 -+
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
check="" calls=600 rate=100 nodes=""
while [ $# -gt 0 ]; do
  case $1 in
    --nodes | --calls | --rate) [ $# -ge 2 ] || { echo "quickstart: $1 needs a number (try --help)" >&2; exit 2; } ;;
  esac
  case $1 in
    --check) check=--check ;;
    --nodes) nodes=$2; shift ;;
    --calls) calls=$2; shift ;;
    --rate) rate=$2; shift ;;
    -h | --help) sed -n '3,16s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "quickstart: unknown argument '$1' (try --help)" >&2; exit 2 ;;
  esac
  shift
done
[[ $calls =~ ^[1-9][0-9]*$ && $rate =~ ^[1-9][0-9]*$ ]] || { echo "quickstart: --calls and --rate take whole numbers" >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || { echo "quickstart: network namespaces need root: sudo deploy/quickstart.sh" >&2; exit 1; }

sudo="" # for the commands that are printed; a container where root is alone has none
! command -v sudo >/dev/null || sudo="sudo "
say() { printf '\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '%s\n' "$*"; }

build() { # build LOG TARGET...: the tests need more time; who only wants to see it run does without
  [ -f build/build.ninja ] || CC=gcc meson setup build >"$1" 2>&1 || { cat "$1" >&2; return 1; }
  ninja -C build "${@:2}" >"$1" 2>&1 || { tail -n 40 "$1" >&2; return 1; }
}
programs="dataplane/hg-dataplane controlplane/hg-controlplane controlplane/hgctl"

if [ -n "$nodes" ]; then # a cluster is the laboratory's business, which cleans up after itself
  [[ $nodes =~ ^[246]$ ]] || { echo "quickstart: --nodes takes 2, 4 or 6" >&2; exit 2; }
  deploy/packages.sh build run test
  log=$(mktemp)
  build "$log" $programs tests/lab/probe tests/lab/badwire || { rm -f "$log"; echo "quickstart: the build failed" >&2; exit 1; }
  rm -f "$log"
  exec python3 tests/lab/show.py "$nodes" $check
fi

# What a quickstart that was killed outright (SIGKILL) left behind: its processes stand in namespaces with its pid.
for left in $(ip netns list | sed -n 's/^hgq\([0-9]*\)-.*/\1/p' | sort -u); do
  [ ! -d "/proc/$left" ] || continue
  echo "  clearing away what quickstart $left left behind"
  for s in $(ip netns list | sed -n "s/^\(hgq$left-[^ ]*\).*/\1/p"); do
    for p in $(ip netns pids "$s" 2>/dev/null); do kill -9 "$p" 2>/dev/null || true; done
    ip netns del "$s" 2>/dev/null || true # another quickstart may do the same
  done
  rm -rf "/dev/shm/hg-hgq$left" "/dev/shm/hg-hgq$left"-routes-* "/dev/shm/hg-hgq$left"~* "/run/dpdk/hg-hgq$left"
  for d in /tmp/hg-quickstart.*; do ! grep -qsF "hgq$left" "$d/heliograph.cfg" || rm -rf "$d"; done
done

id=hgq$$ # every namespace carries it, so that two quickstarts do not meet
dir=$(mktemp -d /tmp/hg-quickstart.XXXXXX)
spaces="$id-lan $id-node $id-caller $id-callee1 $id-callee2"
pids=()

cleanup() {
  status=$?
  trap - EXIT INT TERM PIPE
  local p i s
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill "${pids[i]}" 2>/dev/null || true; done
  for p in "${pids[@]}"; do
    for _ in $(seq 50); do kill -0 "$p" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$p" 2>/dev/null || true
  done
  for s in $spaces; do ip netns del "$s" 2>/dev/null || true; done
  rm -f "/dev/shm/hg-$id" "/dev/shm/hg-$id"-routes-* "/dev/shm/hg-$id"~*
  rm -rf "$dir" "/run/dpdk/hg-$id"
  exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 141' PIPE

in_space() { ip netns exec "$id-$1" "${@:2}"; }
start() { # start NAME SPACE COMMAND...: in the background, output to a log; only pids from here are ever ended
  local name=$1 space=$2
  shift 2
  ip netns exec "$id-$space" "$@" >"$dir/$name.log" 2>&1 </dev/null &
  pids+=($!)
}
fail() {
  echo "quickstart: $*" >&2
  for log in controlplane dataplane redis; do
    [ -s "$dir/$log.log" ] && { echo "--- $log" >&2; tail -n 25 "$dir/$log.log" >&2; }
  done
  exit 1
}
until_true() { # until_true SECONDS COMMAND...: asks ten times a second, says whether it became true
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}
hgctl() { in_space node "$top/build/controlplane/hgctl" --socket "$dir/admin.sock" "$@"; }
cli() { in_space node redis-cli "$@"; }

say "1/5 packages"
deploy/packages.sh build run

say "2/5 build"
build "$dir/build.log" $programs || fail "the build failed"

say "3/5 network, Redis, control plane, dataplane"
for s in $spaces; do
  ip netns add "$s"
  ip -n "$s" link set lo up
done
for s in lan node; do
  in_space $s sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 || true
done
# A bridge that looks into IP would join fragments on their way.
in_space lan sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 2>/dev/null || true
ip -n "$id-lan" link add br0 type bridge
ip -n "$id-lan" link set br0 up
plug() { # plug SPACE IFNAME [ADDRESS...]; checksums are computed for real, a dataplane does not trust promises
  local far=p-$1
  ip -n "$id-lan" link add "$far" numtxqueues 1 numrxqueues 1 type veth \
    peer name "$2" netns "$id-$1" numtxqueues 1 numrxqueues 1
  ip -n "$id-lan" link set "$far" master br0 up
  local a
  for a in "${@:3}"; do
    case $a in *:*) ip -n "$id-$1" addr add "$a" dev "$2" nodad ;; *) ip -n "$id-$1" addr add "$a" dev "$2" ;; esac
  done
  ip -n "$id-$1" link set "$2" up
  in_space "$1" ethtool -K "$2" tx off rx off gro off gso off tso off txvlan off rxvlan off >/dev/null 2>&1 || true
  in_space lan ethtool -K "$far" tx off rx off gro off gso off tso off txvlan off rxvlan off >/dev/null 2>&1 || true
}
plug node hg0
plug caller eth0 10.77.0.2/24 fd77::2/64
plug callee1 eth0 10.77.0.11/24 fd77::11/64
plug callee2 eth0 10.77.0.12/24 fd77::12/64

# One worker core: the last CPU that we may run on.
cpu=$(taskset -cp $$ | sed 's/.*[:, -]//')
configure() { # configure DEVICE
  sed -e "s|@NAME@|$id|; s|@SOCKET@|$dir/admin.sock|; s|@CORES@|$cpu|; s|@DEVICE@|$1|" deploy/quickstart/heliograph.cfg \
    >"$dir/heliograph.cfg"
}
# AF_XDP takes frames as they are on the cable. Where the kernel does not let us, AF_PACKET does, except that the kernel
# joins the fragments of messages larger than a frame, which are then lost.
configure net_af_xdp0,iface=hg0

mkdir "$dir/redis"
start redis node redis-server --port 6379 --bind 127.0.0.1 --dir "$dir/redis" --save '' --appendonly yes \
  --appendfsync always --maxmemory-policy noeviction
redis_answers() { cli ping 2>/dev/null | grep -q PONG; }
until_true 60 redis_answers || fail "Redis does not answer"
start controlplane node "$top/build/controlplane/hg-controlplane" -c "$dir/heliograph.cfg"
start dataplane node "$top/build/dataplane/hg-dataplane" -c "$dir/heliograph.cfg"
ready_or_ended() {
  hgctl status >/dev/null 2>&1 && return 0
  kill -0 "${pids[1]}" 2>/dev/null || fail "the control plane ended"
  ! kill -0 "${pids[2]}" 2>/dev/null
}
until_true 120 ready_or_ended || { hgctl status || true; fail "the node did not become ready within 120 s"; }
if ! kill -0 "${pids[2]}" 2>/dev/null; then
  echo "  AF_XDP cannot be had here (last words below), using AF_PACKET"
  tail -n 2 "$dir/dataplane.log" | sed 's/^/    /'
  configure net_af_packet0,iface=hg0
  unset 'pids[2]'
  start dataplane node "$top/build/dataplane/hg-dataplane" -c "$dir/heliograph.cfg"
  until_true 120 ready_or_ended || { hgctl status || true; fail "the node did not become ready within 120 s"; }
  kill -0 "${pids[2]}" 2>/dev/null || fail "the dataplane ended"
fi

say "4/5 $calls calls at $rate a second"
for i in 1 2; do
  start "callee$i" "callee$i" sipp -sf "$top/deploy/quickstart/callee.xml" -i "10.77.0.1$i" -p 5060 -nostdin \
    -trace_stat -stf "$dir/callee$i.csv" -fd 1
done
# Calls start once the probes have found both callees.
both_up() { [ "$(hgctl hop list 2>/dev/null | grep -cw up)" -ge 2 ]; }
until_true 60 both_up || { hgctl hop list || true; fail "the probes did not find both callees within 60 s"; }
sipp_status=0 # in the background, so that Ctrl-C is heard at once
start caller caller timeout $((calls / rate + 90)) sipp 10.77.0.1:5060 -sf "$top/deploy/quickstart/caller.xml" \
  -i 10.77.0.2 -p 5060 -s 4711 -m "$calls" -r "$rate" -l 1000 -nostdin -trace_stat -stf "$dir/caller.csv" -fd 1
wait $! || sipp_status=$?

say "5/5 report"
stat() { # stat FILE COLUMN: the last value of a column of SIPp's statistics
  awk -F';' -v want="$2" 'NR == 1 {for (i = 1; i <= NF; i++) if ($i == want) c = i} NR > 1 && c {v = $c} END {print v + 0}' "$1"
}
ok=$(stat "$dir/caller.csv" 'SuccessfulCall(C)')
lost=$((calls - ok))
again=$(stat "$dir/caller.csv" 'Retransmissions(C)')
key="hg:{StandaloneCluster}:counters:$id"
# Counters are exported once a second; what was lost never comes.
all_counted() {
  c1=$(cli HGET "$key:routes" callee1.requests)
  c2=$(cli HGET "$key:routes" callee2.requests)
  [ $((c1 + c2)) -ge "$calls" ]
}
until_true 10 all_counted || true
printf '  calls completed           %d of %d\n' "$ok" "$calls"
printf '  lost                      %d\n' "$lost"
printf '  by callee1 / callee2      %d / %d (weights 20 and 10)\n' "$c1" "$c2"
printf '  retransmissions           %d by the caller\n' "$again"
echo
echo "  redis-cli HGETALL '$key', what moved:"
cli HGETALL "$key" | paste - - | awk '$2 != 0 && $1 !~ /^core[0-9]+\./ {printf "    %-34s %s\n", $1, $2}' | sort | grep -vE 'cycles|histogram|stage' || true
drops=$(cli HGETALL "$key" | paste - - | awk '$1 ~ /^drop_/ {n += $2} END {print n + 0}')
echo
verdict=0
[ "$sipp_status" -eq 0 ] && [ "$lost" -eq 0 ] && [ $((c1 + c2)) -eq "$calls" ] || verdict=1
if [ $verdict -eq 0 ]; then say "nothing was lost"; else
  say "something was lost: SIPp ended with $sipp_status, $lost calls did not complete, $drops drops are counted above"
  tail -n 40 "$dir/caller.log"
  [ -n "$check" ] && fail "the check failed"
fi
[ -n "$check" ] && exit $verdict

cat <<TEXT

It stays up until Ctrl-C. To poke at it from another terminal:
  N="ip netns exec $id-node"
  $sudo\$N $top/build/controlplane/hgctl --socket $dir/admin.sock status
  $sudo\$N $top/build/controlplane/hgctl --socket $dir/admin.sock route list
  $sudo\$N $top/build/controlplane/hgctl --socket $dir/admin.sock route explain sip:4711@10.77.0.1
  $sudo\$N $top/build/controlplane/hgctl --socket $dir/admin.sock counters --watch
  $sudo\$N redis-cli HGETALL '$key'
  $sudo\$N curl -s http://127.0.0.1:9464/metrics
More calls:
  ${sudo}ip netns exec $id-caller sipp 10.77.0.1:5060 -sf $top/deploy/quickstart/caller.xml -i 10.77.0.2 -s 4711 -m 1000 -r 200
Logs and configuration: $dir
TEXT
# A sleep in the background lets a signal through at once; it is ended as everything else that was started here.
while :; do
  sleep 3600 &
  pids+=($!)
  wait $! || true
done
