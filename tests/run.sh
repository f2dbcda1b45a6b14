#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests. Arguments go to ctest: tests/run.sh -L unit.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "$0")")")
"$root/.ci/setup"
"$root/.ci/build" "$root/build" -DLES_WERROR=ON
# more at once than there are cores: half of the long tests wait for processes to die
ctest --test-dir "$root/build" --output-on-failure -j "$((2 * $(nproc)))" "$@"
