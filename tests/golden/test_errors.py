#!/usr/bin/env python3
"""What a user does wrong is told with what to do about it, in one line, and with the same exit code wherever it is done:
2 for what is asked wrongly, on the command line or in a job; 1 for files that cannot be read or written.

Usage: test_errors.py LESION"""
import os
import shutil

import numpy as np

from harness import made_up
from harness.program import FOLDER, LESION, MODELS, lesion, path, run, run_tests, write_json, write_lines

MODEL = os.path.join(MODELS, "stories260K", "stories260K.gguf")
PROMPTS = write_lines(path("prompts.jsonl"), [dict(id="a", domain="d", prompt="Once upon a time")])
ARC = os.path.join(MODELS, "..", "tasks", "arc_easy.jsonl")


def folder(name, *files):
    os.makedirs(path(name))
    for file in files:
        shutil.copy(MODEL, os.path.join(path(name), file))
    return path(name)


def job(name="job.json", **keys):
    content = dict(model=MODEL, prompts=PROMPTS, lesions=["skip@0"], measures=["kl"])
    content.update(keys)
    return write_json(path(name), content)


def job_text(text):
    with open(path("text.json"), "w", encoding="utf-8") as f:
        f.write(text)
    return path("text.json")


def refused(args, code, *words):
    """One line that holds these words; nothing else, but for argp's hint at --help behind wrong usage."""
    done = run([LESION, *map(str, args)], cwd=FOLDER)
    lines = done.stderr.splitlines()
    assert done.returncode == code, f"{args}: exit {done.returncode}, not {code}: {done.stderr}"
    assert len(lines) == 1 or (code == 2 and "Try `lesion" in lines[1] and len(lines) < 4), done.stderr
    assert not done.stdout, done.stdout
    for word in words:
        assert word in lines[0], f"{args}: {lines[0]!r} lacks {word!r}"


def models_that_are_not_there():
    for command in ["inspect"], ["tokenize", "--text", "x"], ["score", "--text", "x"]:
        refused([*command, "meta-llama/Llama-3.2-1B"], 1, "no such file or folder",
                "`hf download meta-llama/Llama-3.2-1B --local-dir Llama-3.2-1B`", "huggingface-cli", "lesion synth")
    for plain in "model.gguf", "nowhere/model.gguf", "/nowhere", "model":
        done = run([LESION, "inspect", plain], cwd=FOLDER)
        assert "no such file or folder" in done.stderr and "hf download" not in done.stderr, done.stderr
    refused(["estimate", job(model="meta-llama/Llama-3.2-1B")], 1, "hf download meta-llama/Llama-3.2-1B")


def folders_without_safetensors():
    refused(["inspect", folder("torch", "pytorch_model.bin", "tokenizer.json")], 1, "pytorch_model.bin",
            "convert", "save_pretrained")
    refused(["inspect", folder("ggufs", "a.gguf", "b.gguf")], 1, "2 files", "give one of them, such as a.gguf")
    refused(["inspect", folder("one", "a.gguf")], 1, "give the file a.gguf in it")
    refused(["inspect", folder("empty")], 1, "holds neither model.safetensors")


def keys_of_a_job():
    refused(["estimate", job(temprature=1)], 2, "job.json", "'temprature' is not known here", "did you mean that of 'generate'",
            '"generate": {"temperature"')
    refused(["estimate", job(max_new_tokens=1)], 2, '"generate": {"max_new_tokens"')
    refused(["estimate", job(generate=dict(max_new_tokens=1, temprature=1))], 2, "did you mean 'temperature'")
    refused(["estimate", job(generate=dict(max_new_tokens=1, seed=1))], 2, "the key beside 'generate'")
    refused(["estimate", job(promts="x")], 2, "did you mean 'prompts'")


def json_that_is_none():
    refused(["estimate", job_text('{"model": "x",\n  "lesions": ["skip@0"],\n}\n')], 1, "text.json:3:1: not valid JSON",
            "a comma before '}'")
    refused(["estimate", job_text('{"lesions": ["skip@0", ]}')], 1, "text.json:1:24:", "a comma before ']'")
    refused(["estimate", job_text("{'model': 1}")], 1, "text.json:1:")
    with open(path("bad.jsonl"), "w", encoding="utf-8") as f:
        f.write('{"id": "a", "domain": "d", "prompt": "x"}\n{"id": "b", "domain": "d", "prompt": "x",}\n')
    refused(["estimate", job(prompts="bad.jsonl")], 1, "bad.jsonl:2:42: not valid JSON", "a comma before '}'")
    broken = folder("broken", "model.safetensors")
    shutil.copy(os.path.join(MODELS, "gpt2-hub", "model.safetensors"), broken)
    with open(os.path.join(broken, "config.json"), "w", encoding="utf-8") as f:
        f.write('{"model_type": "gpt2",\n}')
    refused(["score", broken, "--tokens", "1,2"], 1, "config.json:2:1: not valid JSON", "a comma before '}'")


def same_mistake_same_code():
    """(what is wrong, the command line that says it, the key of a job that says it, exit code)"""
    table = [
        ("skip@99", ["score", MODEL, "--text", "x", "--lesion", "skip@99"], dict(lesions=["skip@99"]), 2),
        ("skpi@0", ["score", MODEL, "--text", "x", "--lesion", "skpi@0"], dict(lesions=["skpi@0"]), 2),
        ("skip@0", ["score", MODEL, "--text", "x", "--lesion", "skip@0", "--lesion", "skip@0"], dict(lesions=["skip@0", "skip@0"]), 2),
        ("mean@0", ["score", MODEL, "--text", "x", "--lesion", "mean@0"], dict(lesions=["mean@0"]), 2),
        ("f64", ["score", MODEL, "--text", "x", "--compute", "f64"], dict(compute="f64"), 2),
        ("threads", ["score", MODEL, "--text", "x", "--threads", "0"], dict(threads=0), 2),
        ("arc_eazy", ["task", MODEL, "--task", "arc_eazy", "--data", ARC], dict(tasks=[dict(name="arc_eazy", data=ARC)]), 2),
        ("nowhere.jsonl", ["task", MODEL, "--task", "arc_easy", "--data", "nowhere.jsonl"],
         dict(tasks=[dict(name="arc_easy", data="nowhere.jsonl")]), 1),
        ("nowhere.txt", ["score", MODEL, "--text", "x", "--lesion", "mean@0", "--calibration", "nowhere.txt"],
         dict(lesions=["mean@0"], calibration="nowhere.txt"), 1),
        ("nowhere.gguf", ["score", "nowhere.gguf", "--text", "x"], dict(model="nowhere.gguf"), 1),
        ("temperature", ["generate", MODEL, "--prompt", "x", "--temperature", "-1"],
         dict(generate=dict(max_new_tokens=1, temperature=-1)), 2),
    ]
    for word, args, keys, code in table:
        refused(args, code, word)
        for command in "estimate", "sweep":
            refused([command, job(**keys)], code, word)
    refused(["sweep", job(measures=["foo"])], 2, "'foo'", "known are jaccard, nll, kl")


def commands():
    refused(["generat"], 2, "no command 'generat'", "did you mean 'generate'?")
    refused(["qqqqqqqq"], 2, "no command 'qqqqqqqq'; `lesion --help` lists them")
    for command in "generate", "task", "sweep", "status":
        help_text = lesion(command, "--help").stdout
        assert help_text == lesion("help", command).stdout == lesion(command, "-h").stdout, command
    assert lesion("help", "task").stdout.count("Tasks:") == 1
    assert lesion("help").stdout == lesion("--help").stdout
    refused(["help", "generat"], 2, "did you mean 'generate'?")


def folders_that_are_not_there():
    """Before any work, without the name of a lock, and without a word of mpirun's."""
    wrong = "there is no folder nowhere; make it with `mkdir -p nowhere`"
    refused(["sweep", job(), "-o", "nowhere/run.h5"], 1, "nowhere/run.h5: cannot be written: " + wrong)
    refused(["launch", "-n", "2", job(), "-o", "nowhere/run.h5"], 1, "nowhere/run.h5: cannot be written: " + wrong)
    refused(["synth", "nowhere/model.gguf"], 1, wrong)
    refused(["launch", "-n", "2", job(lesions=["skip@99"]), "-o", "run.h5"], 2, "skip@99")  # said by the sweep alone
    assert not os.path.exists(path("run.h5"))


def another_job_on_a_result_file():
    """Which key, the old value and the new one."""
    file = path("mine.h5")
    lesion("sweep", job(generate=dict(max_new_tokens=4)), "-o", file)
    other_prompts = write_lines(path("other.jsonl"), [dict(id="a", domain="d", prompt="Once upon a day")])
    for keys, words in (
            (dict(generate=dict(max_new_tokens=5)), "'generate.max_new_tokens' is 4 there and 5 here"),
            (dict(generate=dict(max_new_tokens=4, temperature=0.5)), "'generate.temperature' is 0 there and 0.5 here"),
            (dict(lesions=["skip@1"]), "'lesions[0]' is \"skip@0\" there and \"skip@1\" here"),
            (dict(lesions=["skip@0", "skip@1"]), "'lesions[1]' is not set there and \"skip@1\" here"),
            (dict(measures=["nll"]), "'measures[0]' is \"kl\" there and \"nll\" here"),
            (dict(compute="int16"), "'compute' is \"auto\" there and \"int16\" here"),
            (dict(seed=3), "'seed' is 0 there and 3 here"),
            (dict(prompts=other_prompts), "'prompts_sha256' is "),
            (dict(prompts=other_prompts), "other.jsonl)"),
            (dict(model=os.path.join(MODELS, "stories260K-quant", "stories260K-Q8_0.gguf")), "stories260K-Q8_0.gguf)")):
        refused(["sweep", job(**dict(dict(generate=dict(max_new_tokens=4)), **keys)), "-o", file], 1, "mine.h5 is of another job", words)


def the_end_of_a_sweep():
    """Where the result is and what to do with it, on stderr."""
    file = path("end.h5")
    for command in ["sweep"], ["launch", "-n", "2"]:
        done = lesion(*command, job(), "-o", file)
        assert done.stderr.splitlines()[-1] == f"lesion: the result is in {file}; `lesion map {file}` shows what it says", done.stderr
        assert not done.stdout, done.stdout


def status_of_many_lesions():
    file = path("many.h5")
    lesion("sweep", job(lesions=[f"scale@{layer}:alpha=0.{i}" for layer in range(5) for i in range(1, 6)]), "-o", file)
    lines = lesion("status", file).stdout.splitlines()
    assert len(lines) == 3 and lines[1] == "25 of 25 lesions complete" and "--all" in lines[2], lines
    lines = lesion("status", file, "--all").stdout.splitlines()
    assert len(lines) == 27 and lines[2].endswith("scale@0:alpha=0.1"), lines


def status_of_an_unfinished_sweep():
    """Of many lesions the begun and the failed ones come first, and the list ends somewhere."""
    state = np.ones((60, 4), np.uint8)
    state[20:] = 0
    state[40, 0], state[3, 1] = 1, 2
    made_up.write(path("unfinished.h5"), {"kl_mean": np.zeros((60, 4))}, prompts=4, status=state)
    lines = lesion("status", path("unfinished.h5")).stdout.splitlines()
    assert lines[1] == "19 of 60 lesions complete", lines
    assert [line.split()[-1] for line in lines[2:4]] == ["failed)", "skip@40"], lines
    assert len(lines) == 24 and "21 more that are not complete" in lines[22] and "--all" in lines[23], lines
    assert len(lesion("status", path("unfinished.h5"), "--all").stdout.splitlines()) == 62


def measures_of_a_file():
    file = path("matrix.h5")
    lesion("sweep", job(lesions=["svd@0.mlp.down:rank=2", "svd@1.mlp.down:rank=2"], measures=["kl", "nll"]), "-o", file)
    for command in "map", "sensitivity":
        refused([command, file, "--measure", "foo"], 2, "'foo' is no measure of damage; the file has ", "delta_nll", "kl_mean")


def nothing_to_read():
    done = lesion("generate", MODEL, "--prompt", "", "-n", "2")
    assert "an empty text is given: the begin token stands alone" in done.stderr, done.stderr
    refused(["generate", MODEL, "--prompt", "", "--no-bos"], 1, "the text is empty", "give at least one token")
    refused(["score", MODEL, "--tokens", "1"], 1, "nothing to predict", "longer texts")


run_tests([commands, folders_that_are_not_there, another_job_on_a_result_file, the_end_of_a_sweep, measures_of_a_file, status_of_an_unfinished_sweep, status_of_many_lesions, nothing_to_read, models_that_are_not_there, folders_without_safetensors, keys_of_a_job, json_that_is_none, same_mistake_same_code])
