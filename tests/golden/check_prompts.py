"""Properties of a prompt suite: check_prompts.py LESION VOCABULARY SUITE.jsonl

Every prompt is an object of known fields with an id of its own that begins with its domain; a suite has ten domains of
one size; no two prompts are alike (normalised edit distance above 0.3); each is under 80 tokens of the vocabulary (Llama
3's, as .gguf or .gguf.gz); half of them have an answer that the prompt does not end with; words are known to aspell or
to words.txt."""
import collections
import gzip
import json
import os
import shutil

from harness.program import ARGS, complain, lesion, path, run

DOMAINS = "arithmetic logic syntax facts reasoning context code creative comparison memory".split()
MOST_TOKENS = 79
LEAST_DISTANCE = 0.3
WORDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "words.txt")


def check_form(prompts):
    for p in prompts:
        if set(p) - {"answer"} != {"id", "domain", "prompt"} or not all(isinstance(v, str) and v for v in p.values()):
            yield f"{p.get('id')}: other fields than id, domain, prompt and answer, or no strings"
        elif not p["id"].startswith(p["domain"] + "-"):
            yield f"{p['id']}: does not begin with its domain, {p['domain']}"
        elif p["prompt"] != p["prompt"].lstrip() or p["prompt"].endswith(" "):
            yield f"{p['id']}: white space around the prompt"
    for name, n in collections.Counter(p["id"] for p in prompts).items():
        if n > 1:
            yield f"{name}: {n} prompts of that id"


def check_shape(prompts):
    sizes = collections.Counter(p["domain"] for p in prompts)
    if sorted(sizes) != sorted(DOMAINS) or len(set(sizes.values())) > 1:
        yield f"not ten domains of one size: {dict(sizes)}"
    answers = [p for p in prompts if "answer" in p]
    if 2 * len(answers) < len(prompts):
        yield f"only {len(answers)} of {len(prompts)} prompts have an answer"
    for p in answers:
        if p["prompt"].lower().endswith(p["answer"].lower()):
            yield f"{p['id']}: gives its answer away"


def distance_within(a, b, most):
    """Levenshtein distance if it is at most `most`, else something larger."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
        if min(row) > most:
            break
    return min(row) if min(row) > most else row[-1]


def check_alike(prompts):
    letters = [collections.Counter(p["prompt"]) for p in prompts]
    for i, p in enumerate(prompts):
        for j, q in enumerate(prompts[:i]):
            longer = max(len(p["prompt"]), len(q["prompt"]))
            most = int(LEAST_DISTANCE * longer)
            # letters that have no partner in the other text cost an edit each
            if longer - sum((letters[i] & letters[j]).values()) > most:
                continue
            if distance_within(p["prompt"], q["prompt"], most) <= most:
                yield f"{q['id']} and {p['id']} are alike: {p['prompt']!r}"


def count_tokens(vocabulary, *text):
    """The number of tokens of each document."""
    lines = lesion("tokenize", vocabulary, "--no-bos", *text).stdout.splitlines()
    return [len(json.loads(line)["tokens"]) for line in lines]


def check_length(prompts, vocabulary):
    long = [p for p in prompts if len(p["prompt"].encode()) > MOST_TOKENS]  # a token is a byte at least
    lines = [p for p in long if "\n" not in p["prompt"]]
    with open(path("prompts.txt"), "w", encoding="utf-8") as file:
        file.writelines(p["prompt"] + "\n" for p in lines)
    counts = dict(zip((p["id"] for p in lines), count_tokens(vocabulary, "--file", path("prompts.txt"), "--lines"), strict=True))
    for p in long:
        n = counts.get(p["id"]) or count_tokens(vocabulary, "--text", p["prompt"])[0]
        if n > MOST_TOKENS:
            yield f"{p['id']}: {n} tokens"


def check_spelling(prompts):
    text = "\n".join(p["prompt"] for p in prompts)
    known = set(open(WORDS, encoding="utf-8").read().split())
    result = run(["aspell", "list", "--lang=en_US"], input=text)
    if result.returncode:
        yield f"aspell: exit {result.returncode}: {result.stderr}"
    for word in sorted(set(result.stdout.split()) - known):
        yield f"not a known word: {word}"


def unpacked(vocabulary):
    if not vocabulary.endswith(".gz"):
        return vocabulary
    with gzip.open(vocabulary) as packed, open(path("vocabulary.gguf"), "wb") as file:
        shutil.copyfileobj(packed, file)
    return path("vocabulary.gguf")


def deviations(vocabulary, suite):
    with open(suite, encoding="utf-8") as file:
        prompts = [json.loads(line) for line in file]
    yield from [*check_form(prompts)] or [*check_shape(prompts), *check_alike(prompts), *check_spelling(prompts)]
    yield from check_length(prompts, unpacked(vocabulary))


complain(deviations(*ARGS))
