#!/usr/bin/env python3
"""All singular values of a model's matrices on the CPU: vitrine spectra beside numpy.linalg.svd in float32, in turns.

Both use the same number of threads; numpy gets the matrices in memory, vitrine reads and dequantizes them in its time.
The error of each is against numpy in float64 on the same numbers: the worst |s - s'| / s_1, and the worst relative one of
values above 1e-3 s_1.

    bench/spectra_cpu.py build/vitrine MODEL.gguf [--runs 5] [--threads 2]       needs numpy and gguf
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("vitrine")
parser.add_argument("model", help="a .gguf file")
parser.add_argument("--runs", type=int, default=5)
parser.add_argument("--threads", type=int, default=os.cpu_count())
arguments = parser.parse_args()
for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = str(arguments.threads)

import gguf  # noqa: E402
import numpy as np  # noqa: E402


def matrices():
    reader = gguf.GGUFReader(arguments.model)
    found = {}
    for tensor in reader.tensors:
        values = np.squeeze(gguf.quants.dequantize(tensor.data, tensor.tensor_type))
        if values.ndim == 2 and min(values.shape) > 1:
            found[tensor.name] = np.ascontiguousarray(values, dtype=np.float32)
    return found


def run_vitrine():
    command = [arguments.vitrine, "spectra", arguments.model, "--solver", "lapack", "--bootstrap", "0", "--json"]
    out = subprocess.run(command + ["--threads", str(arguments.threads)], check=True, capture_output=True, text=True)
    result = json.loads(out.stdout)
    return result["seconds"], {tensor["name"]: np.array(tensor["sigma"]) for tensor in result["tensors"]}


def run_numpy(weights):
    start = time.perf_counter()
    sigma = {name: np.linalg.svd(a, compute_uv=False) for name, a in weights.items()}
    return time.perf_counter() - start, sigma


def errors(sigma, exact):
    absolute = relative = 0.0
    for name, truth in exact.items():
        off = np.abs(sigma[name].astype(np.float64) - truth)
        absolute = max(absolute, float(np.max(off)) / truth[0])
        large = truth > 1e-3 * truth[0]
        relative = max(relative, float(np.max(off[large] / truth[large])))
    return absolute, relative


weights = matrices()
print(f"{len(weights)} matrices of {os.path.basename(arguments.model)}, {arguments.threads} threads, numpy {np.__version__}")
ours, theirs = [], []
for i in range(arguments.runs):
    seconds, sigma = run_vitrine()
    ours.append(seconds)
    if set(sigma) != set(weights):
        sys.exit(f"the matrices differ: {set(sigma) ^ set(weights)}")
    seconds, sigma32 = run_numpy(weights)
    theirs.append(seconds)
    print(f"  run {i + 1}: vitrine {ours[-1]:.2f} s, numpy {theirs[-1]:.2f} s, ratio {theirs[-1] / ours[-1]:.2f}", flush=True)
ratios = sorted(b / a for a, b in zip(ours, theirs))
print(f"vitrine {statistics.median(ours):.2f} s, numpy float32 {statistics.median(theirs):.2f} s: "
      f"{statistics.median(ratios):.2f} times faster ({ratios[0]:.2f} to {ratios[-1]:.2f})")
exact = {name: np.linalg.svd(a.astype(np.float64), compute_uv=False) for name, a in weights.items()}
for name, found in (("vitrine", sigma), ("numpy float32", sigma32)):
    absolute, relative = errors(found, exact)
    print(f"{name:<14} worst error {absolute:.1e} s_1; relative, above 1e-3 s_1: {relative:.1e}")
