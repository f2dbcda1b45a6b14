#!/usr/bin/env python3
"""A small job runs under mpirun, is stopped on the way and started again, and gives the same map as an undisturbed run by
one rank: check_small_job.py LESION JOB.json

What is known of a job's model is checked too. One line a deviation; silence is a pass."""
import json
import os
import subprocess
import sys
import tempfile

# mean Jaccard divergence by layer on the ten golden prompts: the largest and the smallest, rounded to 4 digits
KNOWN = {"layer-map": {0: 0.9685, 3: 0.7716}}
STOPPED = 75


def sweep(program, job, output, ranks, stop_early=False):
    command = ["mpirun", "-n", str(ranks), "--bind-to", "none", program, "sweep", job, "--output", output]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        if stop_early:
            for line in process.stderr:
                if line.startswith("lesion"):  # the first lesion is complete
                    break
            with open(output + ".stop", "w", encoding="utf-8"):
                pass
        log = process.communicate()[1]
    if os.path.exists(output + ".stop"):  # the sweep was faster
        os.unlink(output + ".stop")
    return process.returncode, log


def make_map(program, output):
    subprocess.run([program, "map", output, "--output", output + ".json"], check=True, stdout=subprocess.DEVNULL)
    with open(output + ".json", encoding="utf-8") as file:
        return json.load(file)


def check_known(layers, known):
    """The known layers are the most and the least damaging ones, by so much."""
    means = {layer["layer"]: layer["mean"] for layer in layers}
    for layer, want in known.items():
        if abs(means[layer] - want) > 5e-5:
            yield f"layer {layer}: mean {means[layer]}, not {want}"
    ranked = sorted(means, key=means.get)
    if [ranked[-1], ranked[0]] != list(known):
        yield f"most and least damaging layer: {ranked[-1]} and {ranked[0]}, not {list(known)}"


def main(program, job):
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        whole, parts = os.path.join(folder, "whole.h5"), os.path.join(folder, "parts.h5")
        code, log = sweep(program, job, whole, ranks=1)
        if code:
            sys.exit(f"one rank: exit {code}: {log}")
        code, log = sweep(program, job, parts, ranks=3, stop_early=True)
        if code not in (0, STOPPED):
            errors.append(f"stopped early: exit {code}: {log}")
        code, log = sweep(program, job, parts, ranks=2)
        if code:
            errors.append(f"started again: exit {code}: {log}")
        maps = [make_map(program, output) for output in (whole, parts)]
        if maps[0] != maps[1]:
            errors.append("the map of the interrupted run is another one")
        name = os.path.splitext(os.path.basename(job))[0]
        errors += check_known(maps[0]["layers"], KNOWN[name]) if name in KNOWN else []
    print("\n".join(errors), end="\n" if errors else "")
    return bool(errors)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
