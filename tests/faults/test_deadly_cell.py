"""A cell that kills its worker every time: it is marked failed, everything else completes, and all say so."""
import random

import h5py

from faults import CELLS, CRASH_CELL, JOB, PROMPTS, WHOLE, deaths, launch_command, repetitions, row, undisturbed
from harness.program import ENV, path, run, run_tests
from harness.sweeps import LAYERS, digest, finished, forget, read, status, sweep


def status_offset(file, lesion, prompt):
    with h5py.File(file, "r") as f:
        if lesion < 0:
            return f["baseline/status"].id.get_offset() + prompt
        return f["cells/status"].id.get_offset() + lesion * PROMPTS + prompt


def make_file(file):
    """The file with nothing computed."""
    open(file + ".stop", "w").close()
    sweep(JOB, file, code=75)
    assert finished(file)[0] == 0


def a_deadly_cell_fails_alone():
    good = undisturbed()
    n, rnd, died = repetitions(10), random.Random(4), 0
    for k in range(n):
        file, cell = path("deadly.h5"), (rnd.randrange(LAYERS), rnd.randrange(PROMPTS))
        forget(file)
        make_file(file)
        r = run(launch_command(file), env=dict(ENV, LD_PRELOAD=CRASH_CELL, CRASH_AT=str(status_offset(file, *cell))))
        assert r.returncode == 1 and "1 of" in r.stderr, f"exit {r.returncode}: {r.stderr}"
        flags = read(file, "cells/status")
        assert flags[cell] == 2 and (flags == 1).sum() == CELLS - 1, flags
        s = status(file)
        assert s["failed"] == 1 and s["done"] == CELLS - 1, s
        assert len(s["failures"]) == 1 and "died" in s["failures"][0]["reason"], s
        expected, got = read(WHOLE, "cells/tokens"), read(file, "cells/tokens")
        expected[cell] = -1
        assert (expected == got).all(), "other cells differ"
        assert deaths(file) >= 2, "the cell has not crashed its worker"
        died += deaths(file)
    assert digest(WHOLE) == good
    row("a cell crashes its worker every time", f"{n} sweeps",
        f"the cell marked failed after {died / n:.0f} deaths on average, everything else complete, exit code 1, named by `lesion status`",
        "that cell")


def a_deadly_prompt_fails_with_its_cells():
    file = path("prompt.h5")
    make_file(file)
    r = run(launch_command(file), env=dict(ENV, LD_PRELOAD=CRASH_CELL, CRASH_AT=str(status_offset(file, -1, 7))))
    assert r.returncode == 1, f"exit {r.returncode}: {r.stderr}"
    flags, intact = read(file, "cells/status"), read(file, "baseline/status")
    assert intact[7] == 2 and (intact == 1).sum() == PROMPTS - 1, intact
    failed = (flags[:, 7] == 2).sum()  # those that were not done before it was given up: perhaps none
    assert (flags == 1).sum() == CELLS - failed, flags
    assert len(status(file)["failures"]) == failed + 1


run_tests([a_deadly_cell_fails_alone, a_deadly_prompt_fails_with_its_cells])
