#!/usr/bin/env python3
"""Perplexity by llama.cpp's rule against llama-perplexity: check_perplexity.py LESION MODEL TEXT

The numbers are those of llama-perplexity -c N -ctk f32 -ctv f32 -fa off (as in llama_cpp_python 0.3.36) on stories260K, in f32.
One line a deviation; silence is a pass."""
import json
import subprocess
import sys

GOLDEN = {512: 85.7082, 128: 74.2694, 64: 64.1003}
TOLERANCE = 1e-4  # the last digit that llama-perplexity prints


def main(program, model, text):
    bad = False
    for window, want in GOLDEN.items():
        command = [program, "perplexity", model, "--file", text, "--rule", "llama.cpp", "--window", str(window), "--json"]
        rows = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["results"]
        got = rows[0]["llama_cpp_perplexity"]
        if abs(got - want) > TOLERANCE:
            print(f"chunks of {window}: {got}, not {want}")
            bad = True
    return bad


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
