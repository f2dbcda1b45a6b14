"""A disk that is full or fills up loses nothing. On a small file system of this test's own, which takes root or a user
namespace to mount."""
import os
import subprocess
import sys

from harness.processes import finish, start, wait_for
from harness.program import path, run, run_tests
from harness.sweeps import assert_unfinished, digest, job, sweep, sweep_command

DISK, INSIDE = path("disk"), "LES_TEST_OWN_NAMESPACE"
JOB = job("job", copies=10, tokens=48)
RUN, BALLAST = os.path.join(DISK, "run.h5"), os.path.join(DISK, "ballast")


def mount_disk():
    """Mounts it, in a namespace that ends with this process."""
    if INSIDE not in os.environ:
        user = [] if os.geteuid() == 0 else ["--map-root-user"]
        again = ["unshare", *user, "--mount", sys.executable, *sys.argv]
        sys.exit(subprocess.run(again, env={**os.environ, INSIDE: "1"}).returncode)
    os.mkdir(DISK)
    r = run(["mount", "-t", "tmpfs", "-o", "size=800k", "none", DISK])
    assert r.returncode == 0, f"no small file system can be mounted here: {r.stderr}"


def free_bytes():
    s = os.statvfs(DISK)
    return s.f_bavail * s.f_frsize


def fill(keep=0):
    """Writes ballast until only so much is free."""
    with open(BALLAST, "wb", buffering=0) as f:
        while free_bytes() > keep:
            f.write(bytes(4096))


def no_room_is_told_before_work_starts():
    fill(keep=8192)
    r = sweep(JOB, RUN, ranks=2, code=1)
    assert "no room" in r.stderr and os.listdir(DISK) == ["ballast"], r.stderr
    os.unlink(BALLAST)


def a_disk_that_fills_up_costs_no_result():
    process = start(sweep_command(JOB, RUN, 3))
    wait_for("the result file", lambda: os.path.exists(RUN), process)
    fill()
    assert_unfinished(RUN, "the disk was full")
    finish(process)
    assert free_bytes() == 0
    other = path("roomy.h5")
    sweep(JOB, other, ranks=2)
    assert digest(RUN) == digest(other)


mount_disk()
run_tests([no_room_is_told_before_work_starts, a_disk_that_fills_up_costs_no_result])
