#!/usr/bin/env python3
"""The integer modes against f32, on a trained model: check_modes.py bench_modes MODEL TEXT INT16 INT8, the most that
the mean KL may be in each mode."""
import subprocess
import sys

bench, model, text, *limits = sys.argv[1:]
out = subprocess.run([bench, model, text], capture_output=True, text=True, check=True).stdout
rows = {line.split()[0]: float(line.split()[2]) for line in out.splitlines()[1:]}
for mode, limit in zip(("int16", "int8"), map(float, limits)):
    if not 0 <= rows[mode] <= limit:
        sys.exit(f"{model}, {mode}: mean KL {rows[mode]}, not at most {limit}")
