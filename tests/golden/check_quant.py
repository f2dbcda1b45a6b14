#!/usr/bin/env python3
"""Compares the program with the golden numbers of one model file of quantized weights.

Usage: check_quant.py LESION MODEL.gguf GOLDEN.json
Tolerances: mean_nll 1e-4, logits 2e-3 in f32."""
import json
import os
import subprocess
import sys

lesion, model, golden = sys.argv[1:]
gold = json.load(open(golden))
want = next(f for f in gold["files"] if f["file"] == os.path.basename(model))
command = [lesion, "score", model, "--json", "--logits", "--compute", "f32", "--tokens", ",".join(map(str, gold["tokens"])),
           "--lesion", "skip@1", "--lesion", "skip@0.attn"]
done = subprocess.run(command, capture_output=True, text=True)
if done.returncode:
    sys.exit(done.stderr)
rows = {r["lesion"]: r for r in json.loads(done.stdout)["results"]}
far = [f"{name}: {rows[name]['mean_nll']}, not {want[key]}"
       for name, key in (("none", "mean_nll"), ("skip@1", "skip1_mean_nll"), ("skip@0.attn", "skip0_attn_mean_nll"))
       if not abs(rows[name]["mean_nll"] - want[key]) <= 1e-4]
far += [f"logit {i}: {a}, not {b}" for i, (a, b) in enumerate(zip(rows["none"]["logits_last"][0], want["logits_last"]))
        if not abs(a - b) <= 2e-3]
if far:
    sys.exit(f"{len(far)} differ; the first ones:\n" + "\n".join(far[:8]))
