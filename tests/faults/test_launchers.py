"""Rank 0, mpirun or everything dies: the next start, on another number of ranks, goes on from the file."""
import random
import signal

from faults import CELLS, CRASH_CELL, JOB, TOTAL, launch_command, repetitions, row, shares, undisturbed
from harness.processes import children, finish, ranks_of, send, start, wait_for, wait_gone
from harness.program import ENV, lesion, path, run, run_tests, write_json
from harness.sweeps import (assert_unfinished, digest, events, finished, forget, handed_out, last_start, read, start_and_kill,
                            sweep, sweep_command, wait_until_done)

GOOD = undisturbed()


def kill_rank_0(command, file, share):
    """Like start_and_kill, for rank 0: the other ranks end by themselves, whatever mpirun does."""
    process = start(command)
    wait_until_done(process, file, share)
    root, workers = ranks_of(process.pid)
    send(root, signal.SIGKILL)
    wait_gone(workers)
    process.kill()
    process.communicate()
    return assert_unfinished(file, "the kill")


def launchers_die():
    rnd, n, file = random.Random(2), repetitions(30), path("run.h5")
    for k in range(n):
        forget(file)
        command = ["mpirun", "--enable-recovery", *sweep_command(JOB, file, 2 + k % 3)[1:]]
        before = (kill_rank_0, start_and_kill)[k % 2](command, file, shares(rnd, 1)[0])
        sweep(JOB, file, ranks=1 + (k + 1) % 4)
        assert digest(file) == GOOD, f"run {k}: bytes differ"
        assert read(file, "cells_computed") == CELLS
        assert handed_out(last_start(file)) == TOTAL - before, "finished cells were computed again"
    row("rank 0 or mpirun gets SIGKILL", f"{n} sweeps, {n} kills",
        f"orphaned ranks ended by themselves; the next start, on another number of ranks, completed {n} of {n}, equal to the byte",
        "no finished cell computed again")


def launch_starts_again():
    rnd, n, file = random.Random(3), repetitions(10), path("again.h5")
    for k in range(n):
        forget(file)
        process = start(launch_command(file, args=["--retries", "6"]))
        for i, share in enumerate(shares(rnd, 2), 1):
            wait_until_done(process, file, share, starts=i)
            send(last_start(file)[0]["pid"], signal.SIGKILL)
            assert_unfinished(file, "the kill")
            wait_for("the next start", lambda: len(events(file, "start")) > i, process)
        finish(process)
        assert digest(file) == GOOD
    row("rank 0 gets SIGKILL under `lesion launch`", f"{n} sweeps, 2 kills each",
        f"{n} of {n} started again and completed, exit code 0, equal to the byte", "no finished cell computed again")


def launch_gives_up_without_progress():
    """One rank that computes by itself crashes at the first cell that it has finished, each time."""
    file = path("hopeless.h5")
    r = run(launch_command(file, ranks=1, args=["--retries", "9"]), env=dict(ENV, LD_PRELOAD=CRASH_CELL, CRASH_AT="any"))
    assert r.returncode == 1 and "given up after 3 starts, the last ones without a finished cell" in r.stderr, r.stderr
    assert finished(file)[0] == 0
    assert len(events(file, "start")) == 3


def a_signal_to_launch_leaves_a_checkpoint():
    file = path("asked.h5")
    for i, how in enumerate((signal.SIGTERM, signal.SIGINT), 1):
        process = start(launch_command(file))
        wait_until_done(process, file, 0, starts=i)
        ranks = children(process.pid)
        send(process.pid, how)
        finish(process, code=75)
        wait_gone(ranks)
    finish(start(launch_command(file)))
    assert digest(file) == GOOD


def launch_passes_errors_on():
    broken = write_json(path("broken.json"), dict(model="no.gguf", prompts="no", lesions=["skip@0"], measures=["kl"]))
    for bad in broken, path("no.json"):
        r = lesion("launch", "-n", "2", bad, code=1)
        assert len([x for x in r.stderr.splitlines() if x.startswith("lesion:")]) == 1, r.stderr
    lesion("launch", "-n", "x", JOB, code=2)


run_tests([launchers_die, launch_starts_again, launch_gives_up_without_progress, a_signal_to_launch_leaves_a_checkpoint,
           launch_passes_errors_on])
