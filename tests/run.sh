#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests. Arguments go to ctest: tests/run.sh -L unit.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "$0")")")
"$root/.ci/setup"
"$root/.ci/build" "$root/build" -DLES_WERROR=ON
ctest --test-dir "$root/build" --output-on-failure -j "$(nproc)" "$@"
