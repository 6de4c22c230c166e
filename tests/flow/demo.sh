#!/usr/bin/env bash
# tools/demo on a small branch: both tables have rows, the daemon is gone afterwards, other people's folders stay. time limit: 180
set -euo pipefail
repo=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
TELLER_BIN=$(readlink -f "${TELLER_BIN:-$repo/build}")
export TELLER_BIN
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
fail() { echo "FAILED: $*" >&2; cat "$scratch/out" >&2 || true; exit 1; }
data="$scratch/with space"

"$repo/tools/demo" --once --clients 1000 --data "$data" >"$scratch/out" 2>&1 </dev/null || fail "the demo ended with $?"
# Rows of a table: lines after its rule, up to the next empty line.
rows() { awk -v title="$1" 'index($0, title) == 1 { on = 1 } on && /^$/ { exit } on && ruled { n++ } on && /^ *─/ { ruled = 1 } END { print n + 0 }' "$scratch/out"; }
[ "$(rows 'Customers by segment')" -ge 2 ] || fail "the segment table has $(rows 'Customers by segment') rows"
[ "$(rows 'Loans with a late instalment')" -ge 2 ] || fail "the overdue table has $(rows 'Loans with a late instalment') rows"
[ "$(grep -c '^  [^ ]*  [0-9]* %$' "$scratch/out")" -eq 3 ] || fail "who may leave is not told"
[ "$(grep -c '^  NEW_[0-9]*_[123]  *new ' "$scratch/out")" -ge 1 ] || fail "no new client was offered anything"
grep -q '^The page of the branch: http://127.0.0.1:[0-9]*/$' "$scratch/out" || fail "no address of the page"
pid=$(sed -n 's/^Stopping tellerd (process \([0-9]*\)).*/\1/p' "$scratch/out")
[ -n "$pid" ] || fail "the demo did not say which process it stopped"
kill -0 "$pid" 2>/dev/null && fail "process $pid is still there"
grep -q 'stopped in good order' "$scratch/out" || fail "the daemon did not stop in good order"
echo "demo: $(rows 'Customers by segment') segments, $(rows 'Loans with a late instalment') rows of overdue loans"

mkdir "$scratch/other"
echo precious >"$scratch/other/file"
"$repo/tools/demo" --once --data "$scratch/other" >"$scratch/out" 2>&1 </dev/null && fail "the demo took a folder that is not its own"
[ "$(cat "$scratch/other/file")" = precious ] || fail "the demo changed a folder that is not its own"
echo "demo: a folder of somebody else is refused and stays as it was"
