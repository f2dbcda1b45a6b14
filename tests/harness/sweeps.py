"""Sweeps of a small model: their jobs, their files, and catching one on its way."""
import hashlib
import json
import os

import h5py

from harness.processes import kill_tree, start, wait_for
from harness.program import LESION, MODELS, lesion_json, path, run, write_json, write_lines

os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"  # read while it is written
MODEL = os.path.join(MODELS, "stories260K", "stories260K.gguf")
PROMPTS = os.path.join(MODELS, "stories260K", "prompts.jsonl")
LAYERS = 5


def prompts(copies):
    """A suite of 10 * copies prompts of different lengths."""
    if copies == 1:
        return PROMPTS
    with open(PROMPTS) as f:
        source = [json.loads(line) for line in f]
    return write_lines(path(f"prompts{copies}.jsonl"),
                       (dict(id=f"{p['id']}-{k}", domain=p["domain"], prompt=p["prompt"] + " a" * (k % 7))
                        for k in range(copies) for p in source))


def job(name="job", copies=1, tokens=32, **keys):
    """Writes a job file: skip@each on 10 * copies prompts; `keys` are keys of the job."""
    content = dict(model=MODEL, prompts=prompts(copies), lesions=["skip@each"],
                   generate=dict(max_new_tokens=tokens, temperature=0, ignore_eos=True), measures=["jaccard", "kl"])
    return write_json(path(name + ".json"), {**content, **keys})


def sweep_command(job_file, output, ranks=0, args=()):
    return (["mpirun", "-n", str(ranks)] if ranks else []) + [LESION, "sweep", *args, "--output", output, job_file]


def sweep(job_file, output, ranks=0, args=(), code=0, **keys):
    r = run(sweep_command(job_file, output, ranks, args), **keys)
    assert r.returncode == code, f"exit {r.returncode}, not {code}: {r.stderr}"
    return r


def digest(file):
    """SHA-256 over name, type, shape and bytes of all data sets."""
    h = hashlib.sha256()
    with h5py.File(file, "r") as f:
        names = []
        f.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        for name in sorted(names):
            v = f[name][()]
            h.update(f"{name} {f[name].dtype} {f[name].shape}".encode())
            h.update(v if isinstance(v, bytes) else v.tobytes())
    return h.hexdigest()


def read(file, name):
    with h5py.File(file, "r") as f:
        return f[name][()] if name in f else f.attrs[name]


def finished(file):
    """(cells that are flagged, all cells), intact runs included; (0, 1) while there is no file."""
    if not os.path.exists(file):
        return 0, 1
    cells, baseline = read(file, "cells/status"), read(file, "baseline/status")
    return int((cells > 0).sum() + (baseline > 0).sum()), cells.size + baseline.size


def status(file):
    return lesion_json("status", file)


def events(file, kind=None):
    if not os.path.exists(file + ".events.jsonl"):
        return []
    with open(file + ".events.jsonl") as f:
        lines = [json.loads(line) for line in f if line.endswith("\n")]
    return [e for e in lines if kind in (None, e["event"])]


def last_start(file):
    """The events of the last start."""
    all_events = events(file)
    first = max(i for i, e in enumerate(all_events) if e["event"] == "start")
    return all_events[first:]


def handed_out(lines):
    """Cells in all tiles of these events."""
    return sum(e["cells"] for e in lines if e["event"] == "tile")


def forget(file):
    """Removes a result file with all that stands beside it."""
    folder, name = os.path.split(file)
    for other in os.listdir(folder):
        if other.startswith(name):
            os.unlink(os.path.join(folder, other))


def wait_until_done(process, file, share, starts=1):
    """Waits until so large a share of all cells is finished while the start of this number computes."""
    def reached():
        done, total = finished(file)
        return len(events(file, "start")) >= starts and handed_out(last_start(file)) and done >= share * total
    wait_for(f"{share:.0%} of the cells", reached, process)


def assert_unfinished(file, fault):
    done, total = finished(file)
    assert done < total, f"the sweep was complete before {fault}: its job is too small for this machine"
    return done


def start_and_kill(command, file, share):
    """Starts a sweep (again), kills its launcher when so large a share is done, and waits for the orphans' end. The fault
    has hit: cells are left to do. Returns the number of those that are done."""
    starts = len(events(file, "start"))
    process = start(command)
    wait_until_done(process, file, share, starts + 1)
    kill_tree(process)
    return assert_unfinished(file, "the kill")

