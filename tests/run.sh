#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Every test of Heliograph: installs what is missing, builds (gcc plain, clang with ASan + UBSan), runs lints, unit
# tests and fuzz replays in both builds, then the tests over a wire in network namespaces.
#   tests/run.sh [--quick]     --quick leaves out the second build and the tests that need namespaces
# The last line is "N passed, N failed", with ", N skipped" when something was.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
top=$PWD
quick=""
for a in "$@"; do
  case $a in
    --quick) quick=1 ;;
    -h | --help) sed -n '3,6s/^# //p' "$0"; exit 0 ;;
    *) echo "tests/run.sh: unknown argument '$a' (try --help)" >&2; exit 2 ;;
  esac
done
if [ -z "$quick" ] && [ "$(id -u)" -ne 0 ]; then
  echo "tests/run.sh: the tests over a wire make network namespaces: run it with sudo, or use --quick" >&2
  exit 2
fi

out=$(mktemp -d)
passed=0 failed=0 skipped=0
cases=$out/failed-cases # every FAIL line of the run with the first lines of what it said
touch "$cases"
trap 'rm -rf "$out"' EXIT

section() { printf '\n== %s (%ds)\n' "$1" "$SECONDS"; }

# failures LOG LINES: each FAIL line with what it says (the indented lines behind it), at most so many lines of that
failures() {
  awk -v most="$2" '/^FAIL /{on = 1; n = 0} !/^FAIL |^ /{on = 0} on && n++ <= most {print substr($0, 1, 1000)}' "$1"
}

# tally NAME LOG STATUS: adds what a run printed. Units of count: cmocka cases; "ok/FAIL/skip NAME" lines of our own
# runners. A run that failed without saying which of its tests did counts as one failure. Of a failed run the failures
# are shown first and whole, then a bounded part of everything else that it printed.
tally() {
  local name=$1 log=$2 status=$3 p f s
  if [ "$status" -ne 0 ] && ! grep -qE '^FAIL ' "$log"; then echo "FAIL $name ended with $status" >>"$log"; fi
  if [ "$status" -eq 0 ] && ! grep -qE '^(ok|FAIL|skip) ' "$log"; then echo "FAIL $name ran no test" >>"$log"; fi
  p=$(grep -cE '^ok ' "$log") f=$(grep -cE '^FAIL ' "$log") s=$(grep -cE '^skip ' "$log")
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  if [ "$f" -gt 0 ]; then
    echo "---- failed in $name"
    failures "$log" 60
    echo "---- the last lines of everything else in $name"
    awk '/^(ok|FAIL|skip) /{on = 0} !/^(ok|FAIL|skip) |^ /{on = 1} on' "$log" | tail -n 60 | cut -c 1-400
    failures "$log" 3 | sed "s|^FAIL |FAIL [$name] |" | cut -c 1-300 >>"$cases"
  fi
  echo "$name: $p passed, $f failed, $s skipped"
}

# unit BUILD: the meson tests of one build folder; cmocka's cases become ok/FAIL/skip lines.
unit() {
  local build=$1 log=$out/$(basename "$1").log status=0
  # A process that was started by another test may use a port or a core: one at a time is honest, two are faster.
  meson test -C "$build" --no-rebuild --print-errorlogs -t 4 --num-processes 2 >"$log.meson" 2>&1 || status=$?
  python3 tests/lint/mesonlog.py "$build/meson-logs/testlog.json" >"$log" || status=1
  [ "$status" -ne 0 ] && ! grep -q '^FAIL ' "$log" && tail -n 60 "$log.meson" >>"$log"
  tally "unit tests, $(basename "$build")" "$log" $status
}

run() {
  local name=$1 status=0
  shift
  "$@" >"$out/run.log" 2>&1 || status=$?
  tally "$name" "$out/run.log" $status
}

section "packages"
deploy/packages.sh build run test || exit 1

section "build with gcc"
[ -f build/build.ninja ] || CC=gcc meson setup build >"$out/setup.log" 2>&1 || { cat "$out/setup.log"; exit 1; }
ninja -C build >"$out/build.log" 2>&1 || { tail -n 60 "$out/build.log"; echo "FAIL build with gcc"; echo "0 passed, 1 failed"; exit 1; }

section "lints"
run lints tests/lint/run.sh

section "unit tests and fuzz replays"
unit build

if [ -z "$quick" ]; then
  section "build with clang, ASan and UBSan"
  [ -f build-asan/build.ninja ] || CC=clang meson setup build-asan -Db_sanitize=address,undefined \
    >"$out/setup.log" 2>&1 || { cat "$out/setup.log"; exit 1; }
  if ninja -C build-asan >"$out/build.log" 2>&1; then
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:handle_abort=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    export LSAN_OPTIONS=suppressions=$top/tests/lsan.supp:print_suppressions=0
    unit build-asan
  else
    tail -n 60 "$out/build.log"
    echo "FAIL build with clang" | tee -a "$cases"
    failed=$((failed + 1))
  fi

  for t in tests/wire/test_*.py tests/lab/test_*.py tests/lab/test_*.sh tests/scenario/test_*.py tests/scenario/test_*.sh; do
    [ -e "$t" ] || continue
    section "$t"
    case $t in
      *.py) run "$t" timeout 1200 python3 "$t" ;;
      *) run "$t" timeout 1200 bash "$t" ;;
    esac
  done

  section "quickstart"
  status=0
  timeout 900 deploy/quickstart.sh --check >"$out/quickstart.log" 2>&1 || status=$?
  [ $status -eq 0 ] && echo "ok quickstart" >>"$out/quickstart.log"
  tally "quickstart" "$out/quickstart.log" $status
fi

section "done"
[ "$failed" -gt 0 ] && { echo "failed:"; head -n 30 "$cases"; }
line="$passed passed, $failed failed"
[ "$skipped" -gt 0 ] && line+=", $skipped skipped"
echo "$line"
[ "$failed" -eq 0 ]
