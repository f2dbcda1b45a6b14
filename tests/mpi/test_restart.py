"""Sweeps that are killed or stopped early go on where they were, and no finished cell is computed again."""
import os, random, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sweeps import *

COPIES, TOKENS = 12, 48
CELLS = 10 * COPIES * LAYERS


def undisturbed():
    job_file, file = job('long', COPIES, TOKENS), path('undisturbed.h5')
    began = time.time()
    sweep(job_file, file, ranks=3)
    return job_file, digest(file), time.time() - began


JOB, DIGEST, SECONDS = undisturbed()


def kill_soon(file, ranks, seconds):
    """False if the sweep was faster than the kill."""
    q = start(sweep_command(JOB, file, ranks))
    wait_for('the result file', lambda: os.path.exists(file) or q.poll() is not None)
    time.sleep(seconds)
    early = q.poll() is None
    q.kill()
    q.communicate()
    return early


def check_last_start(file, before):
    """The last start handed out exactly what was not finished before it."""
    handed_out = sum(e['cells'] for e in last_start(file) if e['event'] == 'tile')
    todo = CELLS + 10 * COPIES - before
    assert handed_out == todo, f'{handed_out} cells handed out where {todo} were left'


def five_kills_of_mpirun():
    file, rnd, kills = path('killed.h5'), random.Random(5), 0
    for k in range(5):
        kills += kill_soon(file, 2 + k % 3, rnd.random() * SECONDS / 5)
        time.sleep(0.5)
    assert kills >= 2, f'only {kills} of 5 kills came in time'
    wait_for('the killed ranks', lambda: run(sweep_command(JOB, file, 3, ['--time-limit', '1'])).returncode in (0, 75))
    before = finished(file)
    sweep(JOB, file, ranks=4)
    assert digest(file) == DIGEST, 'bytes differ'
    assert read(file, 'cells_computed') == CELLS, read(file, 'cells_computed')
    if before < CELLS + 10 * COPIES:
        check_last_start(file, before)


def stopped(file, ranks, how):
    tiles = len(events(file, 'tile'))
    q = start(sweep_command(JOB, file, ranks))
    wait_for('the first tile', lambda: len(events(file, 'tile')) > tiles)
    if how == 'file':
        open(file + '.stop', 'w').close()
    else:
        os.kill(ranks_of(q.pid)[0] if ranks else q.pid, how)
    err = q.communicate(timeout=120)[1]
    assert q.returncode == 75, f'{how} on {ranks} ranks: exit {q.returncode}: {err}'
    assert 'start the same command again' in err, err
    assert not os.path.exists(file + '.stop')
    assert last_start(file)[-1]['exit_code'] == 75


def early_ends_leave_a_good_checkpoint():
    for ranks in 0, 3:
        file = path(f'stopped{ranks}.h5')
        for how in 'file', signal.SIGTERM, signal.SIGINT:
            stopped(file, ranks, how)
        before = finished(file)
        sweep(JOB, file, ranks=2)
        assert digest(file) == DIGEST, 'bytes differ'
        check_last_start(file, before)


def a_time_limit_stops():
    file = path('limited.h5')
    code = run(sweep_command(JOB, file, 2, ['--time-limit', '1'])).returncode
    assert code == 75 or code == 0 and SECONDS < 4, f'exit {code}'


def a_complete_sweep_has_nothing_to_do():
    file = path('undisturbed.h5')
    sweep(JOB, file, ranks=2)
    assert digest(file) == DIGEST
    check_last_start(file, CELLS + 10 * COPIES)
    assert read(file, 'starts') == 2 and read(file, 'cells_computed') == CELLS


main([five_kills_of_mpirun, early_ends_leave_a_good_checkpoint, a_time_limit_stops, a_complete_sweep_has_nothing_to_do])
