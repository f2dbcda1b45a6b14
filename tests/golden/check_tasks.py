#!/usr/bin/env python3
"""Task scores and log-likelihoods against lm-evaluation-harness: check_tasks.py LESION MODEL TASKS_FOLDER NAME
where NAME is the model's key in TASKS_FOLDER/golden.json. One line a deviation; silence is a pass."""
import json
import subprocess
import sys

SCORE_TOLERANCE = 1e-3  # relative where above 1
LOGLIK_TOLERANCE = 1e-3


def run(program, model, task, data, lesions, max_length):
    options = [word for spec in lesions for word in ("--lesion", spec)]
    options += ["--max-length", str(max_length)] if max_length else []
    command = [program, "task", model, "--task", task, "--data", data, "--per-document", "--json", *options]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(command)}: exit {result.returncode}: {result.stderr.strip()}")
    return {row["lesion"]: row for row in json.loads(result.stdout)["results"]}


def compare(where, got, want, tolerance):
    """Yields what is not as it should be."""
    if got is None or abs(got - want) > tolerance * max(1, abs(want)):
        yield f"{where}: {got}, not {want}"


def check(got, want, task, lesion):
    for name, value in want["results"][task].items():
        yield from compare(f"{task} {lesion} {name}", got.get(name), value, SCORE_TOLERANCE)
    documents = want["loglikelihoods"][task]
    if [len(d) for d in documents] != [len(d) for d in got["loglikelihoods"]]:
        yield f"{task} {lesion}: other documents or choices"
        return
    for d, choices in enumerate(documents):
        for c, value in enumerate(choices):
            where = f"{task} {lesion} document {d} choice {c}"
            error = abs((got["loglikelihoods"][d][c] or 0) - value)
            if error > LOGLIK_TOLERANCE:
                yield f"{where}: off by {error:.2g}"


def main(program, model, folder, name):
    with open(f"{folder}/golden.json", encoding="utf-8") as file:
        document = json.load(file)
    golden = document["models"][name]
    errors = []
    for task in golden["none"]["results"]:
        lesions = [spec for spec in golden if spec != "none"]
        rows = run(program, model, task, f"{folder}/{task}.jsonl", lesions, document.get("max_length"))
        for lesion, want in golden.items():
            errors += check(rows[lesion], want, task, lesion)
    print("\n".join(errors), end="\n" if errors else "")
    return bool(errors)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
