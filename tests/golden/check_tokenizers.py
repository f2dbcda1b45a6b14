#!/usr/bin/env python3
"""The vocabularies of real models: check_tokenizers.py LESION FOLDER NAME

FOLDER/NAME.gguf.gz is a vocabulary, NAME.gguf.inp holds texts and NAME.gguf.out llama.cpp's tokens of each. Every text
must have these tokens and come back from them; Llama 3's chat template and the refusal of an unknown pre-tokenizer are
tried where the vocabulary has them. Silence is a pass."""
import gzip
import json
import os
import subprocess
import sys
import tempfile


def run(program, *args, code=0):
    r = subprocess.run([program, "tokenize", *args], capture_output=True, text=True)
    if r.returncode != code:
        sys.exit(f"{' '.join(args)[:200]}: exit {r.returncode}: {r.stderr.strip()}")
    return r.stderr if code else [json.loads(line) for line in r.stdout.splitlines()]


def check_texts(program, model, texts, want):
    one_line = [(t, w) for t, w in zip(texts, want) if "\n" not in t and t]
    lines = "".join(t + "\n" for t, _ in one_line)
    path = model + ".txt"
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(lines)
    got = run(program, model, "--no-bos", "--lines", "--file", path)
    pairs = [(t, w, g["tokens"]) for (t, w), g in zip(one_line, got)]
    for t, w in zip(texts, want):
        if "\n" in t or not t:
            pairs.append((t, w, run(program, model, "--no-bos", "--text", t)[0]["tokens"]))
    for text, expected, tokens in pairs:
        if tokens != expected:
            yield f"{text!r}: {tokens}, not {expected}"
    if len(pairs) != len(texts):
        yield f"{len(pairs)} of {len(texts)} texts"
    text, _, tokens = max(pairs, key=lambda p: len(p[2]))
    back = run(program, model, "--decode", ",".join(map(str, tokens)))[0]["text"]
    if back != text:
        yield f"{text!r} came back as {back!r}"


def check_chat(program, model):
    text = "<|start_header_id|>user<|end_header_id|>\n\nHi <b>?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    if run(program, model, "--chat", "--text", "\n Hi <b>? ") != run(program, model, "--special", "--text", text):
        yield "--chat is not Llama 3's template"
    plain = run(program, model, "--chat", "--text", "<|eot_id|>")[0]["tokens"]
    if plain.count(128009) != 1:
        yield "a special token in a chat prompt counts without --special"


def check_unknown(program, model, data):
    with open(model, "wb") as f:
        f.write(data.replace(b"llama-bpe", b"llama-xyz"))
    message = run(program, model, "--text", "x", code=1)
    if "llama-xyz" not in message or "--tokens" not in message or message.count("\n") != 1:
        yield f"unknown pre-tokenizer: {message}"


def check(program, base):
    with gzip.open(base + ".gguf.gz") as f:
        data = f.read()
    with open(base + ".gguf.inp", encoding="utf-8", newline="") as f:
        texts = f.read().split("\n__ggml_vocab_test__\n")
    with open(base + ".gguf.out", encoding="utf-8") as f:
        want = [[int(i) for i in line.split()] for line in f.read().split("\n")]
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "vocabulary.gguf")
        with open(model, "wb") as f:
            f.write(data)
        yield from check_texts(program, model, texts[:-1], want)
        if b"llama-bpe" in data:
            yield from check_chat(program, model)
            yield from check_unknown(program, model, data)


if __name__ == "__main__":
    deviations = list(check(sys.argv[1], os.path.join(sys.argv[2], sys.argv[3])))
    print("\n".join(deviations), end="\n" if deviations else "")
    sys.exit(bool(deviations))
