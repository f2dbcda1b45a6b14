"""Perplexity by llama.cpp's rule against llama-perplexity: check_perplexity.py LESION MODEL TEXT

The numbers are those of llama-perplexity -c N -ctk f32 -ctv f32 -fa off (as in llama_cpp_python 0.3.36) on stories260K, in f32."""
from harness.program import ARGS, complain, lesion_json

GOLDEN = {512: 85.7082, 128: 74.2694, 64: 64.1003}
TOLERANCE = 1e-4  # the last digit that llama-perplexity prints


def deviations(model, text):
    for window, want in GOLDEN.items():
        doc = lesion_json("perplexity", model, "--file", text, "--rule", "llama.cpp", "--window", window)
        got = doc["results"][0]["llama_cpp_perplexity"]
        if not abs(got - want) <= TOLERANCE:
            yield f"chunks of {window}: {got}, not {want}"


complain(deviations(*ARGS))
