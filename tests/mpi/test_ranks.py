"""One job on different numbers of ranks and threads: the reference"s cells, equal bytes, one voice."""
import os

from harness.program import LESION, MODELS, lesion, path, read_json, run, run_tests
from harness.sweeps import LAYERS, digest, job, read, start_and_kill, sweep, sweep_command

GOLDEN = os.path.join(MODELS, "stories260K", "sweep_golden.json")


def every_cell_is_the_references():
    file = path("golden.h5")
    sweep(job(), file, ranks=2)
    cells = [c for c in read_json(GOLDEN)["cells"] if c["min_margin"] >= 1e-3]
    assert len(cells) > 25, "hardly a cell of the reference can be compared"
    tokens, jaccard = read(file, "cells/tokens"), read(file, "cells/jaccard")
    domains = [d.decode().rstrip("\0") for d in read(file, "prompts/domain")]
    for c in cells:
        at = c["layer"], domains.index(c["domain"])
        assert tokens[at].tolist() == c["lesioned_tokens"], f"tokens of cell {at}"
        assert abs(jaccard[at] - c["jaccard"]) <= 1e-6, f"jaccard of cell {at}: {jaccard[at]}, not {c['jaccard']}"
    assert read(file, "lesions/done").all() and (read(file, "baseline/status") == 1).all()


def ranks_and_threads_change_no_byte():
    job_file, digests, maps = job(copies=3), {}, {}
    for ranks, threads in (0, 1), (1, 2), (2, 1), (2, 2), (4, 1):
        file = path(f"r{ranks}t{threads}.h5")
        sweep(job_file, file, ranks, ["--threads", str(threads)])
        assert read(file, "cells_computed") == 30 * LAYERS
        digests[ranks, threads] = digest(file)
        lesion("map", file, "--output", file + ".map")
        with open(file + ".map", "rb") as f:
            maps[ranks, threads] = f.read()
    assert len(set(digests.values())) == 1, digests
    assert len(set(maps.values())) == 1, "maps differ"


def no_mode_knows_of_ranks_threads_or_restarts():
    for kind, compute in ("Q8_0", "f32"), ("Q8_0", "int16"), ("Q4_0", "int16"), ("Q4_0", "int8"):
        model = os.path.join(MODELS, "stories260K-quant", f"stories260K-{kind}.gguf")
        job_file, digests = job(f"{kind}-{compute}", copies=10, model=model, compute=compute), set()
        for ranks, threads in (0, 1), (2, 2), (4, 1):
            file = path(f"{kind}-{compute}-{ranks}.h5")
            if ranks == 2:
                start_and_kill(sweep_command(job_file, file, ranks), file, share=0.1)
            sweep(job_file, file, ranks, ["--threads", str(threads)])
            digests.add(digest(file))
        assert len(digests) == 1, f"{kind}, {compute}: bytes differ"


def progress_is_a_line_per_lesion():
    r = sweep(job(measures=["kl"]), path("lines.h5"), ranks=3)
    lines = [line for line in r.stderr.splitlines() if line.startswith("lesion ")]
    assert len(lines) == LAYERS and all("mean kl_mean" in line for line in lines), r.stderr
    assert not r.stdout, r.stdout


def errors_are_told_once():
    for bad, code in ('{"model": "no.gguf", "prompts": "p", "lesions": ["skip@0"], "measures": ["kl"]}', 1), ("{", 1):
        with open(path("bad.json"), "w") as f:
            f.write(bad)
        r = sweep(path("bad.json"), path("bad.h5"), ranks=3, code=code)
        assert len([line for line in r.stderr.splitlines() if line.startswith("lesion:")]) == 1, r.stderr
    r = sweep(job("outside", lesions=["skip@99"]), path("bad.h5"), ranks=3, code=2)
    assert r.stderr.count("skip@99") == 1, r.stderr
    r = run(["mpirun", "-n", "3", LESION, "sweep", "--frobnicate", "x.json"])
    assert r.returncode == 2 and r.stderr.count("unrecognized option") == 1, r.stderr
    assert not os.path.exists(path("bad.h5"))


def a_bound_rank_is_warned_of():
    one = min(os.sched_getaffinity(0))
    r = sweep(job(), path("bound.h5"), args=["--threads", "2"], preexec_fn=lambda: os.sched_setaffinity(0, [one]))
    assert "bound to 1 " in r.stderr, r.stderr


run_tests([every_cell_is_the_references, ranks_and_threads_change_no_byte, no_mode_knows_of_ranks_threads_or_restarts,
      progress_is_a_line_per_lesion, errors_are_told_once, a_bound_rank_is_warned_of])
