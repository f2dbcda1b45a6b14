"""One sweep with every lesion operation, a control with another seed, every measure, several samples of prompts with answers, and
documents of tasks: the same bytes on 1, 2 and 4 ranks, with 1 and 2 threads, and after kills of mpirun with other numbers of
ranks."""
import json

from harness.program import DATA, MODELS, lesion, path, read_json, run_tests, write_json, write_lines
from harness.sweeps import start_and_kill, sweep, sweep_command

LESIONS = ["none", "none:seed=6", "skip@each", "zero@1", "zero@2.attn.head0", "reinit@2:seed=3", "reinit@0.mlp.up", "noise@1.mlp:sigma=0.1",
           "svd@0.attn.k:rank=8", "svd@3.mlp:keep=0.25", "quant@1:type=q4_0", "scale@2.mlp:alpha=0.5",
           "scale@3:alpha=2", "mean@1.attn", "mean@2", "skip@0.attn.head1", "mean@1.attn.head2", "skip@1,2.attn",
           "zero@1.attn.head0+noise@3.mlp.down:sigma=0.3+skip@2.mlp"]
TASKS = ["arc_easy", "hellaswag", "piqa", "winogrande", "lambada_openai", "wikitext"]


def write_job():
    with open(f"{MODELS}/stories260K/prompts.jsonl") as f:
        write_lines(path("prompts.jsonl"), (dict(json.loads(line), answer="the") for line in f))
    with open(path("calibration.txt"), "w") as f:
        f.write("You may convey verbatim copies of the program in any medium.")
    return write_json(path("job.json"), {
        "model": f"{MODELS}/tiny-llama3", "prompts": "prompts.jsonl", "lesions": LESIONS,
        "generate": {"max_new_tokens": 12, "temperature": 0.7, "top_k": 50, "samples": 2}, "seed": 5,
        "measures": ["jaccard", "kl", "nll", "failure", "trace"], "calibration": "calibration.txt",
        "tasks": [{"name": t, "data": f"{DATA}/tasks/{t}.jsonl", "limit": 3} for t in TASKS]})


def digest_in_map(file):
    lesion("map", file, "--output", file + ".map")
    return read_json(file + ".map")["run"]["result_sha256"]


def every_way_gives_the_same_bytes():
    job, digests = write_job(), {}
    for ranks, threads in (0, 1), (2, 1), (4, 1), (0, 2):
        file = path(f"r{ranks}t{threads}.h5")
        sweep(job, file, ranks, ["--threads", str(threads)])
        digests[f"{ranks} ranks, {threads} threads"] = digest_in_map(file)
    file = path("killed.h5")
    for share, ranks in (0.05, 3), (0.2, 2), (0.4, 4):
        start_and_kill(sweep_command(job, file, ranks), file, share)
    sweep(job, file, ranks=2)
    digests["killed"] = digest_in_map(file)
    assert len(set(digests.values())) == 1, f"digests differ: {digests}"


run_tests([every_way_gives_the_same_bytes])
