#!/usr/bin/env bash
# The fault tests with their full numbers: tests/faults/run.sh BUILD/lesion BUILD/tests/libcrash_cell.so
# Prints the rows of the table in docs/reliability.md. About an hour on two cores; the SLURM part needs root.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
program=${1:?path of the program} shim=${2:?path of libcrash_cell.so}
status=0
export PYTHONPATH=$here/..
for test in "$here"/test_*.py; do
  /usr/bin/python3 "$test" "$program" "$shim" --full || [ $? = 77 ] || status=1
done
exit $status
