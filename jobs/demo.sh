#!/usr/bin/env bash
# The whole way on a real model, from an empty machine to a map: installs what is missing, builds, runs the demo sweep on
# three MPI ranks, and prints what each layer is for. Results go to ./demo, or the folder given.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "$0")")")
out=${1:-demo}
"$root/.ci/setup"
"$root/.ci/build"
mkdir -p "$out"
"$root/build/lesion" launch -n 3 "$root/jobs/demo.json" --output "$out/demo.h5"
"$root/build/lesion" map "$out/demo.h5" --output "$out/layer_specialization_map.json"
