"""What a sweep refuses to write to, and what it does about damage and a full disk."""
import glob
import os
import resource
import signal

import h5py

from harness.processes import finish, ranks_of, send, start, wait_for
from harness.program import path, run_tests
from harness.sweeps import (LAYERS, digest, events, finished, job, last_start, prompts, status, sweep, sweep_command,
                            wait_until_done)


def complete(name):
    job_file, file = job(), path(name)
    sweep(job_file, file)
    return job_file, file


def other_jobs_are_refused_with_what_differs():
    job_file, file = complete("mine.h5")
    before = digest(file)
    for keys, word in ((dict(lesions=["skip@0"]), "lesions"), (dict(measures=["kl"]), "measures"),
                       (dict(prompts=prompts(2)), "prompts"), (dict(compute="int16"), "compute")):
        r = sweep(job("other", **keys), file, ranks=2, code=1)
        assert word in r.stderr and "mine.h5" in r.stderr, r.stderr
    assert digest(file) == before


def held(name, share):
    """A sweep that is so far done and held there: rank 0 is stopped, so that workers get no further tile.
    (process, rank 0, job, result file)"""
    job_file, file = job("long", 20, 48), path(name)
    process = start(sweep_command(job_file, file, 3))
    wait_until_done(process, file, share)
    root = ranks_of(process.pid)[0]
    send(root, signal.SIGSTOP)
    return process, root, job_file, file


def let_go(process, root):
    """Goes on and is asked to end early."""
    send(root, signal.SIGCONT)
    send(root, signal.SIGTERM)
    finish(process, code=75)


def a_second_sweep_is_refused():
    process, root, job_file, file = held("shared.h5", 0)
    r = sweep(job_file, file, ranks=2, code=1)
    assert "another sweep" in r.stderr, r.stderr
    let_go(process, root)
    sweep(job_file, file, ranks=2)


def a_running_sweep_can_be_read():
    process, root, _, file = held("watched.h5", 0.1)
    s = status(file)
    assert s["total"] == 200 * LAYERS and len(s["lesions"]) == LAYERS and 0 < s["done"] < s["total"], s
    with h5py.File(file, "r") as f:  # with HDF5"s own locks
        assert f["cells/status"].shape == (LAYERS, 200)
    let_go(process, root)


def links_and_folders_are_no_output():
    job_file, _ = complete("target.h5")
    os.symlink(path("target.h5"), path("link.h5"))
    os.symlink(path("nowhere"), path("dangling.h5"))
    for name in "link.h5", "dangling.h5", ".", "no/such/folder.h5":
        r = sweep(job_file, path(name), ranks=2, code=1)
        assert len([line for line in r.stderr.splitlines() if line.startswith("lesion:")]) == 1, r.stderr
    assert not os.path.exists(path("nowhere"))


def the_umask_holds():
    job_file = job()
    sweep(job_file, path("private.h5"), preexec_fn=lambda: os.umask(0o077))
    files = glob.glob(path("private.h5*"))
    assert len(files) >= 3, files  # the events and the status too
    for name in files:
        assert os.stat(name).st_mode & 0o077 == 0, name


def flip(file, name, index):
    with h5py.File(file, "r") as f:
        at = f[name].id.get_offset() + index
    with open(file, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 0x10]))


def a_flipped_byte_is_found_and_computed_again():
    job_file, file = complete("flipped.h5")
    before = digest(file)
    for name, index in ("cells/jaccard", 4 * 12 + 1), ("cells/tokens", 4 * 32 * 31), ("baseline/tokens", 40), ("cells/check", 9), \
            ("lesions/sha256", 70), ("cells/status", 33):
        flip(file, name, index)
        assert digest(file) != before
        r = sweep(job_file, file, ranks=2)
        assert digest(file) == before, f"{name} was not mended"
        assert "damaged" in r.stderr, f"{name}: {r.stderr}"
        assert last_start(file)[-1]["done"] == 10 * LAYERS


def half_a_file_is_refused():
    job_file, file = complete("cut.h5")
    os.truncate(file, os.path.getsize(file) // 2)
    r = sweep(job_file, file, ranks=2, code=1)
    assert "damaged" in r.stderr, r.stderr


def no_room_is_told_before_work_starts():
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20))
    r = sweep(job(copies=100, tokens=400), path("large.h5"), code=1, preexec_fn=limit)
    assert "no room" in r.stderr, r.stderr
    assert not glob.glob(path("large.h5")) and not glob.glob(path("large.h5.new"))


run_tests([other_jobs_are_refused_with_what_differs, a_second_sweep_is_refused, a_running_sweep_can_be_read,
           links_and_folders_are_no_output, the_umask_holds, a_flipped_byte_is_found_and_computed_again,
           half_a_file_is_refused, no_room_is_told_before_work_starts])
