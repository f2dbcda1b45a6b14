"""Workers that die or stop while `lesion launch` runs: the sweep completes by itself with the same bytes."""
import os, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faults import *

SIGNALS = {'SIGKILL': signal.SIGKILL, 'SIGSEGV': signal.SIGSEGV, 'SIGSTOP': signal.SIGSTOP}


def one(file, how, n_kills, rnd, seconds):
    """Returns (kills, cells handed out a second time)."""
    forget(file)
    q = start(launch_command(file))
    wait_for('workers', lambda: events(file, 'tile') or q.poll() is not None)
    kills = 0
    for _ in range(n_kills):
        time.sleep(rnd.random() * seconds / (n_kills + 1))
        workers = ranks_of(q.pid)[1]
        if not workers or (q.poll() is not None):
            break
        try:
            os.kill(rnd.choice(workers), how)
            kills += 1
        except ProcessLookupError:
            pass
    err = q.communicate(timeout=200)[1]
    assert q.returncode == 0, f'exit {q.returncode}: {err}'
    lines = events(file)
    again = handed_out(lines) - CELLS - PROMPTS_N
    sizes, in_flight = {}, 0
    for e in lines:
        if e['event'] == 'tile':
            sizes[e['tile']] = e['cells']
        if e['event'] == 'death':
            in_flight += sizes.get(e.get('tile'), 0)
    if len([e for e in lines if e['event'] == 'start']) == 1:
        assert again <= in_flight, f'{again} cells computed again, {in_flight} were in flight'
    return kills, again


def workers_die():
    good, seconds = undisturbed()
    rnd, n, total, lost = random.Random(1), repetitions(50), 0, 0
    for k in range(n):
        name = list(SIGNALS)[k % 3]
        kills, again = one(path('run.h5'), SIGNALS[name], 1 + rnd.randrange(3), rnd, seconds)
        assert digest(path('run.h5')) == good, f'run {k} ({name}): bytes differ'
        total, lost = total + kills, max(lost, again)
    assert total >= n / 2, f'only {total} signals came in time'
    row('a worker gets SIGKILL, SIGSEGV or SIGSTOP', f'{n} sweeps, {total} signals',
        f'{n} of {n} completed by themselves, exit code 0, equal to the byte', f'at most {lost} of {CELLS} cells computed again: tiles in flight')


def replacements(launcher):
    """Processes that were started in place of dead workers."""
    found = []
    for child in children(launcher):
        try:
            with open(f'/proc/{child}/cmdline', 'rb') as f:
                found += [child] if b'--sharers' in f.read() else []
        except OSError:
            pass
    return found


def replacements_die_while_they_start():
    n, rnd, file = repetitions(10), random.Random(5), path('spawned.h5')
    for k in range(n):
        forget(file)
        q = start(launch_command(file))
        wait_for('workers', lambda: events(file, 'tile') or q.poll() is not None)
        os.kill(events(file, 'worker')[-1]['pid'], signal.SIGKILL)
        wait_for('a replacement', lambda: replacements(q.pid) or q.poll() is not None)
        time.sleep(rnd.random() / 5)
        for child in replacements(q.pid):
            os.kill(child, signal.SIGKILL)
        err = q.communicate(timeout=200)[1]
        assert q.returncode == 0, f'exit {q.returncode}: {err}'
        assert digest(file) == digest(path('undisturbed.h5')), f'run {k}: bytes differ'
    row('a replacement gets SIGKILL while it starts', f'{n} sweeps', f'{n} of {n} completed by themselves, exit code 0, equal to the byte',
        'tiles in flight; up to 20 s, which MPI_Comm_spawn waits')


main([workers_die, replacements_die_while_they_start])
