"""A small job is stopped as soon as its three ranks are there, started again on two, and gives the same map as an undisturbed
run by one rank: check_small_job.py LESION JOB.json

What is known of a job's model is checked too."""
import os

from harness.processes import finish, start
from harness.program import ARGS, complain, lesion, path, read_json
from harness.sweeps import assert_unfinished, events, sweep, sweep_command

# mean Jaccard divergence by layer on the ten golden prompts: the largest and the smallest, rounded to 4 digits
KNOWN = {"layer-map": {0: 0.9685, 3: 0.7716}}
STOPPED = 75
job, = ARGS
whole, parts = path("whole.h5"), path("parts.h5")


def stop_early():
    """The stop file is there before the start: such a job is done before a later one would be seen."""
    open(parts + ".stop", "w").close()
    finish(start(sweep_command(job, parts, 3)), code=STOPPED)
    assert events(parts, "stop"), "it did not stop because of the stop file"
    assert_unfinished(parts, "it was asked to stop")


def make_map(output):
    lesion("map", output, "--output", output + ".json")
    return read_json(output + ".json")


def check_known(layers, known):
    """The known layers are the most and the least damaging ones, by so much."""
    means = {layer["layer"]: layer["mean"] for layer in layers}
    for layer, want in known.items():
        if abs(means[layer] - want) > 5e-5:
            yield f"layer {layer}: mean {means[layer]}, not {want}"
    ranked = sorted(means, key=means.get)
    if [ranked[-1], ranked[0]] != list(known):
        yield f"most and least damaging layer: {ranked[-1]} and {ranked[0]}, not {list(known)}"


sweep(job, whole)
stop_early()
sweep(job, parts, ranks=2)
maps = [make_map(whole), make_map(parts)]
assert maps[0] == maps[1], "the map of the interrupted run is another one"
name = os.path.splitext(os.path.basename(job))[0]
complain(check_known(maps[0]["layers"], KNOWN[name]) if name in KNOWN else [])
