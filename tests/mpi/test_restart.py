"""Sweeps that are killed or stopped early go on where they were, and no finished cell is computed again."""
import os
import random
import signal

from harness.processes import finish, ranks_of, send, start, wait_for
from harness.program import path, run, run_tests
from harness.sweeps import (LAYERS, digest, events, finished, handed_out, job, last_start, read, start_and_kill, sweep,
                            sweep_command)

COPIES = 16
CELLS = 10 * COPIES * LAYERS
TOTAL = CELLS + 10 * COPIES  # with the intact runs
JOB = job("long", COPIES, tokens=48)
WHOLE = path("undisturbed.h5")
sweep(JOB, WHOLE, ranks=3)
DIGEST = digest(WHOLE)


def check_last_start(file, before):
    """The last start handed out exactly what was not finished before it."""
    n = handed_out(last_start(file))
    assert n == TOTAL - before, f"{n} cells handed out where {TOTAL - before} were left"


def five_kills_of_mpirun():
    file, rnd, before = path("killed.h5"), random.Random(5), 0
    for k in range(5):
        before = start_and_kill(sweep_command(JOB, file, 2 + k % 3), file, (k + rnd.random()) / 10)
    sweep(JOB, file, ranks=4)
    assert digest(file) == DIGEST, "bytes differ"
    assert read(file, "cells_computed") == CELLS, read(file, "cells_computed")
    check_last_start(file, before)


def stopped(file, ranks, how):
    tiles = len(events(file, "tile"))
    process = start(sweep_command(JOB, file, ranks))
    wait_for("a tile", lambda: len(events(file, "tile")) > tiles, process)
    if how == "file":
        open(file + ".stop", "w").close()
    else:
        send(ranks_of(process.pid)[0] if ranks else process.pid, how)
    err = finish(process, code=75)
    assert "start the same command again" in err, err
    assert not os.path.exists(file + ".stop")
    assert last_start(file)[-1]["exit_code"] == 75


def early_ends_leave_a_good_checkpoint():
    for ranks in 0, 3:
        file = path(f"stopped{ranks}.h5")
        for how in "file", signal.SIGTERM, signal.SIGINT:
            stopped(file, ranks, how)
        before = finished(file)[0]
        sweep(JOB, file, ranks=2)
        assert digest(file) == DIGEST, "bytes differ"
        check_last_start(file, before)


def a_time_limit_stops():
    """80,000 cells of 48 tokens: more work than a second is enough for, on any machine."""
    r = run(sweep_command(job("limited", 1600, tokens=48), path("limited.h5"), 2, ["--time-limit", "1"]))
    assert r.returncode == 75, f"exit {r.returncode}: {r.stderr}"


def a_complete_sweep_has_nothing_to_do():
    sweep(JOB, WHOLE, ranks=2)
    assert digest(WHOLE) == DIGEST
    check_last_start(WHOLE, TOTAL)
    assert read(WHOLE, "starts") == 2 and read(WHOLE, "cells_computed") == CELLS


run_tests([five_kills_of_mpirun, early_ends_leave_a_good_checkpoint, a_time_limit_stops, a_complete_sweep_has_nothing_to_do])
