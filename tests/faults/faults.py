"""What the fault tests share. Each prints a row of the table in docs/reliability.md; --full runs its full number."""
import os, random, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'mpi'))
from sweeps import *

FULL = '--full' in sys.argv
COPIES, TOKENS = 8, 48
PROMPTS_N = 10 * COPIES
CELLS = PROMPTS_N * LAYERS
JOB = job('faults', COPIES, TOKENS)


def repetitions(full):
    return full if FULL else 3


def undisturbed():
    """(digest, seconds) of the job run in peace."""
    began = time.time()
    sweep(JOB, path('undisturbed.h5'), ranks=3)
    return digest(path('undisturbed.h5')), time.time() - began


def launch_command(output, ranks=3, args=()):
    return [LESION, 'launch', '-n', str(ranks), *args, '--output', output, JOB]


def forget(file):
    for name in glob.glob(file + '*'):
        os.unlink(name)


def handed_out(lines):
    return sum(e['cells'] for e in lines if e['event'] == 'tile')


def row(fault, tried, happened, lost):
    print(f'| {fault} | {tried} | {happened} | {lost} |', flush=True)
