"""What the fault tests share. Each prints a row of the table in docs/reliability.md; --full runs its full number."""
from harness.program import ARGS, LESION, path
from harness.sweeps import LAYERS, digest, events, job, sweep

FULL = "--full" in ARGS
CRASH_CELL = ARGS[0]
COPIES = 16
PROMPTS = 10 * COPIES
CELLS = PROMPTS * LAYERS
TOTAL = CELLS + PROMPTS  # with the intact runs
JOB = job("faults", COPIES, tokens=48)
WHOLE = path("undisturbed.h5")


def repetitions(full):
    return full if FULL else 3


def undisturbed():
    """Runs the job in peace, as WHOLE; its digest."""
    sweep(JOB, WHOLE, ranks=3)
    return digest(WHOLE)


def launch_command(output, ranks=3, args=()):
    return [LESION, "launch", "-n", str(ranks), *args, "--output", output, JOB]


def shares(rnd, n):
    """Of a sweep, when it is to be hit: in order, and early enough that much is left to do after each."""
    return sorted(0.6 * rnd.random() for _ in range(n))


def deaths(file):
    return len(events(file, "death"))


def row(fault, tried, happened, lost):
    print(f"| {fault} | {tried} | {happened} | {lost} |", flush=True)
