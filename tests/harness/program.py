"""The program under test, run from outside, and how a test ends: silence and exit code 0 are a pass."""
import json
import os
import subprocess
import sys
import tempfile
import time

LESION = os.path.abspath(sys.argv[1])
ARGS = sys.argv[2:]
DATA = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data"))
MODELS = os.path.join(DATA, "models")
SKIPPED = 77  # exit code of a test that this machine cannot run, as CMakeLists.txt tells ctest

_folder = tempfile.TemporaryDirectory(prefix="lesion-test-", ignore_cleanup_errors=True)
FOLDER = _folder.name
ENV = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
           OMPI_MCA_rmaps_base_oversubscribe="1", XDG_CACHE_HOME=FOLDER)


def path(name):
    """Of a file in the test's own folder, which goes when the test ends."""
    return os.path.join(FOLDER, name)


def run(command, timeout=240, **keys):
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=keys.pop("env", ENV), **keys)


def lesion(*args, code=0, **keys):
    """Runs the program, which has to end with this exit code."""
    done = run([LESION, *map(str, args)], **keys)
    assert done.returncode == code, f"lesion {' '.join(map(str, args))[:200]}: exit {done.returncode}, not {code}: {done.stderr.strip()}"
    return done


def lesion_json(*args, **keys):
    return json.loads(lesion(*args, "--json", **keys).stdout)


def options(name, values):
    """[name, value, name, value, ...]"""
    return [word for value in values for word in (name, value)]


def ids(tokens):
    return ",".join(map(str, tokens))


def read_json(file):
    with open(file, encoding="utf-8") as f:
        return json.load(f)


def write_json(file, content):
    with open(file, "w", encoding="utf-8") as f:
        json.dump(content, f)
    return file


def write_lines(file, objects):
    with open(file, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(o) + "\n" for o in objects)
    return file


def complain(errors, most=8):
    """Ends the test: in failure if there are errors, of which the first ones are printed."""
    errors = list(errors)
    sys.exit("\n".join([f"{len(errors)} deviations; the first ones:", *errors[:most]]) if errors else 0)


def skip(reason):
    """Ends a test that cannot run here. Where everything has to run (CI sets LES_NO_SKIP) that is a failure."""
    print(f"cannot run here: {reason}")
    sys.exit(1 if os.environ.get("LES_NO_SKIP") else SKIPPED)


def run_tests(tests):
    """Runs test functions in order; a failure is told with its name, and the others run all the same."""
    bad = 0
    for test in tests:
        began = time.time()
        try:
            test()
            print(f"ok   {test.__name__} ({time.time() - began:.1f} s)", flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as e:
            bad += 1
            print(f"FAIL {test.__name__}: {e}", flush=True)
    sys.exit(bad > 0)
