"""Workers that die or stop while `lesion launch` runs: the sweep completes by itself with the same bytes."""
import random
import signal

from faults import CELLS, TOTAL, deaths, launch_command, repetitions, row, shares, undisturbed
from harness.processes import finish, ranks_of, replacements, send, start, wait_for
from harness.program import path, run_tests
from harness.sweeps import assert_unfinished, digest, events, forget, handed_out, wait_until_done

GOOD = undisturbed()
WORKERS = 2  # of launch_command's three ranks


def hit(process, file, how, share, rnd):
    """One of the workers that live gets the signal, and rank 0 sees it."""
    wait_until_done(process, file, share)
    wait_for("a worker", lambda: ranks_of(process.pid)[1], process)
    before = deaths(file)
    send(rnd.choice(ranks_of(process.pid)[1]), how)
    assert_unfinished(file, "the signal")
    wait_for("its death", lambda: deaths(file) > before, process)


def check_again(file):
    """Only cells that were in flight with a dead worker were computed again. Returns how many that were."""
    lines, sizes, in_flight = events(file), {}, 0
    again = handed_out(lines) - TOTAL
    for e in lines:
        if e["event"] == "tile":
            sizes[e["tile"]] = e["cells"]
        if e["event"] == "death":
            in_flight += sizes.get(e.get("tile"), 0)
    starts = len(events(file, "start"))
    # rank 0 gives a start up if a replacement dies in MPI_Comm_spawn: what all workers had in work then is lost too
    in_flight += (starts - 1) * WORKERS * max(sizes.values())
    assert again <= in_flight, f"{again} cells computed again, {in_flight} were in flight in {starts} starts"
    return again


def workers_die():
    signals, rnd, n, total, lost, file = ["SIGKILL", "SIGSEGV", "SIGSTOP"], random.Random(1), repetitions(50), 0, 0, path("run.h5")
    for k in range(n):
        how, kills = signals[k % 3], 1 + rnd.randrange(3)
        forget(file)
        process = start(launch_command(file))
        for share in shares(rnd, kills):
            hit(process, file, getattr(signal, how), share, rnd)
        finish(process)
        assert digest(file) == GOOD, f"run {k} ({how}): bytes differ"
        total, lost = total + kills, max(lost, check_again(file))
    row("a worker gets SIGKILL, SIGSEGV or SIGSTOP", f"{n} sweeps, {total} signals",
        f"{n} of {n} completed by themselves, exit code 0, equal to the byte",
        f"at most {lost} of {CELLS} cells computed again: tiles in flight")


def replacements_die_while_they_start():
    n, file = repetitions(10), path("spawned.h5")
    for k in range(n):
        forget(file)
        process = start(launch_command(file))
        wait_until_done(process, file, 0)
        send(events(file, "worker")[-1]["pid"], signal.SIGKILL)
        known, begun = len(events(file, "worker")), []
        wait_for("a replacement", lambda: begun.extend(replacements(process.pid)) or begun, process)
        assert len(events(file, "worker")) == known, "the replacement has started: it was seen too late"
        for child in begun:
            send(child, signal.SIGKILL)
        finish(process)
        assert deaths(file) > 0, "no death was seen"
        assert digest(file) == GOOD, f"run {k}: bytes differ"
    row("a replacement gets SIGKILL while it starts", f"{n} sweeps",
        f"{n} of {n} completed by themselves, exit code 0, equal to the byte",
        "tiles in flight; up to 20 s, which MPI_Comm_spawn waits")


run_tests([workers_die, replacements_die_while_they_start])
