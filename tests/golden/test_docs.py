#!/usr/bin/env python3
"""Every file and folder of the project that a document names is there.

Usage: test_docs.py LESION"""
import glob
import os
import re
import sys

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
folders = "kernels src mpi analysis tests jobs slurm docs".split()
documents = [f for pattern in ("*.md", "*/*.md") for f in glob.glob(pattern, root_dir=root) if not f.startswith("build")]
missing, seen = [], 0
for document in documents:
    text = open(os.path.join(root, document)).read()
    named = re.findall(r"`((?:%s)/[^`\s]*)`" % "|".join(folders), text)
    linked = [os.path.normpath(os.path.join(os.path.dirname(document), x)) for x in re.findall(r"\]\((?!http)([^)#\s]+)", text)]
    for path in named + linked:
        seen += 1
        if not glob.glob(os.path.join(root, path)):
            missing.append(f"{document}: {path} is not there")
print(*missing, sep="\n")
sys.exit(bool(missing) or seen < 50)
