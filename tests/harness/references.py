"""Tests against other people's software run in the virtual environment that .ci/references makes. LES_REFERENCES names its
folder; without it such a test cannot run."""
import os
import sys


def enter():
    """Goes on under the environment's Python. To be called before harness.program is imported."""
    folder = os.environ.get("LES_REFERENCES")
    if not folder:
        from harness.program import skip
        skip("LES_REFERENCES does not name a virtual environment of references (.ci/references FOLDER makes one)")
    if os.path.realpath(sys.prefix) != os.path.realpath(folder):
        python = os.path.join(folder, "bin", "python")
        os.execv(python, [python, *sys.argv])
