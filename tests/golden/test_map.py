"""`lesion map` on result files with known contents. Usage: test_map.py LESION [TEST...]"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np

from harness import made_up
from harness.program import ARGS, ENV, LESION, lesion


class Map(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "run.h5")
        self.output = os.path.join(self.folder.name, "map.json")

    def tearDown(self):
        self.folder.cleanup()

    def map(self, *args):
        r = lesion("map", self.path, "--output", self.output, *args)
        with open(self.output) as f:
            return json.load(f), r.stdout

    def test_means_hierarchy_and_domains(self):
        values = made_up.profile([0.9, 0.3, 0.5])
        made_up.write(self.path, {"jaccard": values})
        m, text = self.map()
        self.assertEqual((m["format"], m["version"]), ("lesion-map", 1))
        self.assertEqual(m["model"], {"name": "tiny", "sha256": "0" * 64, "architecture": "llama", "layers": 3})
        self.assertEqual((m["run"]["prompts"], m["run"]["max_new_tokens"], m["run"]["measure"]), (12, 4, "jaccard"))
        self.assertEqual(m["hierarchy"], [0, 2, 1])
        stored = values.astype(np.float32).astype(float)
        for i, entry in enumerate(m["layers"]):
            self.assertEqual((entry["layer"], entry["lesion"]), (i, f"skip@{i}"))
            self.assertAlmostEqual(entry["mean"], stored[i].mean(), places=8)
            low, high = entry["ci95"]
            self.assertTrue(low < entry["mean"] < high)
            for k, domain in enumerate(made_up.DOMAINS):
                part = entry["domains"][domain]
                self.assertEqual(part["n"], 4)
                self.assertAlmostEqual(part["mean"], stored[i][k::3].mean(), places=8)
        for k, domain in enumerate(made_up.DOMAINS):
            means = stored[:, k::3].mean(axis=1)
            self.assertEqual(m["domains"][domain]["ranked_layers"], list(np.argsort(-means)))
            self.assertAlmostEqual(m["domains"][domain]["mean"], means.mean(), places=8)
        self.assertIn("3 layers", text)
        self.assertNotIn("NOT FINISHED", text)

    def test_floor_of_sampling(self):
        values = made_up.profile([0.9, 0.3, 0.5, 0.3, 0.31], prompts=60)
        lesions = ["skip@0", "skip@1", "skip@2", "none:seed=1", "none:seed=2"]
        made_up.write(self.path, {"jaccard": values}, prompts=60, lesions=lesions, layers=[0, 1, 2, -1, -1], n_layers=3)
        m, text = self.map()
        stored = values.astype(np.float32).astype(float)
        self.assertAlmostEqual(m["floor"]["mean"], stored[3:].mean(), places=8)
        low, high = m["floor"]["ci95"]
        bounds = [m["layers"][i]["ci95"] for i in (3, 4)]
        self.assertEqual((low, high), (min(b[0] for b in bounds), max(b[1] for b in bounds)))
        self.assertEqual(m["floor"]["controls"], lesions[3:])
        self.assertEqual(m["floor"]["layers_not_above"], [1])
        self.assertIn("(the intact model with 2 other seeds)\nnot told apart from it: layer 1\n", text)
        self.assertEqual(m["hierarchy"], [0, 2, 1])
        self.assertNotIn("samples", m["run"])

    def test_samples_of_a_prompt_are_one_observation(self):
        values = made_up.profile([0.9, 0.3], prompts=36)
        made_up.write(self.path, {"jaccard": values}, prompts=36, samples=3)
        m, text = self.map()
        self.assertEqual(m["run"]["samples"], 3)
        self.assertIn("3 samples of each prompt, averaged", text)
        means = values.astype(np.float32).astype(float).reshape(2, 12, 3).mean(axis=2)
        made_up.write(self.path, {"jaccard": means}, prompts=12)
        averaged, _ = self.map()
        for sampled, single in zip(m["layers"], averaged["layers"]):
            self.assertEqual((sampled["n"], sampled["lost"]), (12, 0))
            self.assertAlmostEqual(sampled["mean"], single["mean"], places=6)
            np.testing.assert_allclose(sampled["ci95"], single["ci95"], atol=1e-6)

    def test_without_a_control_there_is_no_floor(self):
        made_up.write(self.path, {"jaccard": made_up.profile([0.9, 0.3])}, lesions=["skip@0", "none"], layers=[0, -1])
        m, text = self.map()
        self.assertNotIn("floor", m)
        self.assertNotIn("floor", text)

    def test_interval_is_the_studentised_bootstrap(self):
        values = np.random.default_rng(2).lognormal(0, 1, (1, 40))
        made_up.write(self.path, {"kl_mean": values}, prompts=40)
        m, _ = self.map()
        x = values[0].astype(np.float32).astype(float)
        draws = x[np.random.default_rng(5).integers(0, 40, (40000, 40))]
        t = (draws.mean(axis=1) - x.mean()) / draws.std(axis=1)
        expected = x.mean() - np.quantile(t, [0.975, 0.025]) * x.std()
        # two bootstraps of one sample differ by chance: about 2 % of the width at these sizes
        width = expected[1] - expected[0]
        self.assertTrue(np.allclose(m["layers"][0]["ci95"], expected, atol=0.08 * width), (m["layers"][0], expected))
        self.assertGreater(expected[1] - x.mean(), 1.3 * (x.mean() - expected[0]))  # it follows the skew

    def test_intervals_stay_within_the_range_of_the_measure(self):
        values = np.minimum(1, np.abs(made_up.profile([0.97, 0.02], 8, 0.05)))
        made_up.write(self.path, {"jaccard": values}, prompts=8)
        for entry in self.map()[0]["layers"]:
            self.assertTrue(0 <= entry["ci95"][0] < entry["mean"] < entry["ci95"][1] <= 1, entry)

    def test_few_values_have_no_interval(self):
        made_up.write(self.path, {"jaccard": made_up.profile([0.9, 0.3], 4)}, prompts=4)
        m, text = self.map()
        self.assertEqual([e["ci95"] for e in m["layers"]], [[None, None]] * 2)
        self.assertIsNone(m["layers"][0]["damage_upper"])
        self.assertIn("too few prompts", text)

    def test_equal_results_give_equal_bytes(self):
        values = made_up.profile([0.9, 0.3, 0.5])
        maps = []
        for name in "ab":
            path = os.path.join(self.folder.name, name + ".h5")
            made_up.write(path, {"jaccard": values})
            with h5py.File(path, "a") as f:
                f.attrs["cells_computed"] = np.int64(ord(name))  # attributes may differ
            maps.append(lesion("map", path, "--json").stdout)
        self.assertEqual(maps[0], maps[1])

    def test_result_sha256_sees_values_shapes_types_and_names(self):
        digests = set()
        for change in (lambda f: None,
                       lambda f: f["cells/jaccard"].write_direct(np.zeros((3, 12), np.float32)),
                       lambda f: f.create_dataset("extra", data=np.zeros(2, np.int32)),
                       lambda f: f.create_dataset("extra", data=np.zeros((2, 1), np.int32)),
                       lambda f: f.create_dataset("extra", data=np.zeros(2, np.float32)),
                       lambda f: f.create_dataset("extrb", data=np.zeros(2, np.float32))):
            made_up.write(self.path, {"jaccard": made_up.profile([0.9, 0.3, 0.5])})
            with h5py.File(self.path, "a") as f:
                change(f)
            digests.add(self.map()[0]["run"]["result_sha256"])
        self.assertEqual(len(digests), 6)

    def test_zones_follow_the_profile(self):
        means = [0.95] * 3 + [0.2] * 8 + [0.6] * 5
        made_up.write(self.path, {"jaccard": made_up.profile(means, 60, 0.05)}, prompts=60)
        m, _ = self.map()
        self.assertEqual([(z["name"], z["first"], z["last"]) for z in m["zones"]],
                         [("critical", 0, 2), ("low", 3, 10), ("active", 11, 15)])
        self.assertEqual([e["zone"] for e in m["layers"]], ["critical"] * 3 + ["low"] * 8 + ["active"] * 5)

    def test_a_flat_profile_is_one_zone(self):
        made_up.write(self.path, {"jaccard": made_up.profile([0.5] * 12, 60, 0.2)}, prompts=60)
        m, _ = self.map()
        self.assertEqual(len(m["zones"]), 1)

    def test_measure_that_falls_with_damage(self):
        values = made_up.profile([0.1, 0.9, 0.5], spread=0.02)
        made_up.write(self.path, {"top1_agreement": values})
        m, _ = self.map("--measure", "top1_agreement")
        self.assertEqual(m["hierarchy"], [0, 2, 1])

    def test_unfinished_sweep(self):
        status = np.ones((3, 12), np.uint8)
        status[1, 6:] = 0
        status[2, :] = 0
        status[0, 3] = 2
        values = made_up.profile([0.9, 0.3, 0.5])
        values[status != 1] = np.nan
        made_up.write(self.path, {"jaccard": values}, status=status)
        m, text = self.map()
        self.assertEqual(m["run"]["cells"], {"total": 36, "done": 17, "failed": 1})
        self.assertEqual([e["n"] for e in m["layers"]], [12, 6, 0])
        self.assertEqual([e["lost"] for e in m["layers"]], [1, 0, 0])
        self.assertIsNone(m["layers"][2]["mean"])
        self.assertEqual(m["layers"][2]["ci95"], [None, None])
        self.assertEqual(m["hierarchy"], [0, 1])
        self.assertIn("NOT FINISHED: 17 of 36", text)

    def test_lost_cells_count_as_the_worst(self):
        values = made_up.profile([0.3, 0.5, 0.9], 12, 0.01)
        status = np.ones((3, 12), np.uint8)
        values[0, 2] = np.nan
        values[0, 4] = np.inf
        values[0, 6] = np.nan
        status[0, 6] = 2  # failed
        for measure, worst in (("jaccard", 1), ("kl_mean", np.nanmax(values[np.isfinite(values)]))):
            made_up.write(self.path, {measure: values}, status=status)
            m, text = self.map()
            filled = values[0].copy()
            filled[[2, 4, 6]] = worst
            self.assertEqual((m["layers"][0]["n"], m["layers"][0]["lost"]), (12, 3))
            self.assertAlmostEqual(m["layers"][0]["mean"], filled.mean(), places=6)
            self.assertIn("(3 of 12 lost)", text)
            self.assertIn("3 are lost", text)

    def test_a_layer_that_breaks_the_model_is_the_most_critical(self):
        for broken in ("nan", "failed", "in part"):
            values = np.full((4, 120), 0.01) + np.abs(made_up.profile([0] * 4, 120, 0.001))
            status = np.ones((4, 120), np.uint8)
            where = slice(0, 3) if broken == "in part" else slice(None)
            values[2, where] = np.nan
            status[2, where] = 2 if broken == "failed" else 1
            made_up.write(self.path, {"jaccard": values}, prompts=120, status=status)
            m, _ = self.map()
            self.assertEqual(m["hierarchy"][0], 2)
            self.assertEqual(m["verdict"]["most_critical"]["layer"], 2)
            self.assertEqual(sorted(m["verdict"]["removal_candidates"]), [0, 1, 3])
            self.assertNotIn(2, self.map("--margin", "100")[0]["verdict"]["removal_candidates"])

    def test_prompts_without_the_measure_are_not_lost(self):
        values = np.array([[1, 0, np.nan, np.nan] * 3] * 2, float)
        status = np.ones((2, 12), np.uint8)
        status[0, 2] = 2
        made_up.write(self.path, {"acc": values}, status=status, baseline={"acc": values[0]})
        m, _ = self.map("--measure", "acc")
        self.assertEqual([(e["n"], e["lost"]) for e in m["layers"]], [(6, 0)] * 2)

    def test_families(self):
        specs = ["skip@0", "skip@1", "skip@0.attn", "skip@1.attn", "skip@0,1.attn", "none"]
        values = made_up.profile([0.9, 0.3, 0.2, 0.6, 0.7, 0.0], spread=0.01)
        made_up.write(self.path, {"jaccard": values}, specs, [0, 1, 0, 1, -1, -1], n_layers=2)
        m, _ = self.map()
        self.assertEqual((m["run"]["lesions"], m["hierarchy"]), ("skip@each", [0, 1]))
        m, text = self.map("--lesions", "skip@each.attn")
        self.assertEqual((m["run"]["lesions"], m["hierarchy"]), ("skip@each.attn", [1, 0]))
        self.assertEqual(len(m["layers"]), 6)
        self.assertEqual([e["zone"] for e in m["layers"]], [None, None, "active", "active", None, None])
        self.assertIn("skip@0,1.attn", text)
        r = lesion("map", self.path, "--lesions", "skip@each.mlp", code=2)
        self.assertIn("skip@each.mlp", r.stderr)

    def test_layers_of_ten_and_more_are_their_own_family(self):
        specs = [f"skip@{i}+scale@{i}.mlp:alpha=0.5" for i in range(12)]
        made_up.write(self.path, {"jaccard": made_up.profile([0.5] * 12)}, specs)
        m, _ = self.map()
        self.assertEqual(m["run"]["lesions"], "skip@each+scale@each.mlp:alpha=0.5")
        self.assertEqual(len(m["hierarchy"]), 12)

    def test_layers_that_are_told_apart(self):
        values = made_up.profile([0.9, 0.3, 0.5, 0.3], 60, 0.05)
        made_up.write(self.path, {"jaccard": values}, prompts=60)
        m, text = self.map()
        v = m["verdict"]
        self.assertEqual(v["most_critical"], {"layer": 0, "not_told_apart_from": []})
        self.assertEqual({v["least_critical"]["layer"], *v["least_critical"]["not_told_apart_from"]}, {1, 3})
        self.assertEqual([(c["more"], c["less"]) for c in v["hierarchy"]], list(zip(m["hierarchy"], m["hierarchy"][1:])))
        stored = values.astype(np.float32).astype(float)
        first, last = v["hierarchy"][0], v["hierarchy"][-1]
        difference = stored[0] - stored[2]
        self.assertAlmostEqual(first["difference"], difference.mean(), places=8)
        self.assertAlmostEqual(first["standard_error"], difference.std(ddof=1) / 60 ** 0.5, places=8)
        self.assertAlmostEqual(first["p_bonferroni"], 6 * first["p"], places=8)  # of all pairs of four layers
        self.assertTrue(first["told_apart"] and not last["told_apart"])
        self.assertTrue(first["p_bonferroni"] < 0.05 < last["p_bonferroni"])
        self.assertIn("most critical: layer 0", text)
        self.assertIn("the order of layers", text)

    def test_p_is_that_of_all_assignments_of_signs(self):
        values = made_up.profile([0.5, 0.47], 14, 0.05)
        values[0, 3] = values[1, 3]  # a pair without a difference says nothing
        made_up.write(self.path, {"jaccard": values}, prompts=14)
        pair, = self.map()[0]["verdict"]["hierarchy"]
        d = np.diff(values.astype(np.float32).astype(float), axis=0)[0]
        signs = 1 - 2 * (np.arange(2 ** 14)[:, None] >> np.arange(14) & 1)
        self.assertAlmostEqual(pair["p"], np.mean(np.abs(signs @ d) >= abs(d.sum()) - 1e-12), places=8)

    def test_the_same_pair_is_judged_alike_everywhere(self):
        rng = np.random.default_rng(3)
        for prompts in (20, 60):
            for _ in range(5):
                values = rng.normal(np.linspace(0.3, 0.4, 6)[:, None], 0.06, (6, prompts))
                made_up.write(self.path, {"jaccard": values}, prompts=prompts)
                v = self.map()[0]["verdict"]
                for end, pair, key in ((v["most_critical"], v["hierarchy"][0], "less"),
                                       (v["least_critical"], v["hierarchy"][-1], "more")):
                    self.assertEqual(pair["told_apart"], pair[key] not in end["not_told_apart_from"])

    def test_domains_are_part_of_the_family(self):
        made_up.write(self.path, {"jaccard": made_up.profile([0.9, 0.5, 0.1], 60, 0.3)}, prompts=60)
        for pair in self.map()[0]["verdict"]["domains"].values():
            self.assertAlmostEqual(pair["p_bonferroni"], min(1, pair["p"] * 3 * 3), places=8)  # pairs x domains

    def test_lesions_of_several_layers_are_one_family(self):
        specs = ["skip@0", "skip@1"] + [f"skip@0-{i}" for i in range(1, 9)]
        acc = np.ones((10, 40))
        acc[2, :8] = 0  # p = 2 / 2^8
        made_up.write(self.path, {"acc": acc}, specs, [0, 1] + [-1] * 8, prompts=40, n_layers=9,
                      baseline={"acc": np.ones(40)})
        m, _ = self.map("--measure", "acc")
        entry = m["layers"][2]
        self.assertAlmostEqual(entry["accuracy"]["mcnemar_p_holm"], 8 * 2 / 2 ** 8, places=8)
        self.assertIsNone(m["layers"][3]["versus_intact"]["p"])  # no pair differs
        self.assertIsNone(entry["versus_intact"]["p"])  # 8 x 2 / 2^8 cannot be significant
        acc[2, :14] = 0
        made_up.write(self.path, {"acc": acc}, specs, [0, 1] + [-1] * 8, prompts=40, n_layers=9,
                      baseline={"acc": np.ones(40)})
        versus = self.map("--measure", "acc")[0]["layers"][2]["versus_intact"]
        self.assertAlmostEqual(versus["p"], 2 / 2 ** 14, places=9)
        self.assertAlmostEqual(versus["p_holm"], 8 * 2 / 2 ** 14, places=8)

    def test_layers_that_are_all_alike(self):
        values = np.tile(made_up.profile([0.5], 60), (3, 1)) + made_up.profile([0, 0, 0], 60, 0.01)
        made_up.write(self.path, {"jaccard": values}, prompts=60)
        m, text = self.map()
        self.assertEqual(m["verdict"]["removal_candidates"], [])
        self.assertIn("candidates for removal: none", text)

    def test_candidates_do_less_damage_than_the_margin(self):
        values = np.abs(made_up.profile([0.9, 0.03, 0.3, 0.05], 120, 0.02))
        made_up.write(self.path, {"jaccard": values}, prompts=120)
        m, text = self.map()
        self.assertEqual((m["verdict"]["removal_margin"], m["verdict"]["removal_candidates"]), (0.1, [1, 3]))
        self.assertIn("candidates for removal: 1, 3 (damage below 0.1", text)
        self.assertTrue(0.05 < m["layers"][3]["damage_upper"] < 0.1)
        self.assertEqual(self.map("--margin", "0.01")[0]["verdict"]["removal_candidates"], [])
        self.assertEqual(self.map("--margin", "0.5")[0]["verdict"]["removal_candidates"], [1, 3, 2])

    def test_fewer_prompts_give_fewer_candidates(self):
        rng = np.random.default_rng(8)
        values = np.clip(rng.exponential(np.linspace(0.02, 0.12, 12)[:, None], (12, 200)), 0, 1)
        numbers = []
        for prompts in (4, 6, 12, 25, 50, 100, 200):
            made_up.write(self.path, {"jaccard": values[:, :prompts]}, prompts=prompts)
            numbers.append(len(self.map()[0]["verdict"]["removal_candidates"]))
        self.assertEqual(numbers, sorted(numbers))
        self.assertEqual(numbers[:2], [0, 0])
        self.assertGreater(numbers[-1], 4)

    def test_no_answer_lost_in_few_is_no_proof(self):
        for prompts, candidates in ((10, []), (400, [0, 1])):
            acc = np.ones((2, prompts))
            made_up.write(self.path, {"acc": acc}, prompts=prompts, baseline={"acc": acc[0]})
            m, _ = self.map("--measure", "acc")
            self.assertEqual(sorted(m["verdict"]["removal_candidates"]), candidates)
            # n right of n: Clopper and Pearson
            self.assertAlmostEqual(m["layers"][0]["ci95"][0], 0.025 ** (1 / prompts), places=7)

    def test_answers_won_do_not_hide_those_that_may_be_lost(self):
        intact = np.array([0.0] * 10 + [1] * 10)
        lesioned = np.array([[1.0] * 10 + [1] * 10, [1.0] * 8 + [0] * 2 + [1] * 10])  # ten and eight won, none lost
        made_up.write(self.path, {"acc": lesioned}, prompts=20, baseline={"acc": intact})
        layer = self.map("--measure", "acc")[0]["layers"][1]
        self.assertGreaterEqual(layer["damage_upper"], -0.4 + 1 - 0.025 ** (1 / 20) - 1e-9)

    def test_few_pairs_tell_nothing(self):
        made_up.write(self.path, {"jaccard": made_up.profile([0.9, 0.1], 5, 0.01)}, prompts=5)
        m, text = self.map()
        self.assertEqual(m["verdict"]["most_critical"]["not_told_apart_from"], [1])
        self.assertIsNone(m["verdict"]["hierarchy"][0]["p"])
        self.assertIn("takes 6 prompts or more", text)
        made_up.write(self.path, {"jaccard": made_up.profile(np.linspace(0, 1, 30), 12, 0.01)}, prompts=12)
        m, text = self.map()  # more than enough for one pair, not for a choice among 435
        self.assertIsNone(m["verdict"]["hierarchy"][0]["p"])
        self.assertIn("435 pairs takes 15 prompts", text)

    def test_accuracy_is_paired_with_the_intact_run(self):
        intact = np.array([1] * 30 + [0] * 10 + [np.nan] * 20)
        lesioned = np.tile(intact, (2, 1))
        lesioned[0, :12] = 0
        lesioned[0, 30:33] = 1
        made_up.write(self.path, {"acc": lesioned, "jaccard": made_up.profile([0.9, 0.1], 60)}, prompts=60,
                         baseline={"acc": intact})
        m, text = self.map("--measure", "acc")
        a = m["layers"][0]["accuracy"]
        self.assertEqual((a["n"], a["lost"], a["won"]), (40, 12, 3))
        self.assertAlmostEqual(a["intact"], 30 / 40)
        self.assertAlmostEqual(a["lesioned"], 21 / 40)
        self.assertAlmostEqual(a["mcnemar_p"], 0.03515625, places=9)  # binomial, 3 or fewer of 15, twice
        self.assertAlmostEqual(a["mcnemar_p_holm"], 0.0703125, places=9)
        self.assertAlmostEqual(a["mcnemar_chi2"], (9 - 1) ** 2 / 15, places=7)
        self.assertEqual((m["layers"][0]["n"], m["layers"][0]["lost"]), (40, 0))  # 20 prompts have no answer
        versus = m["layers"][0]["versus_intact"]
        self.assertAlmostEqual(versus["difference"], 9 / 40, places=8)
        self.assertEqual(m["layers"][1]["versus_intact"]["difference"], 0)
        self.assertEqual(m["intact"]["n"], 40)
        self.assertAlmostEqual(m["intact"]["mean"], 0.75)
        self.assertAlmostEqual(m["domains"]["facts"]["intact"]["mean"], np.nanmean(intact[0::3]), places=8)
        self.assertIn("right answers", text)

    def test_labels_are_counted(self):
        labels = np.full((2, 12), 2)
        labels[0, :5] = 3
        labels[1, 0] = 6
        made_up.write(self.path, {"jaccard": made_up.profile([0.9, 0.1]), "label": labels}, types={"label": np.uint8})
        m, text = self.map()
        self.assertEqual(m["layers"][0]["labels"],
                         {"intact": 0, "drifted": 7, "repetition": 5, "gibberish": 0, "empty": 0, "nan": 0})
        self.assertEqual(m["layers"][1]["labels"]["nan"], 1)
        self.assertIn("how continuations end", text)

    def test_lesions_of_several_layers_are_in_every_table(self):
        specs, layers = ["skip@0", "skip@1", "skip@0,1.attn"], [0, 1, -1]
        acc = np.ones((3, 12))
        acc[2, :9] = 0
        made_up.write(self.path, {"acc": acc, "jaccard": made_up.profile([0.1, 0.2, 0.9]), "label": np.full((3, 12), 4)},
                      specs, layers, n_layers=2, baseline={"acc": np.ones(12)}, types={"label": np.uint8})
        text = self.map()[1]
        for title in ("right answers", "how continuations end"):
            self.assertIn("skip@0,1.attn", text.split(title)[1].split("\n\n")[0])

    def test_table_of_tasks(self):
        rng = np.random.default_rng(4)
        intact = {k: (rng.random(90) < 0.7).astype(float) for k in ("acc", "acc_norm")}
        cells = {k: np.array([v, v * (rng.random(90) < 0.6)]) for k, v in intact.items()}
        specs = ["none", "skip@0,1"]
        made_up.write(self.path, cells, specs, [-1, -1], prompts=90, n_layers=2, baseline=intact)
        m, text = self.map("--measure", "acc", "--table")
        rows = m["layers"][1]["tasks"]
        self.assertEqual([(r["task"], r["metric"]) for r in rows],
                         [(d, k) for d in made_up.DOMAINS for k in ("acc", "acc_norm")])
        for r in rows:
            where = slice(made_up.DOMAINS.index(r["task"]), None, 3)
            before, after = intact[r["metric"]][where], cells[r["metric"]][1][where]
            self.assertEqual(r["n"], 30)
            for key, x in (("intact", before), ("lesioned", after), ("difference", after - before)):
                self.assertAlmostEqual(r[key], x.mean(), places=8)
                self.assertAlmostEqual(r[key + "_stderr"], x.std(ddof=1) / 30 ** 0.5, places=8)
            self.assertAlmostEqual(r["mcnemar_p"], 2.0 ** (1 - np.sum(before != after)), places=8)
            line = f"|{r['metric']:<9}|    30|{r['intact']:.4f}|±|{r['intact_stderr']:.4f}|  {r['lesioned']:.4f}|±|"
            self.assertIn(line, text)
        self.assertNotIn("|Tasks", self.map("--measure", "acc")[1])

    def test_domains_are_ordered_by_loss_against_the_intact_run(self):
        # facts are hard: 1 of 10 right, logic 10, code 6
        intact = (np.arange(30) // 3 < np.array([1, 10, 6])[np.arange(30) % 3]).astype(float)
        lesioned = intact.copy()
        lesioned[[2, 5, 8]] = 0  # three of the code prompts are lost; facts stay worst in absolute terms
        made_up.write(self.path, {"acc": [lesioned, intact]}, prompts=30, baseline={"acc": intact})
        text = self.map("--measure", "acc")[1]
        row = text.split("layer      mean")[1].splitlines()[1]
        self.assertIn("code 0.300, ", row)
        self.assertLess(row.index("code"), row.index("facts"))

    def test_zones_do_not_stretch_over_layers_that_were_not_lesioned(self):
        layers = [0, 1, 2, 10, 11]
        made_up.write(self.path, {"jaccard": made_up.profile([0.5] * 5, 60, 0.01)}, [f"skip@{i}" for i in layers], layers,
                      prompts=60, n_layers=12)
        self.assertEqual([(z["first"], z["last"]) for z in self.map()[0]["zones"]], [(0, 2), (10, 11)])

    def test_matrix_of_layers_and_domains(self):
        values = made_up.profile([0.9, 0.3])
        made_up.write(self.path, {"jaccard": values})
        part = self.map()[1].split("jaccard by layer and domain\n")[1].splitlines()
        self.assertEqual(part[0].split(), ["layer", *made_up.DOMAINS])
        self.assertEqual(part[2].split(), ["1", *(f"{values[1, k::3].mean():.4f}" for k in range(3))])

    def test_text_fits_the_terminal(self):
        values = np.clip(made_up.profile(np.linspace(0.2, 0.9, 30), 60), 0, 1)
        made_up.write(self.path, {"jaccard": values}, prompts=60)
        domains = [f"a domain with number {i % 20}" for i in range(60)]
        with h5py.File(self.path, "a") as f:
            del f["prompts/domain"]
            f["prompts/domain"] = made_up.fixed(domains)
        for columns in (None, 80, 132):
            env = dict(ENV, COLUMNS=str(columns)) if columns else {k: v for k, v in ENV.items() if k != "COLUMNS"}
            text = lesion("map", self.path, "--output", self.output, env=env).stdout
            words = text.split("\nwhat the data")[0]
            self.assertLessEqual(max(map(len, words.splitlines()[1:])), columns or 100)

    def test_proxies_are_correlated_with_damage(self):
        path = os.path.join(self.folder.name, "importance.json")
        with open(path, "w") as f:
            json.dump({"model": "tiny", "block": [4, 3, 2, 1], "attn": [1, 2, 3, 4], "angular": [[4, 3, 2, 1], [1, 2, 3]],
                       "other": [1, 2]}, f)
        made_up.write(self.path, {"jaccard": made_up.profile([0.9, 0.7, 0.5, 0.1], 60, 0.01)}, prompts=60)
        m, text = self.map("--importance", path)
        self.assertEqual([(p["proxy"], p["measure"], p["spearman"], p["kendall"]) for p in m["proxies"]],
                         [("block", "jaccard", 1, 1), ("attn", "jaccard", -1, -1), ("angular", "jaccard", 1, 1)])
        self.assertIn("rank correlation", text)
        with open(path, "w") as f:
            json.dump({"block": [1, 2]}, f)
        self.assertIn("importance.json", lesion("map", self.path, "--importance", path, code=1).stderr)

    def test_missing_measure(self):
        made_up.write(self.path, {"jaccard": made_up.profile([0.9, 0.3])})
        self.assertIn("kl_mean", lesion("map", self.path, "--measure", "kl_mean", code=1).stderr)
        self.assertIn("no_such", lesion("map", self.path, "--measure", "no_such", code=2).stderr)
        self.assertIn("tokens", lesion("map", self.path, "--measure", "tokens", code=2).stderr)

    def test_output_that_cannot_be_written(self):
        made_up.write(self.path, {"jaccard": made_up.profile([0.9, 0.3])})
        r = lesion("map", self.path, "--output", "/nowhere/map.json", code=1)
        self.assertIn("/nowhere/map.json", r.stderr)
        self.assertEqual(len(r.stderr.strip().splitlines()), 1)

    def test_table_is_printed_where_nothing_can_be_written(self):
        made_up.write(self.path, {"jaccard": made_up.profile([0.9, 0.3])})
        r = lesion("map", self.path, "--output", "/nowhere/map.json", code=1)
        self.assertIn("most critical: layer 0", r.stdout)

    def test_a_file_of_the_users_own_is_left_alone(self):
        made_up.write(self.path, {"jaccard": made_up.profile([0.9, 0.3])})
        name = os.path.join(self.folder.name, "layer_specialization_map.json")
        with open(name, "w") as f:
            f.write('{"mine": true}')
        r = lesion("map", self.path, code=1, cwd=self.folder.name)
        self.assertIn("most critical: layer 0", r.stdout)
        self.assertIn("--force", r.stderr)
        with open(name) as f:
            self.assertEqual(json.load(f), {"mine": True})
        lesion("map", self.path, "--force", cwd=self.folder.name)
        lesion("map", self.path, cwd=self.folder.name)  # a map may be replaced
        with open(name) as f:
            self.assertEqual(json.load(f)["format"], "lesion-map")

    def test_a_thousand_lesions_take_seconds(self):
        specs = [f"svd@{i % 25}.attn.q:rank={1 + i // 25}" for i in range(1000)]
        values = made_up.profile(np.linspace(0, 1, 1000), 120)
        made_up.write(self.path, {"jaccard": values}, specs, [i % 25 for i in range(1000)], prompts=120,
                         n_layers=25)
        self.assertEqual(len(self.map()[0]["layers"]), 1000)


class BadFiles(unittest.TestCase):
    """Files that no sweep wrote: one line that names the file and what is wrong, exit code 1."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "run.h5")
        self.fresh()

    def tearDown(self):
        self.folder.cleanup()

    def fresh(self):
        made_up.write(self.path, {"jaccard": made_up.profile([0.9, 0.3, 0.5])})

    def refuse(self, words):
        r = lesion("status", self.path, code=1)
        self.assertEqual(len(r.stderr.strip().splitlines()), 1, r.stderr)
        self.assertIn("run.h5", r.stderr)
        self.assertIn(words, r.stderr)

    def change(self, edit):
        with h5py.File(self.path, "a") as f:
            edit(f)

    def test_not_there(self):
        os.remove(self.path)
        self.refuse("No such file")

    def test_no_hdf5(self):
        with open(self.path, "w") as f:
            f.write("not HDF5")
        self.refuse("not a readable HDF5 file")

    def test_other_schema(self):
        self.change(lambda f: f.attrs.modify("schema", np.int64(2)))
        self.refuse("has schema 2")

    def test_attribute_missing_or_of_another_type(self):
        for name in ("schema", "model_layers", "model_name", "compute", "cells_computed"):
            with self.subTest(name):
                self.fresh()
                self.change(lambda f: f.attrs.__delitem__(name))
                self.refuse(f"'{name}'")
                self.fresh()
                self.change(lambda f: f.attrs.__setitem__(name, np.float32(1)))
                self.refuse(f"'{name}'")

    def test_data_set_missing_or_of_another_type_or_shape(self):
        for path in ("job", "lesions/spec", "lesions/layer", "lesions/done", "prompts/id", "prompts/domain",
                     "cells/status"):
            for data in (None, np.zeros((2, 2), np.float64)):
                with self.subTest(path=path, data=data):
                    self.fresh()

                    def edit(f):
                        del f[path]
                        if data is not None:
                            f[path] = data
                    self.change(edit)
                    self.refuse("/" + path)

    def test_layer_outside_of_the_model(self):
        self.change(lambda f: f["lesions/layer"].write_direct(np.array([0, 1, 99], np.int32)))
        self.refuse("layer 99")

    def test_claims_more_than_the_file_holds(self):
        def edit(f):
            del f["cells/status"]
            del f["prompts/id"]
            f.create_dataset("prompts/id", (2**30,), "S64", chunks=(1024,))
            del f["prompts/domain"]
            f.create_dataset("prompts/domain", (2**30,), "S64", chunks=(1024,))
        self.change(edit)
        self.refuse("more than the file can hold")

    def test_job_that_is_no_json(self):
        def edit(f):
            del f["job"]
            f.create_dataset("job", data=np.bytes_(b"{"))
        self.change(edit)
        self.refuse("not valid JSON")

    def test_text_that_is_no_utf8(self):
        def edit(f):
            f["prompts/domain"][0] = np.bytes_(b"\xff\xfe")
        self.change(edit)
        self.refuse("not valid UTF-8")

    def test_map_refuses_as_status_does(self):
        os.remove(self.path)
        self.assertIn("No such file", lesion("map", self.path, code=1).stderr)

    def test_cut_files_never_crash(self):
        with open(self.path, "rb") as f:
            whole = f.read()
        for n in range(0, len(whole), max(1, len(whole) // 20)):
            with open(self.path, "wb") as f:
                f.write(whole[:n])
            r = subprocess.run([LESION, "map", self.path, "--json"], capture_output=True, timeout=60)
            self.assertIn(r.returncode, (0, 1))


class Status(unittest.TestCase):
    def test_counts(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.h5")
            status = np.ones((2, 12), np.uint8)
            status[1, 5:] = 0
            status[1, 4] = 2
            made_up.write(path, {"jaccard": made_up.profile([0.9, 0.3])}, status=status)
            s = json.loads(lesion("status", path, "--json").stdout)
            self.assertEqual((s["total"], s["done"], s["failed"], s["computed"]), (24, 16, 1, 17))
            self.assertEqual([(e["lesion"], e["done"], e["total"], e["complete"]) for e in s["lesions"]],
                             [("skip@0", 12, 12, True), ("skip@1", 4, 12, False)])
            self.assertIn("16 of 24 cells", lesion("status", path).stdout)

    def test_while_a_writer_holds_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.h5")
            made_up.write(path, {"jaccard": made_up.profile([0.9, 0.3])})
            with h5py.File(path, "r+"):
                lesion("status", path)
                lesion("map", path, "--json")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *ARGS])
