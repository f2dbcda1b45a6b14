"""Rank 0, mpirun or everything dies: the next start, on another number of ranks, goes on from the file."""
import os, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faults import *


def kill_one(file, ranks, what, seconds):
    q = start(['mpirun', '--enable-recovery', '-n', str(ranks), LESION, 'sweep', '--output', file, JOB])
    tiles = len(events(file, 'tile'))
    wait_for('tiles', lambda: len(events(file, 'tile')) > tiles or q.poll() is not None)
    time.sleep(seconds)
    root, workers = ranks_of(q.pid)
    pid = root if what == 'rank 0' else q.pid
    early = q.poll() is None and pid is not None
    if early:
        os.kill(pid, signal.SIGKILL)
    wait_for('the orphans', lambda: not any(os.path.exists(f'/proc/{w}') for w in workers), 30)
    q.kill()
    q.communicate()
    return early


def launchers_die():
    good, seconds = undisturbed()
    rnd, n, kills, file = random.Random(2), repetitions(30), 0, path('run.h5')
    for k in range(n):
        forget(file)
        kills += kill_one(file, 2 + k % 3, ('rank 0', 'mpirun')[k % 2], rnd.random() * seconds * 0.7)
        before = finished(file)
        sweep(JOB, file, ranks=1 + (k + 1) % 4)
        assert digest(file) == good, f'run {k}: bytes differ'
        assert read(file, 'cells_computed') == CELLS
        assert handed_out(last_start(file)) == CELLS + PROMPTS_N - before, 'finished cells were computed again'
    assert kills >= n / 2, f'only {kills} kills came in time'
    row('rank 0 or mpirun gets SIGKILL', f'{n} sweeps, {kills} kills',
        f'orphaned ranks ended by themselves; the next start, on another number of ranks, completed {n} of {n}, equal to the byte',
        'no finished cell computed again')


def launch_starts_again():
    good, seconds = undisturbed()
    rnd, n, file = random.Random(3), repetitions(10), path('again.h5')
    for k in range(n):
        forget(file)
        q = start(launch_command(file, args=['--retries', '6']))
        for _ in range(2):
            starts = len(events(file, 'start'))
            wait_for('a start', lambda: len(events(file, 'tile')) > 0 or q.poll() is not None)
            time.sleep(rnd.random() * seconds / 2)
            root = ranks_of(q.pid)[0]
            if root and q.poll() is None:
                os.kill(root, signal.SIGKILL)
                wait_for('the next start', lambda: len(events(file, 'start')) > starts or q.poll() is not None)
        err = q.communicate(timeout=200)[1]
        assert q.returncode == 0, f'exit {q.returncode}: {err}'
        assert digest(file) == good
    row('rank 0 gets SIGKILL under `lesion launch`', f'{n} sweeps, 2 kills each', f'{n} of {n} started again and completed, exit code 0, equal to the byte',
        'no finished cell computed again')


def launch_gives_up_without_progress():
    """Rank 0 dies each time as soon as it has begun; some starts may finish a few cells all the same."""
    file = path('hopeless.h5')
    q = start(launch_command(file, args=['--retries', '9']))
    killed = set()
    while q.poll() is None:
        for e in events(file, 'start'):
            if e['pid'] not in killed:
                killed.add(e['pid'])
                try:
                    os.kill(e['pid'], signal.SIGKILL)
                except ProcessLookupError:
                    pass
        time.sleep(0.005)
    err = q.communicate(timeout=10)[1]
    assert q.returncode == 1 and 'starts, the last ones without a finished cell' in err, f'exit {q.returncode}: {err}'


def a_signal_to_launch_leaves_a_checkpoint():
    for how in signal.SIGTERM, signal.SIGINT:
        file = path('asked.h5')
        q = start(launch_command(file))
        tiles = len(events(file, 'tile'))
        wait_for('a tile', lambda: len(events(file, 'tile')) > tiles)
        q.send_signal(how)
        err = q.communicate(timeout=60)[1]
        assert q.returncode == 75, f'exit {q.returncode}: {err}'
        assert not ranks_of(q.pid)[1]
    assert run(launch_command(file)).returncode == 0
    assert digest(file) == digest(path('undisturbed.h5'))


def launch_passes_errors_on():
    with open(path('broken.json'), 'w') as f:
        f.write('{"model": "no.gguf", "prompts": "no", "lesions": ["skip@0"], "measures": ["kl"]}')
    for bad in path('broken.json'), path('no.json'):
        r = run([LESION, 'launch', '-n', '2', bad])
        assert r.returncode == 1 and len([x for x in r.stderr.splitlines() if x.startswith('lesion:')]) == 1, r.stderr
    assert run([LESION, 'launch', '-n', 'x', JOB]).returncode == 2


main([launchers_die, launch_starts_again, launch_gives_up_without_progress, a_signal_to_launch_leaves_a_checkpoint,
      launch_passes_errors_on])
