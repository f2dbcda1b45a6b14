#!/usr/bin/env python3
"""Memory of a node that runs several ranks on one large model: a sweep over a made-up file of full size, watched from
outside. Prints the sizes of all ranks at the moment when their sum was largest.

Usage: node_memory.py LESION [RANKS [SYNTH_OPTION...]]   default: 4 ranks, --like gemma-3-12b --type Q8_0
RSS counts a shared page in every process, PSS (proportional set size) shares it out: the sum of PSS is what the node
holds. Anonymous memory is a rank's own."""
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

lesion, ranks = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 4
options = sys.argv[3:] or ["--like", "gemma-3-12b", "--type", "Q8_0"]
ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
           OMPI_MCA_rmaps_base_oversubscribe="1")


def sizes(pid):
    """{field: MiB} of a process, or None if it is gone."""
    try:
        lines = open(f"/proc/{pid}/smaps_rollup").read().splitlines()[1:]
    except OSError:
        return None
    return {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}


def ranks_of(model):
    """Process ids that have the model mapped."""
    found = []
    for maps in glob.glob("/proc/[0-9]*/maps"):
        try:
            if model in open(maps).read():
                found.append(int(maps.split("/")[2]))
        except OSError:
            pass
    return found


with tempfile.TemporaryDirectory() as folder:
    model, job = f"{folder}/model.gguf", f"{folder}/job.json"
    subprocess.run([lesion, "synth", *options, "--sparse", model], check=True)
    with open(f"{folder}/prompts.jsonl", "w") as f:
        for i in range(4):
            f.write(json.dumps({"id": f"p{i}", "domain": "d", "prompt": "a b"}) + "\n")
    json.dump({"model": model, "prompts": f"{folder}/prompts.jsonl", "lesions": ["skip@0"],
               "generate": {"max_new_tokens": 0}, "measures": ["kl"]}, open(job, "w"))
    start = time.time()
    run = subprocess.Popen(["mpirun", "-n", str(ranks), "--bind-to", "none", lesion, "sweep", job, "--output",
                            f"{folder}/run.h5"], env=ENV, stderr=subprocess.DEVNULL)
    most, total = [], 0
    while run.poll() is None:
        now = [s for s in map(sizes, sorted(ranks_of(model))) if s]
        if sum(s["Pss"] for s in now) > total and len(now) == ranks:
            most, total = now, sum(s["Pss"] for s in now)
        time.sleep(2)
    size = os.path.getsize(model) / 2**20
    print(f"model {size:.0f} MiB, {ranks} ranks, {time.time() - start:.0f} s, exit code {run.returncode}")
    print("| rank | RSS, MiB | PSS | of it file | anonymous |\n| --- | --- | --- | --- | --- |")
    for i, m in enumerate(most):
        print(f"| {i} | {m['Rss']:.0f} | {m['Pss']:.0f} | {m['Pss_File']:.0f} | {m['Pss_Anon']:.0f} |")
    print(f"| all | | {total:.0f} | {sum(m['Pss_File'] for m in most):.0f} | {sum(m['Pss_Anon'] for m in most):.0f} |")
