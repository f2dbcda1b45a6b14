"""A cell that kills its worker every time: it is marked failed, everything else completes, and all say so."""
import os, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faults import *

SHIM = os.path.abspath(sys.argv[2])


def status_offset(file, lesion, prompt):
    with h5py.File(file, 'r') as f:
        if lesion < 0:
            return f['baseline/status'].id.get_offset() + prompt
        return f['cells/status'].id.get_offset() + lesion * PROMPTS_N + prompt


def make_file(file):
    """The file with nothing computed."""
    open(file + '.stop', 'w').close()
    sweep(JOB, file, code=75)
    assert finished(file) == 0


def a_deadly_cell_fails_alone():
    good, _ = undisturbed()
    n, rnd, deaths = repetitions(10), random.Random(4), 0
    for k in range(n):
        file, cell = path('deadly.h5'), (rnd.randrange(LAYERS), rnd.randrange(PROMPTS_N))
        forget(file)
        make_file(file)
        r = run(launch_command(file), env=dict(ENV, LD_PRELOAD=SHIM, CRASH_AT=str(status_offset(file, *cell))))
        assert r.returncode == 1 and '1 of' in r.stderr, f'exit {r.returncode}: {r.stderr}'
        flags = read(file, 'cells/status')
        assert flags[cell] == 2 and (flags == 1).sum() == CELLS - 1, flags
        s = status(file)
        assert s['failed'] == 1 and s['done'] == CELLS - 1, s
        assert len(s['failures']) == 1 and 'died' in s['failures'][0]['reason'], s
        expected, got = read(path('undisturbed.h5'), 'cells/tokens'), read(file, 'cells/tokens')
        expected[cell] = -1
        assert (expected == got).all(), 'other cells differ'
        deaths += len([e for e in events(file, 'death')])
    assert digest(path('undisturbed.h5')) == good
    row('a cell crashes its worker every time', f'{n} sweeps',
        f'the cell marked failed after {deaths / n:.0f} deaths on average, everything else complete, exit code 1, named by `lesion status`',
        'that cell')


def a_deadly_prompt_fails_with_its_cells():
    file = path('prompt.h5')
    make_file(file)
    r = run(launch_command(file), env=dict(ENV, LD_PRELOAD=SHIM, CRASH_AT=str(status_offset(file, -1, 7))))
    assert r.returncode == 1, f'exit {r.returncode}: {r.stderr}'
    flags, intact = read(file, 'cells/status'), read(file, 'baseline/status')
    assert intact[7] == 2 and (intact == 1).sum() == PROMPTS_N - 1, intact
    failed = (flags[:, 7] == 2).sum()  # those that were not done before it was given up: perhaps none
    assert (flags == 1).sum() == CELLS - failed, flags
    assert len(status(file)['failures']) == failed + 1


main([a_deadly_cell_fails_alone, a_deadly_prompt_fails_with_its_cells])
