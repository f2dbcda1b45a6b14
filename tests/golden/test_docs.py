"""Every file and folder of the project that a document names is there."""
import glob
import os
import re

from harness.program import DATA, complain

root = os.path.normpath(os.path.join(DATA, "..", ".."))
folders = "kernels src mpi analysis tests jobs slurm docs".split()
documents = [f for pattern in ("*.md", "*/*.md") for f in glob.glob(pattern, root_dir=root) if not f.startswith("build")]
missing, seen = [], 0
for document in documents:
    text = open(os.path.join(root, document)).read()
    named = re.findall(r"`((?:%s)/[^`\s]*)" % "|".join(folders), text)
    linked = [os.path.normpath(os.path.join(os.path.dirname(document), x)) for x in re.findall(r"\]\((?!http)([^)#\s]+)", text)]
    for path in named + linked:
        seen += 1
        if not glob.glob(os.path.join(root, path)):
            missing.append(f"{document}: {path} is not there")
assert seen >= 50, f"only {seen} names were found in the documents"
complain(missing)
