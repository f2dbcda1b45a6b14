#!/usr/bin/env python3
"""Compares the program with the golden numbers of a model folder: teacher-forced measures of the intact model and every
lesion, last logits, greedy continuations, importance.

Usage: check_model.py LESION MODEL GOLDEN.json
Tolerances: mean_nll and kl_mean 1e-4, logits 2e-3, importance 1e-5; continuations are equal where the reference's two best
logits are at least 1e-3 apart throughout."""
import json
import subprocess
import sys

lesion, model, golden = sys.argv[1:]
gold = json.load(open(golden))
failures = []


def run(*args):
    done = subprocess.run([lesion, *args, "--json"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(args[:2])}: exit {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def near(what, got, want, tolerance):
    if got is None or not abs(got - want) <= tolerance:
        failures.append(f"{what}: {got}, not {want}")


def ids(tokens):
    return ",".join(map(str, tokens))


def texts():
    return [a for s in gold["sequences"] for a in ("--tokens", ids(s["tokens"]))]


def check_scores():
    lesions = [x["lesion"] for x in gold["lesions"]]
    doc = run("score", model, "--logits", "--compute", "f32", *texts(), *[a for l in lesions for a in ("--lesion", l)])
    rows = {r["lesion"]: r for r in doc["results"]}
    near("none mean_nll", rows["none"]["mean_nll"], gold["baseline"]["mean_nll"], 1e-4)
    for k, want in enumerate(gold["baseline"]["logits_last"]):
        for got, w in zip(rows["none"]["logits_last"][k], want):
            near(f"none logits of text {k}", got, w, 2e-3)
    for want in gold["lesions"]:
        got = rows[want["lesion"]]
        near(want["lesion"] + " mean_nll", got["mean_nll"], want["mean_nll"], 1e-4)
        near(want["lesion"] + " kl_mean", got["kl_mean"], want["kl_mean"], 1e-4)
        for g, w in zip(got["logits_last"][0], want["logits_last"]):
            near(want["lesion"] + " logits", g, w, 2e-3)


def check_greedy():
    greedy = gold["greedy"]
    runs = {k: v for k, v in greedy.items() if k != "prompt_tokens" and v["min_margin"] >= 1e-3}
    n = len(next(iter(runs.values()))["tokens"])
    doc = run("generate", model, "--tokens", ids(greedy["prompt_tokens"]), "-n", str(n), "--ignore-eos", "--compute",
              "f32", *[a for l in runs if l != "baseline" for a in ("--lesion", l)])
    for row in doc["results"]:
        want = runs.get("baseline" if row["lesion"] == "none" else row["lesion"])
        if want and row["tokens"] != want["tokens"]:
            failures.append(f"{row['lesion']} continues with {row['tokens']}, not {want['tokens']}")


def check_importance():
    doc = run("importance", model, "--compute", "f32", *texts())
    for part in ("attn", "mlp", "block"):
        for layer, (got, want) in enumerate(zip(doc[part], gold["importance"][part])):
            near(f"importance of {part} {layer}", got, want, 1e-5)


check_scores()
check_greedy()
check_importance()
if failures:
    sys.exit(f"{len(failures)} differ; the first ones:\n" + "\n".join(failures[:8]))
