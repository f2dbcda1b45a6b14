"""slurm/sweep.sbatch under a real SLURM: the signal before the time limit, a cancelled job, a killed task, two nodes."""
import os
import signal
import time

from faults import CELLS, FULL, JOB, TOTAL, repetitions, row, undisturbed
from harness.processes import send, wait_for
from harness.program import DATA, FOLDER, LESION, path, run_tests, skip
from harness.sweeps import digest, events, finished, forget, handed_out, job, last_start, read
from slurm.cluster import Cluster, why_not

SCRIPT = os.path.abspath(os.path.join(DATA, "..", "..", "slurm", "sweep.sbatch"))
# Nodes that are one host in truth: the defaults of Open MPI look for others.
ONE_HOST = dict(OMPI_MCA_pml="ob1", OMPI_MCA_btl="tcp,self", OMPI_MCA_btl_tcp_if_include="lo")


def submit(cluster, *options, jobs=(JOB,), tasks=3):
    env = dict(LESION=LESION, OMP_NUM_THREADS="1", XDG_CACHE_HOME=FOLDER, **ONE_HOST)
    return cluster.call("sbatch", "--parsable", f"--ntasks-per-node={tasks}", "--cpus-per-task=1", "--time=10",
                        f"--chdir={FOLDER}", f"--output={FOLDER}/%j.log", *options, SCRIPT, *jobs, env=env).strip()


def log(job):
    with open(path(f"{job}.log")) as f:
        return f.read()


OUTPUT = path("faults.h5")


def begin(cluster, *options, **keys):
    """A job that has begun to compute."""
    forget(OUTPUT)
    job_id = submit(cluster, *options, **keys)
    wait_for("tiles", lambda: len(events(OUTPUT, "tile")) > 2)
    return job_id


def complete(cluster, job_id):
    cluster.wait(job_id, {"COMPLETED"})
    assert digest(OUTPUT) == GOOD, "bytes differ"
    assert read(OUTPUT, "cells_computed") == CELLS


def time_limit_requeues(cluster):
    job_id = begin(cluster)
    cluster.call("scancel", "--signal=USR1", "--batch", job_id)
    wait_for("the requeue", lambda: cluster.show(job_id)["Restarts"] == "1")
    assert "exit code 75" in log(job_id), log(job_id)
    before = finished(OUTPUT)[0]
    cluster.wait(job_id, {"PENDING"})
    time.sleep(3)  # a job that starts in the second in which it was requeued is taken for the old one
    cluster.call("scontrol", "update", f"JobId={job_id}", "StartTime=now")  # else it is held for two minutes
    complete(cluster, job_id)
    assert handed_out(last_start(OUTPUT)) == TOTAL - before
    return "stopped with 75, requeued, went on in the same log and completed", "no finished cell computed again"


def cancelled_and_submitted_again(cluster):
    job_id = begin(cluster)
    cluster.call("scancel", job_id)
    cluster.wait(job_id, {"CANCELLED"})
    complete(cluster, submit(cluster))
    return "the second submission went on and completed", "tiles in flight"


def task_killed(cluster):
    job_id = begin(cluster)
    worker = events(OUTPUT, "worker")[-1]["pid"]
    send(worker, signal.SIGKILL)
    complete(cluster, job_id)
    return "replaced, and the job completed", "the tile in flight"


def two_nodes(cluster):
    job_id = begin(cluster, "--nodes=2", tasks=2)
    assert cluster.show(job_id)["NumNodes"] == "2"
    complete(cluster, job_id)
    return "completed", "nothing"


def array_of_models(cluster):
    others = [job(f"array{i}", 1, 16, lesions=["skip@%d" % i]) for i in range(2)]
    first = submit(cluster, "--array=1-2", jobs=others, tasks=2)
    for i in 1, 2:
        cluster.wait(f"{first}_{i}", {"COMPLETED"})
        assert read(path(f"array{i - 1}.h5"), "lesions/done").all()
    return "one sweep a task, both completed", "nothing"


def under_slurm():
    cluster = Cluster(path("slurm"), 2)
    try:
        for fault, test in (("SLURM: the signal before the time limit", time_limit_requeues),
                            ("SLURM: scancel, and the same job submitted again", cancelled_and_submitted_again),
                            ("SLURM: a task gets SIGKILL", task_killed), ("SLURM: two nodes (on one host)", two_nodes),
                            ("SLURM: an array of two jobs", array_of_models)):
            n = repetitions(5) if FULL else 1
            said = [test(cluster) for _ in range(n)]
            row(fault, f"{n} jobs", said[0][0] + f" ({n} of {n})", said[0][1])
    finally:
        cluster.stop()


reason = why_not()
if reason:
    skip(reason)
GOOD = undisturbed()
run_tests([under_slurm])
