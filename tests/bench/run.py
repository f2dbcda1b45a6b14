#!/usr/bin/env python3
"""Prints the tables of docs/performance.md, everything measured in this run: kernels against the machine's own peaks, the
forward pass, the scheduler, and sweeps beside llama.cpp on the same model.

Usage: run.py BUILD WORK [--llama-cpp BIN] [--sequences N] [--prompts N] [--only NAME,...]

BUILD is a release build of the project, WORK a folder for models (7 GB). BIN holds llama.cpp's tools (build_llama_cpp.sh); without
it the comparison is left out. NAME: kernels, forward, scheduler, generation, forced, scaling."""
import argparse
import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VOCABULARY = os.path.join(ROOT, "tests/data/tokenizers/ggml-vocab-llama-bpe.gguf.gz")
WORDS = "the of license program copy source code you may not with any work under this that terms or by for".split()
LAYERS, THREADS = 16, os.cpu_count()
MODES = {"Q8_0": ("auto",), "Q4_K_M": ("auto", "int8")}  # int8 is the same as auto for Q8_0
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("build")
parser.add_argument("work")
parser.add_argument("--llama-cpp")
parser.add_argument("--sequences", type=int, default=64, help="of 128 tokens, for the teacher-forced sweep")
parser.add_argument("--prompts", type=int, default=64, help="of about 20 tokens, for the generation sweep")
parser.add_argument("--only", default="kernels,forward,scheduler,generation,forced,scaling")
args = parser.parse_args()
lesion = os.path.abspath(os.path.join(args.build, "lesion"))


def say(text=""):
    print(text, flush=True)


def run(*command, env=None):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **MPI, **(env or {})})
    if done.returncode:
        sys.exit(f"{' '.join(command[:3])}: exit {done.returncode}: {done.stderr.strip()[-400:]}")
    return done


def timed(*command, env=None):
    start = time.time()
    run(*command, env=env)
    return time.time() - start


def path(name):
    return os.path.join(args.work, name)


def make_models():
    """Models of Llama-3.2-1B's shape with random weights, as GGUF."""
    if not os.path.exists(path("vocab.gguf")):
        with gzip.open(VOCABULARY) as f, open(path("vocab.gguf"), "wb") as out:
            shutil.copyfileobj(f, out)
    models = {"Q8_0": path("model-q8_0.gguf"), "Q4_K_M": path("model-q4_k_m.gguf")}
    base = path("model-f16.gguf")
    if not os.path.exists(models["Q8_0"]):
        run(lesion, "synth", "--like", "llama-3.2-1b", "--type", "Q8_0", "--vocab", path("vocab.gguf"), models["Q8_0"])
    if not os.path.exists(models["Q4_K_M"]) and args.llama_cpp:
        run(lesion, "synth", "--like", "llama-3.2-1b", "--type", "F16", "--vocab", path("vocab.gguf"), base)
        run(os.path.join(args.llama_cpp, "llama-quantize"), base, models["Q4_K_M"], "Q4_K_M")
        os.unlink(base)
    return {k: v for k, v in models.items() if os.path.exists(v)}


def write_job(name, model, prompts, lesions, new_tokens, measures, compute="auto"):
    with open(path(f"{name}.jsonl"), "w") as f:
        for k, prompt in enumerate(prompts):
            f.write(json.dumps({"id": str(k), "domain": "bench", "prompt": prompt}) + "\n")
    job = {"model": model, "prompts": f"{name}.jsonl", "lesions": lesions, "measures": measures, "compute": compute}
    if new_tokens:
        job["generate"] = {"max_new_tokens": new_tokens, "ignore_eos": True}
    with open(path(f"{name}.json"), "w") as f:
        json.dump(job, f)
    return path(f"{name}.json")


def sweep(job, ranks=1, threads=THREADS):
    output = job.replace(".json", ".h5")
    for name in os.listdir(args.work):
        if name.startswith(os.path.basename(output)):
            os.unlink(path(name))
    start = ["mpirun", "-n", str(ranks), "--bind-to", "none"] if ranks > 1 else []
    return timed(*start, lesion, "sweep", job, "--output", output, "--threads", str(threads))


def llama_generation(model, given, new):
    """Seconds of an evaluation at llama.cpp's best batch size, loading not counted."""
    best = None
    for batch in (8, 16, 32, 64):
        if batch > args.prompts:
            break
        out = run(os.path.join(args.llama_cpp, "llama-batched-bench"), "-m", model, "-t", str(THREADS), "-c",
                  str(batch * (given + new) + 256), "-npp", str(given), "-ntg", str(new), "-npl", str(batch)).stdout
        row = [r for r in out.splitlines() if re.match(r"\|\s*\d+\s*\|", r)][-1]
        seconds = float(row.split("|")[-3]) / batch
        best = seconds if best is None else min(best, seconds)
    return best


def llama_one(model, prompt, new):
    """Seconds of one process for one evaluation, the model in the page cache."""
    command = [os.path.join(args.llama_cpp, "llama-completion"), "-m", model, "-t", str(THREADS), "-p", prompt, "-n",
               str(new), "-no-cnv", "--ignore-eos", "--temp", "0", "-c", "256"]
    timed(*command)
    return timed(*command)


def generation(models):
    """Prompts of about 20 tokens under four skipped layers and intact, 32 new tokens."""
    given, new, lesions = 20, 32, ["skip@2", "skip@6", "skip@10", "skip@14"]
    prompts = [" ".join(WORDS[(k * 7 + i * (k % 5 + 1)) % len(WORDS)] for i in range(given - 1))
               for k in range(args.prompts)]
    cells = args.prompts * (len(lesions) + 1)
    say(f"\n| generation sweep, {cells} evaluations of {given} + {new} tokens | lesion | llama.cpp, best batch | ratio "
        "| one process each | ratio |")
    say("| --- | --- | --- | --- | --- | --- |")
    for kind, model in models.items():
        best = one = None
        if args.llama_cpp:
            best, one = llama_generation(model, given, new) * cells, llama_one(model, prompts[0], new) * cells
        for compute in MODES[kind]:
            ours = sweep(write_job("generation", model, prompts, lesions, new, ["jaccard"], compute))
            peers = f"{best:.1f} s | {best / ours:.2f} | {one:.0f} s | {one / ours:.1f}" if best else "| | |"
            say(f"| {kind}, {compute} | {ours:.1f} s | {peers} |")


def llama_forced(model, text, sequences):
    """Seconds for the KL of one lesion by llama-perplexity against saved logits, loading not counted."""
    tool, logits = os.path.join(args.llama_cpp, "llama-perplexity"), path("logits.kld")
    base = [tool, "-m", model, "-t", str(THREADS), "-f", text, "-c", "128", "--chunks", str(sequences),
            "--kl-divergence-base", logits]
    run(*base)
    seconds = timed(*base, "--kl-divergence")
    os.unlink(logits)
    one, two = (timed(tool, "-m", model, "-t", str(THREADS), "-f", text, "-c", "128", "--chunks", str(n)) for n in (1, 2))
    return seconds - max(0.0, 2 * one - two)  # less the loading


def forced(models):
    """KL and perplexity of all skip lesions on sequences of 128 tokens."""
    rng = random.Random(1)
    prompts = [" ".join(rng.choice(WORDS) for _ in range(127)) for _ in range(args.sequences)]
    with open(path("forced.txt"), "w") as f:
        f.write(" ".join(prompts) + " the" * 256)
    say(f"\n| teacher-forced sweep, {LAYERS} lesions x {args.sequences} sequences of 128 tokens | lesion | llama-perplexity "
        f"x {LAYERS + 1} | ratio |")
    say("| --- | --- | --- | --- |")
    for kind, model in models.items():
        theirs = llama_forced(model, path("forced.txt"), args.sequences) * (LAYERS + 1) if args.llama_cpp else None
        for compute in MODES[kind]:
            ours = sweep(write_job("forced", model, prompts, ["skip@each"], 0, ["kl", "nll"], compute))
            peers = f"{theirs:.1f} s | {theirs / ours:.2f}" if theirs else " | "
            say(f"| {kind}, {compute} | {ours:.1f} s | {peers} |")


def scaling(models):
    """The same sweep over ranks and threads."""
    prompts = [" ".join(WORDS[(k * 3 + i) % len(WORDS)] for i in range(15)) for k in range(64)]
    job = write_job("scaling", models["Q8_0"], prompts, ["skip@4", "skip@12"], 8, ["kl"])
    base = None
    say("\n| ranks x threads | seconds | efficiency |")
    say("| --- | --- | --- |")
    for ranks, threads in ((1, 1), (1, 2), (2, 1), (3, 1)):
        seconds = sweep(job, ranks, threads)
        base = base or seconds
        workers = max(1, ranks - 1) * threads # rank 0 coordinates
        say(f"| {ranks} x {threads} | {seconds:.1f} | {base / seconds / min(workers, THREADS):.2f} |")


os.makedirs(args.work, exist_ok=True)
wanted = args.only.split(",")
say(f"{time.strftime('%Y-%m-%d')}, {THREADS} cores, {next(l for l in open('/proc/cpuinfo') if 'model name' in l).split(':')[1].strip()}")
for name in ("kernels", "scheduler"):
    if name in wanted:
        say("\n" + run(os.path.join(args.build, "tests", f"bench_{name}")).stdout)
models = make_models() if set(wanted) - {"kernels", "scheduler"} else {}
if "forward" in wanted:
    for model in models.values():
        say("\n" + run(os.path.join(args.build, "tests", "bench_forward"), model, str(THREADS)).stdout)
for name, measure in (("generation", generation), ("forced", forced), ("scaling", scaling)):
    if name in wanted:
        measure(models)
