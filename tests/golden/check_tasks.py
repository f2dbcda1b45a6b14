"""Task scores and log-likelihoods against lm-evaluation-harness: check_tasks.py LESION MODEL TASKS_FOLDER NAME
where NAME is the model's key in TASKS_FOLDER/golden.json."""
from harness.program import ARGS, complain, lesion_json, options, read_json

SCORE_TOLERANCE = 1e-3  # relative where above 1
LOGLIK_TOLERANCE = 1e-3


def run(model, task, data, lesions, max_length):
    length = ["--max-length", max_length] if max_length else []
    doc = lesion_json("task", model, "--task", task, "--data", data, "--per-document", *options("--lesion", lesions), *length)
    return {row["lesion"]: row for row in doc["results"]}


def compare(where, got, want, tolerance):
    """Yields what is not as it should be."""
    if got is None or not abs(got - want) <= tolerance * max(1, abs(want)):
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
            error = abs((got["loglikelihoods"][d][c] or 0) - value)
            if not error <= LOGLIK_TOLERANCE:
                yield f"{task} {lesion} document {d} choice {c}: off by {error:.2g}"


def deviations(model, folder, name):
    document = read_json(f"{folder}/golden.json")
    golden = document["models"][name]
    lesions = [spec for spec in golden if spec != "none"]
    for task in golden["none"]["results"]:
        rows = run(model, task, f"{folder}/{task}.jsonl", lesions, document.get("max_length"))
        for lesion, want in golden.items():
            yield from check(rows[lesion], want, task, lesion)


complain(deviations(*ARGS))
