"""`lesion sensitivity`: planted pillars in a real sweep, and result files with known contents.
Usage: test_sensitivity.py LESION [TEST...]"""
import glob
import json
import os
import shutil
import struct
import sys
import tempfile
import unittest

import numpy as np

from harness import made_up
from harness.program import ARGS, MODELS, lesion, lesion_json, path, read_json, write_json, write_lines

PARTS = ["attn.q", "attn.k", "attn.v", "attn.o", "mlp.gate", "mlp.up", "mlp.down"]


def edit_tensor(folder, name, edit):
    """Passes an F32 matrix of the safetensors files of a folder through edit(array)."""
    for path in glob.glob(os.path.join(folder, "*.safetensors")):
        with open(path, "r+b") as f:
            n, = struct.unpack("<Q", f.read(8))
            entry = json.loads(f.read(n)).get(name)
            if not entry:
                continue
            assert entry["dtype"] == "F32"
            start, end = entry["data_offsets"]
            f.seek(8 + n + start)
            values = np.frombuffer(f.read(end - start), "<f4").reshape(entry["shape"])
            f.seek(8 + n + start)
            f.write(edit(values.copy()).astype("<f4").tobytes())
            return
    raise AssertionError(name + " is in no file")


def plant(folder, layer):
    """Makes mlp.down of a layer critical to low noise: half of its inputs are cut off (their rows of mlp.gate and mlp.up
    are 0), and the columns that they would meet are huge. The intact model does not see them; but noise is relative
    to the size of the whole matrix, and a truncated SVD spends its ranks on them."""
    def cut_off(w):
        w[:len(w) // 2] = 0
        return w

    def enlarge(down):
        half = down.shape[1] // 2
        down[:, :half] = np.random.default_rng(3).normal(0, 100 * down.std(), (down.shape[0], half))
        down[:, half:] *= 8
        return down
    edit_tensor(folder, f"model.layers.{layer}.mlp.gate_proj.weight", cut_off)
    edit_tensor(folder, f"model.layers.{layer}.mlp.up_proj.weight", cut_off)
    edit_tensor(folder, f"model.layers.{layer}.mlp.down_proj.weight", enlarge)


class Planted(unittest.TestCase):
    def test_pillar_is_first_by_svd_and_by_noise(self):
        model = path("model")
        shutil.copytree(os.path.join(MODELS, "tiny-llama3"), model)
        plant(model, 2)
        texts = ["The sun is up", "One and one make", "A dog and a cat", "We went home", "If it rains", "She said hello",
                 "Numbers: 1 2 3", "print(x)", "The end", "Once upon a time", "My name is", "Blue and red", "Go to sleep"]
        write_lines(path("prompts.jsonl"), ({"id": f"p{i}", "domain": "d", "prompt": t} for i, t in enumerate(texts)))
        lesion("sweep", write_json(path("job.json"), {
            "model": "model", "prompts": "prompts.jsonl", "measures": ["kl"], "output": "run.h5",
            "lesions": [f"svd@each.{p}:keep=0.9" for p in PARTS] + [f"noise@each.{p}:sigma=0.02" for p in PARTS]}))
        doc = lesion_json("sensitivity", path("run.h5"))
        self.assertEqual([k["operation"] for k in doc["rankings"]], ["svd", "noise"])
        for k in doc["rankings"]:
            first = k["ranking"][0]
            self.assertEqual((first["layer"], first["matrix"], first["verdict"]), (2, "mlp.down", "pillar"))
        verdicts = {(m["layer"], m["matrix"]): m["verdict"] for m in doc["matrices"]}
        self.assertEqual(verdicts[2, "mlp.down"], "pillar")


class Rankings(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "run.h5")

    def tearDown(self):
        self.folder.cleanup()

    def write(self, means, architecture="llama", **extra):
        """Two doses of svd on mlp.down and attn.q of three layers; means[layer][matrix]."""
        specs, layers, rows = [], [], []
        for dose, factor in (("keep=0.5", 0.5), ("keep=0.1", 1.5)):
            for m, matrix in enumerate(("mlp.down", "attn.q")):
                for layer in range(3):
                    specs.append(f"svd@{layer}.{matrix}:{dose}")
                    layers.append(layer)
                    rows.append(means[layer][m] * factor)
        values = np.abs(made_up.profile(rows, 40, 0.01))
        made_up.write(self.path, {"kl_mean": values, **extra}, specs, layers, prompts=40, n_layers=3,
                         architecture=architecture)
        return values

    def test_smallest_set_that_carries_the_share(self):
        values = self.write([[6, 1], [3, 1], [1, 0.5]])
        for share, pillars in ((0.4, 1), (0.6, 2), (0.95, 5)):
            doc = lesion_json("sensitivity", self.path, "--share", str(share))
            ranking, = doc["rankings"]
            self.assertEqual(ranking["pillars"], pillars)
            self.assertEqual([m["verdict"] for m in ranking["ranking"]],
                             ["pillar"] * pillars + ["robust"] * (6 - pillars))
        first, second = ranking["ranking"][:2]
        self.assertEqual([(m["layer"], m["matrix"]) for m in (first, second)], [(0, "mlp.down"), (1, "mlp.down")])
        stored = values.astype(np.float32).astype(float)
        self.assertAlmostEqual(first["damage"], (stored[0] + stored[6]).mean() / 2, places=7)
        self.assertAlmostEqual(ranking["ranking"][-1]["cumulative"], 1)

    def test_what_is_lost_counts_as_the_worst(self):
        values = self.write([[1, 1], [3, 1], [1, 1]])
        values[0, :] = np.nan  # svd@0.mlp.down:keep=0.5
        made_up.write(self.path, {"kl_mean": values},
                         [f"svd@{i % 3}.{('mlp.down', 'attn.q')[i // 3 % 2]}:keep={(0.5, 0.1)[i // 6]}" for i in range(12)],
                         [i % 3 for i in range(12)], prompts=40, n_layers=3)
        doc = lesion_json("sensitivity", self.path)
        first = doc["rankings"][0]["ranking"]
        self.assertIn((0, "mlp.down"), [(m["layer"], m["matrix"]) for m in first[:2]])

    def test_freeze_list(self):
        self.write([[6, 5], [3, 0.1], [0.1, 0.1]])
        freeze = os.path.join(self.folder.name, "freeze.json")
        lesion("sensitivity", self.path, "--json", "--freeze", freeze, "--share", "0.8")
        doc = read_json(freeze)
        self.assertEqual(doc["frozen_layers"], [0])
        self.assertEqual(doc["frozen"], ["model.layers.0.self_attn.q_proj", "model.layers.0.mlp.down_proj",
                                         "model.layers.1.mlp.down_proj"])
        self.assertEqual(doc["peft"], {"target_modules": ["model.layers.1.self_attn.q_proj",
                                                          "model.layers.2.self_attn.q_proj",
                                                          "model.layers.2.mlp.down_proj"],
                                       "layers_to_transform": [1, 2]})

    def test_fused_matrices_freeze_together(self):
        self.write([[0.1, 5], [0.1, 0.1], [0.1, 0.1]], architecture="gpt2")
        freeze = os.path.join(self.folder.name, "freeze.json")
        lesion("sensitivity", self.path, "--json", "--freeze", freeze)
        self.assertEqual(read_json(freeze)["frozen"], ["transformer.h.0.attn.c_attn"])

    def test_few_prompts_make_no_pillars(self):
        specs = [f"svd@{i}.mlp.down:keep=0.5" for i in range(3)]
        freeze = os.path.join(self.folder.name, "freeze.json")
        made_up.write(self.path, {"kl_mean": np.abs(made_up.profile([6, 3, 1], 4, 0.01))}, specs, [0, 1, 2], prompts=4)
        r = lesion("sensitivity", self.path, "--output", os.path.join(self.folder.name, "s.json"), "--freeze", freeze)
        self.assertIn("takes 7 prompts or more", r.stdout)  # 3 x 2 / 2^7 is below 0.05
        doc = read_json(freeze)
        self.assertEqual((doc["prompts"], doc["supported"], doc["frozen"]), (4, False, []))
        ranking, = read_json(os.path.join(self.folder.name, "s.json"))["rankings"]
        self.assertEqual((ranking["pillars"], ranking["prompts"], ranking["prompts_needed"]), (0, 4, 7))
        self.assertIsNone(ranking["ranking"][0]["p_holm"])

    def test_shares_are_those_of_the_pillars(self):
        self.write([[6, 1], [3, 1], [1, 0.5]])
        text = lesion("sensitivity", self.path, "--output", os.path.join(self.folder.name, "s.json"), "--freeze",
                      os.path.join(self.folder.name, "f.json")).stdout
        self.assertIn("2 of them (33.3 %) are pillars", text)
        self.assertIn("2 of 6 matrices (33.3 %) carry 72.0 % of the damage", text)
        ranking, = read_json(os.path.join(self.folder.name, "s.json"))["rankings"]
        self.assertAlmostEqual(ranking["carried"], sum(m["share"] for m in ranking["ranking"] if m["verdict"] == "pillar"))

    def test_failed_cells_count_as_the_worst(self):
        specs = [f"svd@{i}.mlp.down:keep=0.5" for i in range(3)]
        values, status = np.abs(made_up.profile([1, 3, 2], 40, 0.01)), np.ones((3, 40), np.uint8)
        values[0], status[0] = np.nan, 2
        made_up.write(self.path, {"kl_mean": values}, specs, [0, 1, 2], prompts=40, status=status)
        first = lesion_json("sensitivity", self.path)["rankings"][0]["ranking"][0]
        self.assertEqual((first["layer"], first["n"]), (0, 40))

    def test_files_of_the_users_own_are_left_alone(self):
        self.write([[6, 1], [3, 1], [1, 0.5]])
        name = os.path.join(self.folder.name, "freeze_list.json")
        with open(name, "w") as f:
            f.write("mine")
        r = lesion("sensitivity", self.path, code=1, cwd=self.folder.name)
        self.assertIn("pillar", r.stdout)
        self.assertIn("freeze_list.json", r.stderr)
        with open(name) as f:
            self.assertEqual(f.read(), "mine")
        lesion("sensitivity", self.path, "--force", cwd=self.folder.name)

    def test_no_lesion_of_a_matrix(self):
        made_up.write(self.path, {"kl_mean": made_up.profile([1, 2])}, ["skip@0", "skip@1.attn"], [0, 1])
        self.assertIn("no lesion of a single matrix", lesion("sensitivity", self.path, code=1).stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *ARGS])
