"""The freeze list of `lesion sensitivity`, given to PEFT: it trains what the list leaves, and no frozen module."""
from harness import references

references.enter()

import numpy as np
import peft
import torch

from harness import made_up
from harness.program import lesion, path, read_json, run_tests

LAYERS, MATRICES = 3, ("mlp.down", "attn.q")


def freeze_list():
    """Of a sweep in which layer 0 and mlp.down of layer 1 are the ones that matter."""
    damage = {"mlp.down": [6, 3, 0.1], "attn.q": [5, 0.1, 0.1]}
    specs = [f"svd@{layer}.{m}:keep=0.5" for m in MATRICES for layer in range(LAYERS)]
    values = np.abs(made_up.profile([damage[m][layer] for m in MATRICES for layer in range(LAYERS)], 40, 0.01))
    made_up.write(path("run.h5"), {"kl_mean": values}, specs, [*range(LAYERS)] * len(MATRICES), prompts=40, n_layers=LAYERS)
    lesion("sensitivity", path("run.h5"), "--freeze", path("freeze.json"), "--share", "0.8")
    return read_json(path("freeze.json"))


def llama():
    """Modules of the names of transformers' llama."""
    def part(names):
        return torch.nn.ModuleDict({n: torch.nn.Linear(8, 8) for n in names})
    model = torch.nn.Module()
    model.model = torch.nn.Module()
    model.model.layers = torch.nn.ModuleList(
        torch.nn.ModuleDict({"self_attn": part(["q_proj", "o_proj"]), "mlp": part(["down_proj"])}) for _ in range(LAYERS))
    return model


def peft_trains_what_is_not_frozen():
    doc = freeze_list()
    tuned = peft.get_peft_model(llama(), peft.LoraConfig(**doc["peft"]))
    trained = {n.split("base_model.model.")[1].split(".lora_")[0] for n, p in tuned.named_parameters() if p.requires_grad}
    assert doc["frozen"], doc
    assert trained == {"model.layers.1.self_attn.q_proj", "model.layers.2.self_attn.q_proj", "model.layers.2.mlp.down_proj"}, trained
    assert not trained & set(doc["frozen"]), doc


run_tests([peft_trains_what_is_not_frozen])
