#!/usr/bin/env bash
# Collects what bench/on_gpu_machine.sh needs on a machine that can fetch nothing: Vitrine (scripts/portable's folder without the
# assets, which travel with the repository), llama.cpp with its libraries, and the head of SmolLM2's GGUF (its 98 MB of weights stay:
# random ones of the same shape and types take the same time).
#   bench/pack_for_gpu_machine.sh [--portable FOLDER] [FOLDER]      FOLDER: .carry/bench
# --portable takes a folder that scripts/portable made before; without it, that script runs (command line alone).
# SHARED (default: ../shared beside the repository) has peer/llamacpp and the model; PREFIX is where llama.cpp lies.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
shared=${SHARED:-$repository/../shared}
prefix=${PREFIX:-$HOME/.cache/vitrine-peer}
portable=
if [ "${1:-}" = --portable ]; then
  portable=$(cd "$2" && pwd)
  shift 2
fi
folder=${1:-$repository/.carry/bench}

mkdir -p "$folder"
rm -f "$folder"/*
if [ -z "$portable" ]; then
  portable=$repository/out/vitrine-bench
  VITRINE_UI=OFF "$repository/scripts/portable" "$portable"
fi
tar -C "$portable" --exclude=./assets -c . | xz -T0 -6 >"$folder/vitrine.tar.xz"

"$shared/peer/llamacpp" llama-bench --help >/dev/null # fetches it when missing
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cp -L "$shared/peer/llamacpp" "$stage/"
tar -C "$prefix" --exclude='*server*' --exclude='libmvec*' --exclude='*/gconv' -c root/usr/bin/llama-bench root/usr/bin/llama-perplexity \
  root/usr/lib/x86_64-linux-gnu | tar -C "$stage" -x
find "$stage/root" -name '*.a' -delete
# A headless NVIDIA driver asks for GLVND's EGL before it gives a Vulkan device.
cp -L /usr/lib/x86_64-linux-gnu/lib{EGL.so.1,GLdispatch.so.0} "$stage/root/usr/lib/x86_64-linux-gnu/" ||
  echo "no libEGL (package libegl1): llama.cpp may find no device there" >&2
tar -C "$stage" -c . | xz -T0 -6 >"$folder/llamacpp.tar.xz"

python3 "$repository/bench/random_gguf.py" "$stage/head" --head-of "$shared/models/smollm2-135m-instruct/model-q4_1.gguf"
xz -6 -c "$stage/head" >"$folder/smollm2-head.gguf.xz"

du -m "$folder"/* >&2
echo "With the repository's own files at most 64 MiB may travel: $(git -C "$repository" ls-files -z | (cd "$repository" && xargs -0 du -cm | tail -1 | cut -f1)) MB tracked here." >&2
