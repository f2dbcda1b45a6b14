"""What a sweep refuses to write to, and what it does about damage and a full disk."""
import os, resource, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sweeps import *


def complete(name):
    job_file, file = job(), path(name)
    sweep(job_file, file)
    return job_file, file


def other_jobs_are_refused_with_what_differs():
    job_file, file = complete('mine.h5')
    before = digest(file)
    for keys, word in ((dict(lesions=['skip@0']), 'lesions'), (dict(measures=['kl']), 'measures'),
                       (dict(prompts=prompts(2)), 'prompts'), (dict(compute='int16'), 'compute')):
        r = sweep(job('other', **keys), file, ranks=2, code=1)
        assert word in r.stderr and 'mine.h5' in r.stderr, r.stderr
    assert digest(file) == before


def a_second_sweep_is_refused():
    job_file, file = job('long', 20, 48), path('shared.h5')
    first = start(sweep_command(job_file, file, 2))
    wait_for('the first tile', lambda: events(file, 'tile'))
    os.kill(ranks_of(first.pid)[0], signal.SIGSTOP)  # so that it does not end before the second one has given up
    r = sweep(job_file, file, ranks=2, code=1)
    assert 'another sweep' in r.stderr, r.stderr
    os.kill(ranks_of(first.pid)[0], signal.SIGCONT)
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=60)
    sweep(job_file, file, ranks=2)


def a_running_sweep_can_be_read():
    job_file, file = job('long', 20, 48), path('watched.h5')
    q = start(sweep_command(job_file, file, 3))
    wait_for('a finished cell', lambda: os.path.exists(file) and status(file)['done'] > 0)
    s = status(file)
    assert s['total'] == 200 * LAYERS and len(s['lesions']) == LAYERS, s
    with h5py.File(file, 'r') as f:  # with HDF5's own locks
        assert f['cells/status'].shape == (LAYERS, 200)
    q.send_signal(signal.SIGTERM)
    q.communicate(timeout=60)


def links_and_folders_are_no_output():
    job_file, _ = complete('target.h5')
    os.symlink(path('target.h5'), path('link.h5'))
    os.symlink(path('nowhere'), path('dangling.h5'))
    for name in 'link.h5', 'dangling.h5', '.', 'no/such/folder.h5':
        r = sweep(job_file, path(name), ranks=2, code=1)
        assert len([line for line in r.stderr.splitlines() if line.startswith('lesion:')]) == 1, r.stderr
    assert not os.path.exists(path('nowhere'))


def the_umask_holds():
    job_file = job()
    sweep(job_file, path('private.h5'), preexec_fn=lambda: os.umask(0o077))
    for name in glob.glob(path('private.h5*')):
        assert os.stat(name).st_mode & 0o077 == 0, name


def flip(file, name, index):
    with h5py.File(file, 'r') as f:
        at = f[name].id.get_offset() + index
    with open(file, 'r+b') as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 0x10]))


def a_flipped_byte_is_found_and_computed_again():
    job_file, file = complete('flipped.h5')
    before = digest(file)
    for name, index in ('cells/jaccard', 4 * 12 + 1), ('cells/tokens', 4 * 32 * 31), ('baseline/tokens', 40), ('cells/check', 9), \
            ('lesions/sha256', 70), ('cells/status', 33):
        flip(file, name, index)
        assert digest(file) != before
        r = sweep(job_file, file, ranks=2)
        assert digest(file) == before, f'{name} was not mended'
        assert 'damaged' in r.stderr, f'{name}: {r.stderr}'
        assert last_start(file)[-1]['done'] == 10 * LAYERS


def half_a_file_is_refused():
    job_file, file = complete('cut.h5')
    os.truncate(file, os.path.getsize(file) // 2)
    r = sweep(job_file, file, ranks=2, code=1)
    assert 'damaged' in r.stderr, r.stderr


def no_room_is_told_before_work_starts():
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20))
    r = sweep(job(copies=100, tokens=400), path('large.h5'), code=1, preexec_fn=limit)
    assert 'no room' in r.stderr, r.stderr
    assert not glob.glob(path('large.h5')) and not glob.glob(path('large.h5.new'))


def a_full_disk_loses_nothing():
    """On a small tmpfs: no room at first; then room for the results, while everything else is full."""
    disk = path('disk')
    os.mkdir(disk)
    if os.geteuid() != 0 or run(['mount', '-t', 'tmpfs', '-o', 'size=400k', 'none', disk]).returncode != 0:
        print('     (no tmpfs can be mounted here: needs root)')
        return
    try:
        file, job_file = os.path.join(disk, 'run.h5'), job(copies=3)
        with open(os.path.join(disk, 'ballast'), 'wb') as f:
            f.write(bytes(390000))
        r = sweep(job_file, file, ranks=2, code=1)
        assert 'no room' in r.stderr and os.listdir(disk) == ['ballast'], r.stderr
        os.unlink(os.path.join(disk, 'ballast'))
        q = start(sweep_command(job_file, file, 2))
        wait_for('the result file', lambda: os.path.exists(file))
        try:
            with open(os.path.join(disk, 'ballast'), 'wb', buffering=0) as f:
                while True:
                    f.write(bytes(4096))
        except OSError:
            pass
        err = q.communicate(timeout=120)[1]
        assert q.returncode == 0, err
        other = path('roomy.h5')
        sweep(job_file, other, ranks=2)
        assert digest(file) == digest(other)
    finally:
        run(['umount', '-l', disk])


main([other_jobs_are_refused_with_what_differs, a_second_sweep_is_refused, a_running_sweep_can_be_read,
      links_and_folders_are_no_output, the_umask_holds, a_flipped_byte_is_found_and_computed_again, half_a_file_is_refused,
      no_room_is_told_before_work_starts, a_full_disk_loses_nothing])
