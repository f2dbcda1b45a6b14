"""The vocabularies of real models: check_tokenizers.py LESION FOLDER NAME

FOLDER/NAME.gguf.gz is a vocabulary, NAME.gguf.inp holds texts and NAME.gguf.out llama.cpp's tokens of each. Every text
must have these tokens and come back from them; a chat template in the file and the refusal of an unknown pre-tokenizer
are tried where the vocabulary has what they need."""
import gzip
import json
import os

from harness.program import ARGS, complain, ids, lesion, path


def tokenize(*args):
    return [json.loads(line) for line in lesion("tokenize", *args).stdout.splitlines()]


def check_texts(model, texts, want):
    one_line = [(t, w) for t, w in zip(texts, want) if "\n" not in t and t]
    file = path("texts.txt")
    with open(file, "w", encoding="utf-8", newline="") as f:
        f.writelines(t + "\n" for t, _ in one_line)
    got = tokenize(model, "--no-bos", "--lines", "--file", file)
    pairs = [(t, w, g["tokens"]) for (t, w), g in zip(one_line, got, strict=True)]
    for t, w in zip(texts, want, strict=True):
        if "\n" in t or not t:
            pairs.append((t, w, tokenize(model, "--no-bos", "--text", t)[0]["tokens"]))
    for text, expected, tokens in pairs:
        if tokens != expected:
            yield f"{text!r}: {tokens}, not {expected}"
    if len(pairs) != len(texts):
        yield f"{len(pairs)} of {len(texts)} texts"
    text, _, tokens = max(pairs, key=lambda p: len(p[2]))
    back = tokenize(model, "--decode", ids(tokens))[0]["text"]
    if back != text:
        yield f"{text!r} came back as {back!r}"


TEMPLATE = """{{ bos_token }}{% for m in messages %}
{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content | trim + '<|eot_id|>' }}
{%- endfor %}
{% if add_generation_prompt %}
{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""


def with_template(data):
    """The file with one more key in front."""
    count = int.from_bytes(data[16:24], "little")
    def text(t):
        return len(t.encode()).to_bytes(8, "little") + t.encode()
    entry = text("tokenizer.chat_template") + (8).to_bytes(4, "little") + text(TEMPLATE)
    return data[:16] + (count + 1).to_bytes(8, "little") + entry + data[24:]


def check_chat(model, data):
    message = lesion("tokenize", model, "--chat", "--text", "x", code=1).stderr
    if "brings no chat template" not in message or message.count("\n") != 1:
        yield f"no chat template: {message}"
    with open(model, "wb") as f:
        f.write(with_template(data))
    turns = "<|start_header_id|>{}<|end_header_id|>\n\n{}<|eot_id|>"
    end = "<|start_header_id|>assistant<|end_header_id|>\n\n"
    text = turns.format("user", "Hi <b>?") + end
    if tokenize(model, "--chat", "--text", "\n Hi <b>? ") != tokenize(model, "--special", "--text", text):
        yield "--chat is not the file's template"
    text = turns.format("system", "Be brief.") + text
    if tokenize(model, "--chat", "--system", "Be brief.", "--text", "Hi <b>?") != tokenize(model, "--special", "--text", text):
        yield "--system is not a system message"
    special = tokenize(model, "--chat", "--text", "<|eot_id|>")[0]["tokens"]
    if special.count(128009) != 2:
        yield "a special token in a chat prompt does not count, as it does in transformers"


def check_unknown(model, data):
    with open(model, "wb") as f:
        f.write(data.replace(b"llama-bpe", b"llama-xyz"))
    message = lesion("tokenize", model, "--text", "x", code=1).stderr
    if "llama-xyz" not in message or "--tokens" not in message or message.count("\n") != 1:
        yield f"unknown pre-tokenizer: {message}"


def check(base):
    with gzip.open(base + ".gguf.gz") as f:
        data = f.read()
    with open(base + ".gguf.inp", encoding="utf-8", newline="") as f:
        texts = f.read().split("\n__ggml_vocab_test__\n")
    with open(base + ".gguf.out", encoding="utf-8") as f:
        want = [[int(i) for i in line.split()] for line in f.read().split("\n")][:-1]
    model = path("vocabulary.gguf")
    with open(model, "wb") as f:
        f.write(data)
    yield from check_texts(model, texts[:-1], want)
    if b"llama-bpe" in data:
        yield from check_chat(model, data)
        yield from check_unknown(model, data)


complain(check(os.path.join(*ARGS)))
