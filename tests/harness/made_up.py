"""Writes result files as the sweep does (schema 1), with made-up values, for tests of what reads them."""
import json

import h5py
import numpy as np

DOMAINS = ["facts", "logic", "code"]


def fixed(strings):
    """Fixed-length UTF-8 strings, padded with null bytes."""
    raw = [s.encode() for s in strings]
    width = max(1, max(map(len, raw)))
    return np.array(raw, dtype=h5py.string_dtype("utf-8", width))


def write(path, cells, lesions=None, layers=None, prompts=12, tokens=4, n_layers=None, status=None, baseline=None,
          architecture="llama", types=(), samples=None):
    """cells: {measure: array (L, P)}. status: array (L, P), default all done. baseline: {measure: array (P)}."""
    n_lesions = len(next(iter(cells.values())))
    n_layers = n_layers or n_lesions
    lesions = lesions or [f"skip@{i}" for i in range(n_lesions)]
    layers = layers if layers is not None else list(range(n_lesions))
    status = np.ones((n_lesions, prompts), np.uint8) if status is None else status
    with h5py.File(path, "w", libver="earliest") as f:
        generate = {"max_new_tokens": tokens} | ({"samples": samples} if samples else {})
        job = json.dumps({"lesions": lesions, "generate": generate})
        f.create_dataset("job", data=fixed([job])[0], dtype=fixed([job]).dtype)
        f["lesions/spec"] = fixed(lesions)
        f["lesions/layer"] = np.array(layers, np.int32)
        f["lesions/done"] = np.all(status == 1, axis=1).astype(np.uint8)
        k = samples or 1
        f["prompts/id"] = fixed([f"p{i // k}#{i % k + 1}" if samples else f"p{i}" for i in range(prompts)])
        f["prompts/domain"] = fixed([DOMAINS[i // k % 3] for i in range(prompts)])
        f["prompts/text"] = fixed([f"prompt {i}" for i in range(prompts)])
        f["baseline/status"] = np.ones(prompts, np.uint8)
        f["cells/status"] = status
        for name, values in cells.items():
            f["cells/" + name] = np.asarray(values, dict(types).get(name, np.float32))
        for name, values in (baseline or {}).items():
            f["baseline/" + name] = np.asarray(values, np.float32)
        f.attrs["schema"] = np.int64(1)
        f.attrs["model_layers"] = np.int64(n_layers)
        f.attrs["cells_computed"] = np.int64(np.count_nonzero(status))
        for name, text in dict(program="lesion test", model_name="tiny", model_sha256="0" * 64,
                               architecture=architecture, compute="f32", prompts_sha256="1" * 64).items():
            f.attrs.create(name, fixed([text])[0], dtype=fixed([text]).dtype)


def profile(means, prompts=12, spread=0.1, seed=1):
    """Values (L, P) whose rows scatter around the means."""
    noise = np.random.default_rng(seed).normal(0, spread, (len(means), prompts))
    return np.asarray(means)[:, None] + noise
