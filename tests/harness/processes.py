"""Processes of a sweep, seen from outside: which there are, waiting for a state, and signals that must arrive."""
import collections
import glob
import os
import signal
import subprocess
import time

from harness.program import ENV, LESION

PATIENCE = 120  # seconds; far beyond what any wait takes on a loaded machine


def start(command, **keys):
    """In the background, and with less claim to the processor than the test, which has to see its states in time."""
    keys.setdefault("env", ENV)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=lambda: os.nice(5), **keys)


def wait_for(what, condition, during=None, seconds=PATIENCE):
    """Waits until the condition holds. `during`: a process that must still run then."""
    end = time.time() + seconds
    while not condition():
        assert during is None or during.poll() is None, \
            f"{what}: the process ended before, with {during.returncode}: {during.communicate()[1]}"
        assert time.time() < end, f"{what}: not within {seconds} s"
        time.sleep(0.01)


def finish(process, code=0, seconds=200):
    """Waits for its end; returns what it wrote to stderr."""
    err = process.communicate(timeout=seconds)[1]
    assert process.returncode == code, f"exit {process.returncode}, not {code}: {err}"
    return err


def _stat(pid):
    """(state, parent) or None."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            state, parent = f.read().rsplit(")", 1)[1].split()[:2]
    except OSError:
        return None
    return state, int(parent)


def lives(pid):
    found = _stat(pid)
    return found is not None and found[0] not in "ZX"


def send(pid, how):
    """A signal that must arrive at a process that lives."""
    assert lives(pid), f"process {pid} ended before its signal"
    os.kill(pid, how)


def kill_tree(process):
    """SIGKILL to a launcher; returns when it and all ranks below it are gone, the latter by themselves."""
    ranks = children(process.pid)
    send(process.pid, signal.SIGKILL)
    process.communicate()
    wait_gone(ranks)


def wait_gone(pids):
    wait_for("the end of orphaned ranks", lambda: not any(map(lives, pids)))


def children(pid):
    """All descendants of a process."""
    below = collections.defaultdict(list)
    for name in glob.glob("/proc/[0-9]*"):
        child = int(name.split("/")[2])
        found = _stat(child)
        if found:
            below[found[1]].append(child)
    found, todo = [], [pid]
    while todo:
        more = below[todo.pop()]
        found += more
        todo += more
    return found


def _read(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as f:
            return f.read().split(b"\0")
    except OSError:
        return []


def ranks_of(pid):
    """(rank 0, workers) below a launcher: process ids of those that live."""
    root, workers = None, []
    for child in children(pid):
        try:
            if os.readlink(f"/proc/{child}/exe") != os.path.realpath(LESION):
                continue
        except OSError:
            continue
        env = _read(child, "environ")
        spawned = any(e.startswith((b"OMPI_PARENT_PORT", b"PMIX_SPAWNED")) for e in env)
        if b"OMPI_COMM_WORLD_RANK=0" in env and not spawned:
            root = child
        elif any(e.startswith(b"OMPI_COMM_WORLD_RANK=") for e in env):
            workers.append(child)
    return root, workers


def replacements(launcher):
    """Processes that were started in place of dead workers."""
    return [child for child in children(launcher) if b"--sharers" in _read(child, "cmdline")]
