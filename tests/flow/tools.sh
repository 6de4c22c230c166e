#!/usr/bin/env bash
# tools/test on a made-up project: what fails is counted, what hangs is ended, the last line and the exit code say so. time limit: 120
set -euo pipefail
repo=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
project="$scratch/a project"
mkdir -p "$project/tests/flow" "$project/tests/fault"
cp -r "$repo/.ci" "$repo/CMakePresets.json" "$project/"
mkdir "$project/tools"
cp "$repo"/tools/{install-deps,build,test} "$project/tools/"
cat >"$project/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(made_up LANGUAGES NONE)
enable_testing()
add_test(NAME unit COMMAND /bin/true)
CMAKE
echo 'import sys; assert sys.executable == "/usr/bin/python3"; print("SKIP one part")' >"$project/tests/flow/good.py"
fail() { echo "FAILED: $*" >&2; cat "$scratch/out" >&2; exit 1; }
expect() {
  local code=0 last
  bash "$project/.ci/run" >"$scratch/out" 2>&1 || code=$?
  last=$(tail -n 1 "$scratch/out")
  [ "$code/$last" = "$1" ] || fail "$2: '$code/$last', expected '$1'"
  echo "$2: $last"
}

expect "0/2 passed, 0 failed" "all good"
grep -q 'SKIP one part' "$scratch/out" || fail "what was skipped is not shown"
echo 'echo the reason; exit 3' >"$project/tests/flow/bad.sh"
printf '# time limit: 1\nsleep 60\n' >"$project/tests/fault/slow.sh"
expect "1/2 passed, 2 failed" "one bad, one slow"
grep -q '| the reason' "$scratch/out" || fail "the output of what failed is not shown"
echo 'message(FATAL_ERROR "broken")' >>"$project/CMakeLists.txt"
expect "1/tools/test: the build failed, nothing was tested." "a build that fails"
