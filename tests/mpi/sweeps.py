"""Sweeps of a small model, run and looked at from outside: shared by the tests here and in ../faults."""
import collections, glob, hashlib, json, os, shutil, signal, subprocess, sys, tempfile, time

import h5py

LESION = os.path.abspath(sys.argv[1])
MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data', 'models')
MODEL = os.path.abspath(os.path.join(MODELS, 'stories260K', 'stories260K.gguf'))
PROMPTS = os.path.join(MODELS, 'stories260K', 'prompts.jsonl')
LAYERS = 5
FOLDER = tempfile.mkdtemp(prefix='lesion-test-')
ENV = dict(os.environ, OMP_NUM_THREADS='1', OMPI_ALLOW_RUN_AS_ROOT='1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM='1',
           OMPI_MCA_rmaps_base_oversubscribe='1', XDG_CACHE_HOME=FOLDER)


def path(name):
    return os.path.join(FOLDER, name)


def prompts(copies):
    """A suite of 10 * copies prompts of different lengths."""
    file = path(f'prompts{copies}.jsonl')
    with open(PROMPTS) as f:
        source = [json.loads(line) for line in f]
    with open(file, 'w') as f:
        for k in range(copies):
            for p in source:
                f.write(json.dumps(dict(id=f"{p['id']}-{k}", domain=p['domain'], prompt=p['prompt'] + ' a' * (k % 7))) + '\n')
    return file


def job(name='job', copies=1, tokens=32, **keys):
    """Writes a job file; its result goes to NAME.h5."""
    content = dict(model=MODEL, prompts=prompts(copies) if copies > 1 else os.path.abspath(PROMPTS), lesions=['skip@each'],
                   generate=dict(max_new_tokens=tokens, temperature=0, ignore_eos=True), measures=['jaccard', 'kl'])
    content.update(keys)
    with open(path(name + '.json'), 'w') as f:
        json.dump(content, f)
    return path(name + '.json')


def sweep_command(job_file, output, ranks=0, args=()):
    return (['mpirun', '-n', str(ranks)] if ranks else []) + [LESION, 'sweep', *args, '--output', output, job_file]


def start(command, **keys):
    keys.setdefault('env', ENV)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **keys)


def run(command, timeout=240, **keys):
    keys.setdefault('env', ENV)
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, **keys)


def sweep(job_file, output, ranks=0, args=(), code=0, **keys):
    r = run(sweep_command(job_file, output, ranks, args), **keys)
    assert r.returncode == code, f'exit {r.returncode}, not {code}: {r.stderr}'
    return r


def wait_for(what, condition, seconds=60):
    end = time.time() + seconds
    while not condition():
        assert time.time() < end, f'{what}: not within {seconds} s'
        time.sleep(0.02)


def digest(file):
    """SHA-256 over name, type, shape and bytes of all data sets."""
    h = hashlib.sha256()
    with h5py.File(file, 'r') as f:
        names = []
        f.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        for name in sorted(names):
            v = f[name][()]
            h.update(f'{name} {f[name].dtype} {f[name].shape}'.encode())
            h.update(v if isinstance(v, bytes) else v.tobytes())
    return h.hexdigest()


def read(file, name):
    os.environ['HDF5_USE_FILE_LOCKING'] = 'FALSE'
    with h5py.File(file, 'r') as f:
        return f[name][()] if name in f else f.attrs[name]


def finished(file):
    """Cells that are flagged, intact runs included."""
    return int((read(file, 'cells/status') > 0).sum() + (read(file, 'baseline/status') > 0).sum())


def status(file):
    r = run([LESION, 'status', file, '--json'])
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def events(file, kind=None):
    if not os.path.exists(file + '.events.jsonl'):
        return []
    with open(file + '.events.jsonl') as f:
        lines = [json.loads(line) for line in f if line.endswith('\n')]
    return [e for e in lines if kind in (None, e['event'])]


def last_start(file):
    """The events of the last start."""
    all_events = events(file)
    first = max(i for i, e in enumerate(all_events) if e['event'] == 'start')
    return all_events[first:]


def children(pid):
    """All descendants of a process."""
    parents = collections.defaultdict(list)
    for name in glob.glob('/proc/[0-9]*/stat'):
        try:
            with open(name) as f:
                text = f.read()
        except OSError:
            continue
        parents[int(text.rsplit(')', 1)[1].split()[1])].append(int(name.split('/')[2]))
    found, todo = [], [pid]
    while todo:
        more = parents[todo.pop()]
        found += more
        todo += more
    return found


def environment(pid):
    try:
        with open(f'/proc/{pid}/environ', 'rb') as f:
            return f.read().split(b'\0')
    except OSError:
        return []


def ranks_of(pid):
    """(rank 0, workers) below a launcher: process ids."""
    root, workers = None, []
    for child in children(pid):
        try:
            if os.path.realpath(f'/proc/{child}/exe') != os.path.realpath(LESION):
                continue
        except OSError:
            continue
        env = environment(child)
        spawned = any(e.startswith(b'OMPI_PARENT_PORT') or e.startswith(b'PMIX_SPAWNED') for e in env)
        if b'OMPI_COMM_WORLD_RANK=0' in env and not spawned:
            root = child
        elif any(e.startswith(b'OMPI_COMM_WORLD_RANK=') for e in env):
            workers.append(child)
    return root, workers


def main(tests):
    """Runs the test functions, each in the order of the file; a failure is told with its name."""
    bad = 0
    for test in tests:
        began = time.time()
        try:
            test()
            print(f'ok   {test.__name__} ({time.time() - began:.1f} s)', flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as e:
            bad += 1
            print(f'FAIL {test.__name__}: {e}', flush=True)
    if not bad:
        shutil.rmtree(FOLDER, ignore_errors=True)
    sys.exit(bad > 0)
