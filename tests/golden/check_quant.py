"""Compares the program with the golden numbers of one model file of quantized weights.

Usage: check_quant.py LESION MODEL.gguf GOLDEN.json
Tolerances: mean_nll 1e-4, logits 2e-3 in f32."""
import os

from harness.program import ARGS, complain, ids, lesion_json, options, read_json

model, golden = ARGS
gold = read_json(golden)
want = next(f for f in gold["files"] if f["file"] == os.path.basename(model))
doc = lesion_json("score", model, "--logits", "--compute", "f32", "--tokens", ids(gold["tokens"]),
                  *options("--lesion", ["skip@1", "skip@0.attn"]))
rows = {r["lesion"]: r for r in doc["results"]}
logits = rows["none"]["logits_last"][0]
far = [f"{name}: {rows[name]['mean_nll']}, not {want[key]}"
       for name, key in (("none", "mean_nll"), ("skip@1", "skip1_mean_nll"), ("skip@0.attn", "skip0_attn_mean_nll"))
       if not abs(rows[name]["mean_nll"] - want[key]) <= 1e-4]
far += [f"logit {i}: {a}, not {b}" for i, (a, b) in enumerate(zip(logits, want["logits_last"], strict=True))
        if not abs(a - b) <= 2e-3]
complain(far)
