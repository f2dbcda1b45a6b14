#!/usr/bin/env python3
"""One sweep with every lesion operation, every measure, prompts with answers and documents of tasks: the same bytes on 1, 2
and 4 ranks, with 1 and 2 threads, and after kills of mpirun with other numbers of ranks.

Usage: check_everything.py LESION TEST_DATA"""
import json
import os
import subprocess
import sys
import tempfile
import time

lesion, data = sys.argv[1:]
LESIONS = ["none", "skip@each", "zero@1", "zero@2.attn.head0", "reinit@2:seed=3", "reinit@0.mlp.up", "noise@1.mlp:sigma=0.1",
           "svd@0.attn.k:rank=8", "svd@3.mlp:keep=0.25", "quant@1:type=q4_0", "scale@2.mlp:alpha=0.5",
           "scale@3:alpha=2", "mean@1.attn", "mean@2", "skip@0.attn.head1", "mean@1.attn.head2", "skip@1,2.attn",
           "zero@1.attn.head0+noise@3.mlp.down:sigma=0.3+skip@2.mlp"]
TASKS = ["arc_easy", "hellaswag", "piqa", "winogrande", "lambada_openai", "wikitext"]


def write_job(folder):
    with open(f"{folder}/prompts.jsonl", "w") as f:
        for line in open(f"{data}/models/stories260K/prompts.jsonl"):
            prompt = json.loads(line)
            prompt["answer"] = "the"
            f.write(json.dumps(prompt) + "\n")
    with open(f"{folder}/calibration.txt", "w") as f:
        f.write("You may convey verbatim copies of the program in any medium.")
    job = {"model": f"{data}/models/tiny-llama3", "prompts": "prompts.jsonl", "lesions": LESIONS,
           "generate": {"max_new_tokens": 12, "temperature": 0.7, "top_k": 50}, "seed": 5,
           "measures": ["jaccard", "kl", "nll", "failure", "trace"], "calibration": "calibration.txt",
           "tasks": [{"name": t, "data": f"{data}/tasks/{t}.jsonl", "limit": 3} for t in TASKS]}
    with open(f"{folder}/job.json", "w") as f:
        json.dump(job, f)


def command(folder, name, ranks, threads):
    start = ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none"] if ranks > 1 else []
    return [*start, lesion, "sweep", f"{folder}/job.json", "--output", f"{folder}/{name}.h5", "--threads", str(threads)]


def digest(folder, name):
    subprocess.run([lesion, "map", f"{folder}/{name}.h5", "--output", f"{folder}/{name}.json"], check=True,
                   capture_output=True)
    return json.load(open(f"{folder}/{name}.json"))["run"]["result_sha256"]


def run(folder, name, ranks, threads):
    done = subprocess.run(command(folder, name, ranks, threads), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{ranks} ranks: exit {done.returncode}: {done.stderr.strip()[-300:]}")


def kill_and_restart(folder, name):
    for k, ranks in enumerate((3, 2, 4)):
        process = subprocess.Popen(command(folder, name, ranks, 1), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(1.0 + 0.5 * k)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            time.sleep(0.5)
    run(folder, name, 2, 1)


with tempfile.TemporaryDirectory() as folder:
    write_job(folder)
    digests = {}
    for ranks, threads in ((1, 1), (2, 1), (4, 1), (1, 2)):
        run(folder, f"r{ranks}t{threads}", ranks, threads)
        digests[f"{ranks} ranks, {threads} threads"] = digest(folder, f"r{ranks}t{threads}")
    kill_and_restart(folder, "killed")
    digests["killed"] = digest(folder, "killed")
    if len(set(digests.values())) != 1:
        sys.exit(f"digests differ: {digests}")
