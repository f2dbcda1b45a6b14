"""lesion inspect and lesion synth on the command line: what they print, and how they fail."""
import json
import os

from harness.program import DATA, LESION, complain, path, run as run_program

failures = []


def check(what, good):
    if not good:
        failures.append(what)


def run(*args, code=0):
    done = run_program([LESION, *args])
    check(f"{' '.join(args)}: exit {done.returncode}, not {code}: {done.stderr}", done.returncode == code)
    check(f"{' '.join(args)}: {done.stderr.count(chr(10))} lines on stderr", code == 2 or done.stderr.count("\n") == (code != 0))
    return done


small = path("small.gguf")

doc = json.loads(run("inspect", "--json", f"{DATA}/models/stories260K/stories260K.gguf").stdout)
check("a model that can be run is supported", doc["supported"] and "problem" not in doc)
check("its digest", doc["sha256"] == "3775d1f038780ae5a88c616dba9ffaaf7dc77a44f2c29a626e492d0fcb6176f4")
check("its digest is kept", len(os.listdir(path("lesion"))) == 1)
check("its sizes", doc["shape"]["layers"] == 5 and doc["parameters"] == 260032 and doc["bytes"] == 4 * 260032)
check("its tensors", {"name": "blk.0.ffn_up.weight", "type": "F32", "shape": [172, 64], "supported": True} in doc["tensors"])
check("its sites", doc["sites"] == {"parts": ["attn", "mlp", "attn.q", "attn.k", "attn.v", "attn.o", "mlp.gate", "mlp.up",
                                              "mlp.down"], "layers": 5, "heads": 8})
text = run("inspect", "--no-tensors", f"{DATA}/models/tiny-gpt2").stdout
check("GPT-2 has no gate", "mlp.up" in text and "mlp.gate" not in text)

# a model that cannot be run is described, and what is wrong is named
whole = open(f"{DATA}/fuzz/gguf/llama.gguf", "rb").read()
for old, new, word in ((b"\5\0\0\0\0\0\0\0llama", b"\5\0\0\0\0\0\0\0mamba", "architecture 'mamba' is not supported"),
                       (b"blk.0.ffn_up.weight", b"blk.0.ffn_xx.weight", "tensor 'blk.0.ffn_up.weight' is missing")):
    check(f"the file holds {old}", whole.count(old) >= 1)
    open(small, "wb").write(whole.replace(old, new, 1))
    done = run("inspect", small, code=1)
    check(f"{word} is said", word in done.stderr)
    check("its tensors are listed", "blk.0.attn_q.weight" in done.stdout)
    doc = json.loads(run("inspect", "--json", small, code=1).stdout)
    check(f"{word} is in the document", not doc["supported"] and word in doc["problem"] and len(doc["tensors"]) == 11)
run("inspect", path("none.gguf"), code=1)
run("inspect", code=2)

run("synth", "--layers", "2", "--type", "q8_0", "--vocab-size", "300", small)
doc = json.loads(run("inspect", "--json", small).stdout)
check("synth writes what was asked for", doc["shape"]["layers"] == 2 and doc["shape"]["vocabulary"] == 300 and doc["tokenizer"])
run("synth", "--like", "gemma-3-12b", "--type", "Q8_0", "--vocab-size", "1000", "--sparse", small)
doc = json.loads(run("inspect", "--json", "--no-sha256", small).stdout)
check("a sparse model has its full size", os.path.getsize(small) > 11e9 > os.stat(small).st_blocks * 512 * 100)
check("a sparse model has its shape", doc["shape"]["layers"] == 48 and 10.7e9 < doc["parameters"] < 10.8e9)
for wrong in (["--like", "none"], ["--type", "Q9"], ["--heads", "3"], ["--type", "Q4_K"], ["--arch", "gptneo"], ["--layers", "0"]):
    run("synth", *wrong, small, code=2)

complain(failures)
