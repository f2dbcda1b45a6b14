"""Compares the program with the golden numbers of a model folder: teacher-forced measures of the intact model and every
lesion, last logits, greedy continuations, importance.

Usage: check_model.py LESION MODEL GOLDEN.json
Tolerances: mean_nll and kl_mean 1e-4, logits 2e-3, importance 1e-5; continuations are equal where the reference's two best
logits are at least 1e-3 apart throughout."""
from harness.program import ARGS, complain, ids, lesion_json, options, read_json

model, golden = ARGS
gold = read_json(golden)
failures = []


def near(what, got, want, tolerance):
    if got is None or not abs(got - want) <= tolerance:
        failures.append(f"{what}: {got}, not {want}")


def near_all(what, got, want, tolerance):
    if len(got) != len(want):
        failures.append(f"{what}: {len(got)} values, not {len(want)}")
    for i, (g, w) in enumerate(zip(got, want)):
        near(f"{what}, {i}", g, w, tolerance)


def texts():
    return options("--tokens", (ids(s["tokens"]) for s in gold["sequences"]))


def check_scores():
    lesions = [x["lesion"] for x in gold["lesions"]]
    doc = lesion_json("score", model, "--logits", "--compute", "f32", *texts(), *options("--lesion", lesions))
    rows = {r["lesion"]: r for r in doc["results"]}
    near("none mean_nll", rows["none"]["mean_nll"], gold["baseline"]["mean_nll"], 1e-4)
    for k, want in enumerate(gold["baseline"]["logits_last"]):
        near_all(f"none logits of text {k}", rows["none"]["logits_last"][k], want, 2e-3)
    for want in gold["lesions"]:
        got = rows[want["lesion"]]
        near(want["lesion"] + " mean_nll", got["mean_nll"], want["mean_nll"], 1e-4)
        near(want["lesion"] + " kl_mean", got["kl_mean"], want["kl_mean"], 1e-4)
        near_all(want["lesion"] + " logits", got["logits_last"][0], want["logits_last"], 2e-3)


def check_greedy():
    greedy = gold["greedy"]
    runs = {k: v for k, v in greedy.items() if k != "prompt_tokens" and v["min_margin"] >= 1e-3}
    n = len(next(iter(runs.values()))["tokens"])
    doc = lesion_json("generate", model, "--tokens", ids(greedy["prompt_tokens"]), "-n", n, "--ignore-eos", "--compute", "f32",
                      *options("--lesion", (l for l in runs if l != "baseline")))
    if {row["lesion"] for row in doc["results"]} != {"none", *runs} - {"baseline"}:
        failures.append(f"continuations of {[row['lesion'] for row in doc['results']]}, not of {list(runs)}")
    for row in doc["results"]:
        want = runs.get("baseline" if row["lesion"] == "none" else row["lesion"])
        if want and row["tokens"] != want["tokens"]:
            failures.append(f"{row['lesion']} continues with {row['tokens']}, not {want['tokens']}")


def check_importance():
    doc = lesion_json("importance", model, "--compute", "f32", *texts())
    for part in ("attn", "mlp", "block"):
        near_all(f"importance of {part}", doc[part], gold["importance"][part], 1e-5)


check_scores()
check_greedy()
check_importance()
complain(failures)
