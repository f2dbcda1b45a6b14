#!/usr/bin/env python3
"""The walk of a newcomer: every command that the documents and the help texts show is run, in the order in which it is
shown, and has to succeed.

What is run: lines of indented code blocks that start with `lesion ` (settings of environment variables may stand before
it), and the Example lines of each command's --help. A document has a folder of its own, with the program on the PATH,
MODEL set, and jobs/ and tests/ as in the project.

Usage: test_walk.py LESION [MODEL]"""
import glob
import json
import os
import re
import shutil

from harness.program import ARGS, DATA, ENV, LESION, MODELS, complain, lesion, path, run

ROOT = os.path.realpath(os.path.join(DATA, "..", ".."))
MODEL = os.path.realpath(ARGS[0] if ARGS else os.path.join(MODELS, "stories260K", "stories260K.gguf"))
DOCUMENTS = ["README.md", "jobs/README.md", "jobs/prompts/README.md", "slurm/README.md", "CONTRIBUTING.md",
             *sorted(os.path.relpath(f, ROOT) for f in glob.glob(os.path.join(ROOT, "docs", "*.md")))]

# what a document names that is not in the project, and what stands for it here
STANDS_FOR = {
    "jobs/llama-3.2-1b-layer-map.json": "jobs/small/layer-map.json",  # needs Llama-3.2-1B
    "jobs/llama-3.2-3b-attention-drop.json": "jobs/small/attention-drop.json",  # needs Llama-3.2-3B
    "jobs/gpt-neo-1.3b-pillars.json": "jobs/small/pillars.json",  # needs GPT-Neo-1.3B
    "models/Llama-3.2-3B-Q8_0.gguf": "$MODEL",
    "OMP_NUM_THREADS=16": "OMP_NUM_THREADS=1",  # this machine's cores are shared
    "--like llama-3.2-1b --type Q8_0": "--like llama-3.2-1b --type Q8_0 --sparse",  # 1.3 GB
}
# commands that cannot run here, and why
EXCEPTIONS = {}


def commands(text):
    """Of the indented code blocks: those that follow an empty line."""
    block = False
    for before, line in zip(["", *text.splitlines()], text.splitlines()):
        block = line.startswith("    ") and (block or not before.strip())
        if block and re.match(r"    (\w+=\S+ )*lesion ", line):
            yield line.strip()


def make_folder(name):
    """With what the documents take for granted."""
    folder = path("walk-" + re.sub(r"\W", "-", name))
    shutil.copytree(os.path.join(ROOT, "jobs"), os.path.join(folder, "jobs"))
    os.symlink(os.path.join(ROOT, "tests"), os.path.join(folder, "tests"))
    os.symlink(MODEL, os.path.join(folder, "model.gguf"))
    for job in glob.glob(os.path.join(folder, "jobs", "small", "*.json")):
        with open(job) as f:
            content = json.load(f)
        content["model"] = MODEL
        with open(job, "w") as f:
            json.dump(content, f)
    for data in glob.glob(os.path.join(DATA, "tasks", "*.jsonl")):
        shutil.copy(data, folder)
    for name in "arc", "hellaswag", "wiki":  # of the mix in jobs/README.md, which draws up to 160 lines of each
        with open(os.path.join(folder, name + ".jsonl"), "w") as f:
            f.writelines(json.dumps(dict(text=f"Once there were {i} birds in a tree.")) + "\n" for i in range(160))
    with open(os.path.join(folder, "mix.json"), "w") as f:
        f.write(mix())
    with open(os.path.join(folder, "text.txt"), "w") as f:
        f.write("Once upon a time there was a girl.\n")
    with open(os.path.join(folder, "wiki.test.raw"), "w") as f:
        f.write("Once upon a time there was a girl who had a dog. " * 400)
    return folder


def mix():
    with open(os.path.join(ROOT, "jobs", "README.md")) as f:
        return re.search(r"^    (\[\{.*?\}\])$", f.read(), re.MULTILINE | re.DOTALL).group(1)


def examples():
    """The Example lines of all commands, joined where argp has broken them."""
    for command in re.findall(r"^  ([a-z]+) ", lesion("--help").stdout, re.MULTILINE):
        for example in re.findall(r"^Example: (.*?)(?:\n\n|\Z)", lesion(command, "--help").stdout, re.MULTILINE | re.DOTALL):
            yield " ".join(example.split())


def walk(name, lines):
    """Yields the commands that fail."""
    folder = make_folder(name)
    env = dict(ENV, MODEL=MODEL, PATH=os.path.join(folder, "bin") + ":" + ENV["PATH"])
    os.mkdir(os.path.join(folder, "bin"))
    os.symlink(LESION, os.path.join(folder, "bin", "lesion"))
    for line in lines:
        if line in EXCEPTIONS:
            print(f"{name}: left out, {EXCEPTIONS[line]}: {line}")
            continue
        command = line
        for named, here in STANDS_FOR.items():
            command = command.replace(named, here)
        done = run(["bash", "-c", command], cwd=folder, env=env, timeout=3000)
        print(f"{name}: {done.returncode}: {command}", flush=True)
        if done.returncode != 0:
            yield f"{name}: `{command}` ends with {done.returncode}: {done.stderr.strip()[-300:]}"


def deviations():
    n = 0
    for name in DOCUMENTS:
        with open(os.path.join(ROOT, name), encoding="utf-8") as f:
            lines = list(commands(f.read()))
        n += len(lines)
        if lines:
            yield from walk(name, lines)
    lines = list(examples())
    yield from walk("help", lines)
    if n < 16 or len(lines) < 5:
        yield f"only {n} commands were found in the documents and {len(lines)} in the help texts"


complain(deviations())
