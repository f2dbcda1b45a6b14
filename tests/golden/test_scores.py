#!/usr/bin/env python3
"""Standard errors of scores and of their differences to the intact model, against their definitions.

Usage: test_scores.py LESION"""
import json
import math
import os
import re
import statistics

import h5py

from harness.program import DATA, MODELS, lesion, lesion_json, path, run_tests, write_json, write_lines

MODEL = os.path.join(MODELS, "stories260K", "stories260K.gguf")
LESIONS = ["--lesion", "skip@2", "--lesion", "skip@0.attn"]


def close(a, b, what):
    assert abs(a - b) <= 1e-9 * max(1, abs(a), abs(b)), f"{what}: {a} is not {b}"


def of_mean(values):
    return statistics.stdev(values) / math.sqrt(len(values))


def task(name):
    data = os.path.join(DATA, "tasks", name + ".jsonl")
    with open(data) as f:
        documents = [json.loads(line) for line in f]
    return documents, lesion_json("task", MODEL, "--task", name, "--data", data, "--per-document", *LESIONS)["results"]


def accuracy_is_a_mean():
    documents, results = task("arc_easy")
    gold = [d["choices"]["label"].index(d["answerKey"]) for d in documents]
    right = [[float(max(range(len(l)), key=l.__getitem__) == g) for l, g in zip(r["loglikelihoods"], gold)] for r in results]
    for r, x in zip(results, right):
        close(r["acc"], statistics.mean(x), "acc")
        close(r["stderr"]["acc"], of_mean(x), "stderr")
    assert "difference" not in results[0]
    for r, x in zip(results[1:], right[1:]):
        paired = [a - b for a, b in zip(x, right[0])]
        close(r["difference"]["acc"], statistics.mean(paired), "difference")
        close(r["difference_stderr"]["acc"], of_mean(paired), "difference_stderr")


def perplexity_of_last_words_by_the_delta_method():
    _, results = task("lambada_openai")
    moved = [[-r["perplexity"] * l[0] for l in r["loglikelihoods"]] for r in results]
    for r, x in zip(results, moved):
        close(r["stderr"]["perplexity"], of_mean(x), "stderr")
    for r, x in zip(results[1:], moved[1:]):
        close(r["difference_stderr"]["perplexity"], of_mean([a - b for a, b in zip(x, moved[0])]), "difference_stderr")


def perplexity_of_pages_by_the_delta_method():
    """Against the derivative by each page's weight, taken numerically."""
    documents, results = task("wikitext")
    words = [len(re.split(r"\s+", d["page"])) for d in documents]
    for r in results:
        logliks = [l[0] for l in r["loglikelihoods"]]

        def score(weights):
            return math.exp(-sum(w * l for w, l in zip(weights, logliks)) / sum(w * n for w, n in zip(weights, words)))

        ones, n, h = [1.0] * len(words), len(words), 1e-5
        close(r["word_perplexity"], score(ones), "word_perplexity")
        slopes = [(score([1 + h * (i == k) for i in range(n)]) - score([1 - h * (i == k) for i in range(n)])) / (2 * h)
                  for k in range(n)]
        wanted = math.sqrt(n / (n - 1) * sum(s * s for s in slopes))
        assert abs(r["stderr"]["word_perplexity"] / wanted - 1) < 1e-6, (r["stderr"], wanted)


def perplexity_is_a_task_too():
    """Of a plain file and of JSONL, by `task` and in a job, whose cells hold what is needed to go on after a stop."""
    text = "Once upon a time there was a girl. She had a dog. " * 60
    with open(path("plain.txt"), "w") as f:
        f.write(text)
    write_lines(path("lines.jsonl"), [dict(text=text), dict(text="The cat sat.")])
    wanted = lesion_json("perplexity", MODEL, "--file", path("plain.txt"), *LESIONS)["results"]
    for r, w in zip(lesion_json("task", MODEL, "--task", "perplexity", "--data", path("plain.txt"), *LESIONS)["results"], wanted):
        assert all(r[name] == w[name] for name in ("lesion", "word_perplexity", "byte_perplexity", "bits_per_byte")), (r, w)
    task = lesion_json("task", MODEL, "--task", "perplexity", "--data", path("lines.jsonl"))["results"][0]
    assert task["documents"] == 2 and task["stderr"]["word_perplexity"] > 0, task
    job = write_json(path("job.json"), dict(model=MODEL, lesions=["skip@2", "skip@0.attn"], measures=["kl"],
                                            tasks=[dict(name="perplexity", data="plain.txt")]))
    lesion("sweep", job, "-o", path("run.h5"))
    with h5py.File(path("run.h5")) as f:
        for logliks, results in ((f["baseline/loglik"][:], wanted[:1]), (f["cells/loglik"][:, 0], wanted[1:])):
            for loglik, r in zip(logliks, results):
                assert abs(math.exp(-loglik / len(text.encode())) / r["byte_perplexity"] - 1) < 1e-6, (loglik, r)


def one_unit_has_no_standard_error():
    with open(path("short.txt"), "w") as f:
        f.write("Once upon a time there was a girl.")
    result = lesion_json("perplexity", MODEL, "--file", path("short.txt"))["results"][0]
    assert set(result["stderr"].values()) == {None}, result


def tables_fit_the_terminal():
    data = os.path.join(DATA, "tasks", "arc_easy.jsonl")
    with open(path("long.txt"), "w") as f:
        f.write("Once upon a time there was a girl. " * 200)
    for args in (["task", MODEL, "--task", "arc_easy", "--data", data], ["perplexity", MODEL, "--file", path("long.txt")],
                 ["score", MODEL, "--text", "Once upon a time"]):
        lines = lesion(*args, "--lesion", "svd@each.mlp.down:rank=4").stdout.splitlines()
        assert len(lines) > 6 and max(map(len, lines)) < 80, max(lines, key=len)
    lines = lesion("importance", MODEL, "--text", "Once upon a time").stdout.splitlines()
    assert max(map(len, lines)) < 80, max(lines, key=len)


def importance_has_errors_over_texts_and_a_ranking():
    texts = ["Once upon a time there was a girl.", "The cat", "One day a big dog saw the sun and was very happy"]
    doc = lesion_json("importance", MODEL, *[w for t in texts for w in ("--text", t)])
    alone = [lesion_json("importance", MODEL, "--text", t) for t in texts]
    tokens = [len(json.loads(lesion("tokenize", MODEL, "--text", t).stdout)["tokens"]) for t in texts]
    assert set(alone[0]["stderr"]["attn"]) == {None}
    for part in "attn", "mlp", "block":
        for layer, mean in enumerate(doc[part]):
            moved = [n * (a[part][layer] - mean) / sum(tokens) for n, a in zip(tokens, alone)]
            wanted = math.sqrt(3 / 2 * sum(m * m for m in moved))
            assert abs(doc["stderr"][part][layer] - wanted) < 1e-7, (part, layer)
    text = lesion("importance", MODEL, "--text", texts[0]).stdout
    order = sorted(range(5), key=alone[0]["attn"].__getitem__)
    assert "attn   " + " ".join(map(str, order)) in text, text


run_tests([accuracy_is_a_mean, perplexity_of_last_words_by_the_delta_method, perplexity_of_pages_by_the_delta_method, perplexity_is_a_task_too,
           one_unit_has_no_standard_error, importance_has_errors_over_texts_and_a_ranking, tables_fit_the_terminal])
