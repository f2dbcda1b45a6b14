#!/usr/bin/env bash
# Builds the tools of llama.cpp that the benchmark compares with, from the source that the Python package llama-cpp-python
# carries. Usage: build_llama_cpp.sh DIR (some ten minutes on two cores); leaves them in DIR/build/bin.
set -euo pipefail
dir=${1:?usage: build_llama_cpp.sh DIR}
mkdir -p "$dir"
cd "$dir"
if [ ! -d source ]; then
  pip download --quiet --no-deps --no-binary llama-cpp-python -d sdist llama-cpp-python
  mkdir source
  tar xzf sdist/llama_cpp_python-*.tar.gz -C source --strip-components=1
fi
cmake -S source/vendor/llama.cpp -B build -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF \
  -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_SERVER=OFF
cmake --build build -j "$(nproc)" --target llama-batched-bench llama-completion llama-perplexity llama-quantize
