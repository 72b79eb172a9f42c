#!/usr/bin/env python3
"""Singular values on a GPU: vitrine's shaders beside PyTorch on the same device, in turns, inputs resident, values only.

PyTorch's rivals: its default (gesvdj), gesvd, gesvda, and eigvalsh of a float64 Gram matrix. Medians of --runs after two
that are not counted; PyTorch's default is given a fifth of them. Then the errors of both on large matrices (Gaussian,
and of condition 1e6) against LAPACK in float64.

With --pairs also vitrine in pairs of floats (as on a device without double precision), beside its double precision.

With --vectors also all vectors of large matrices: vitrine's from the host and back, its device stages alone, and PyTorch's
on the device, with what each is off by.

    bench/spectra_gpu.py VITRINE [--shapes 64x128x128,1024x1024] [--runs 20] [--accuracy 1024,2048] [--pairs]       needs torch, safetensors
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import torch
from safetensors.torch import save_file

SHAPES = "64x128x128,64x1024x128,1x576x1536,1x1024x1024,1x2048x2048,1x2048x8192,1x4096x4096,1x4096x14336"

parser = argparse.ArgumentParser()
parser.add_argument("vitrine")
parser.add_argument("--shapes", default=SHAPES)
parser.add_argument("--runs", type=int, default=20)
parser.add_argument("--accuracy", default="1024,2048", help="sizes of the matrices whose errors are looked at; 0: none")
parser.add_argument("--vectors", default="0", help="sizes of square matrices to decompose with all vectors; 0: none")
parser.add_argument("--pairs", action="store_true", help="also vitrine's spectra in pairs of floats")
parser.add_argument("--no-default", action="store_true", help="leave out PyTorch's slow default")
arguments = parser.parse_args()


def gram_eigenvalues(a):
    a = a.double()
    gram = a @ a.mT if a.shape[-2] < a.shape[-1] else a.mT @ a
    return torch.linalg.eigvalsh(gram).clamp(min=0).sqrt()


RIVALS = {
    "gesvda": lambda a: torch.linalg.svdvals(a, driver="gesvda"),
    "gesvd": lambda a: torch.linalg.svdvals(a, driver="gesvd"),
    "f64 Gram": gram_eigenvalues,
    "default": torch.linalg.svdvals,
}


def time_torch(compute, a, runs):
    times = []
    for i in range(runs + 2):
        torch.cuda.synchronize()
        start = time.perf_counter()
        compute(a)
        torch.cuda.synchronize()
        if i >= 2:
            times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def run_vitrine(*words):
    out = subprocess.run([arguments.vitrine, *words, "--json"], capture_output=True, text=True)
    if out.returncode != 0:
        raise SystemExit(f"{' '.join(words)}: {out.stderr}")
    return json.loads(out.stdout)


def time_vitrine(shape, *options):
    return run_vitrine("bench", "--spectra", shape, "--repetitions", str(arguments.runs), *options)["rows"]


def stages_text(rows):
    return ", ".join(f"{row['name'].strip()} {row['median']:.2f}" for row in rows[1:])


print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}; milliseconds, medians of {arguments.runs}")
print(f"{'shape':<16}{'vitrine':>10}{'min':>9}{'max':>9}" + "".join(f"{name:>10}" for name in RIVALS) + "   ratio to the best")
for shape in arguments.shapes.split(","):
    count, rows, columns = (int(word) for word in shape.split("x"))
    stages = time_vitrine(shape)
    a = torch.randn(count, rows, columns, device="cuda").squeeze(0)
    theirs = {}
    for name, compute in RIVALS.items():
        if name == "default" and arguments.no_default:
            continue
        slow = name == "default" or (name != "gesvda" and rows * columns * count > 1 << 22) or (count > 1 and name == "gesvd")
        try:
            theirs[name] = time_torch(compute, a, 3 if slow else arguments.runs)
        except RuntimeError as error:
            print(f"  {name}: {str(error).splitlines()[0]}")
    ours = stages[0]
    cells = "".join(f"{theirs[name]:>10.2f}" if name in theirs else f"{'-':>10}" for name in RIVALS)
    print(f"{shape:<16}{ours['median']:>10.2f}{ours['min']:>9.2f}{ours['max']:>9.2f}{cells}   {min(theirs.values()) / ours['median']:.2f}")
    print("    " + stages_text(stages), flush=True)
    if arguments.pairs:
        pairs = time_vitrine(shape, "--pairs")
        print(f"  in pairs      {pairs[0]['median']:>10.2f}{pairs[0]['min']:>9.2f}{pairs[0]['max']:>9.2f}   {pairs[0]['median'] / ours['median']:.2f} times as long")
        print("    " + stages_text(pairs), flush=True)


DEVICE_STAGES = ("reduction", "tridiagonal vectors", "orthogonalization", "reflections", "other side")


def gram_vectors(a):
    squares, v = torch.linalg.eigh(a.double().mT @ a.double())
    sigma = squares.clamp(min=0).sqrt()
    return a.double() @ v / sigma, sigma, v.mT


VECTOR_RIVALS = {
    "gesvda": lambda a: torch.linalg.svd(a, full_matrices=False, driver="gesvda"),
    "gesvd": lambda a: torch.linalg.svd(a, full_matrices=False, driver="gesvd"),
    "default": lambda a: torch.linalg.svd(a, full_matrices=False),
    "gesvd f64": lambda a: torch.linalg.svd(a.double(), full_matrices=False, driver="gesvd"),
    "f64 Gram eigh": gram_vectors,
}


def errors(a, u, s, vt):
    a, u, s, vt = (x.double() for x in (a, u, s, vt))
    identity = torch.eye(len(s), dtype=torch.float64, device=a.device)
    return [float((a @ vt.mT - u * s).norm() / a.norm()), float((u.mT @ u - identity).abs().max()), float((vt @ vt.mT - identity).abs().max())]


for n in [int(size) for size in arguments.vectors.split(",") if int(size)]:
    runs = 5
    rows = run_vitrine("bench", "--spectra", f"{n}x{n}", "--vectors", "--repetitions", str(runs))["rows"]
    rows = {row["name"].strip(): row["median"] for row in rows}
    on_device = sum(rows[stage] for stage in DEVICE_STAGES)
    print(f"\n{n}x{n} with all vectors (ms; |AV-US|/|A|, |U'U-I|, |V'V-I|)")
    print(f"  vitrine       {on_device:9.1f} on the device, {rows['with vectors, f64']:.1f} from the host and back   "
          f"{rows['|A V - U S| / |A|']:.1e}  {rows['|U^T U - I|']:.1e}  {rows['|V^T V - I|']:.1e}")
    print("    " + ", ".join(f"{name} {rows[name]:.1f}" for name in (*DEVICE_STAGES, "upload", "download", "tail")))
    a = torch.randn(n, n, device="cuda")
    for name, compute in VECTOR_RIVALS.items():
        try:
            ms = time_torch(compute, a, 3)
        except RuntimeError as error:
            print(f"  {name}: {str(error).splitlines()[0]}")
            continue
        print(f"  {name:<13} {ms:9.1f}" + " " * 46 + "  ".join(f"{e:.1e}" for e in errors(a, *compute(a))), flush=True)

sizes = [int(size) for size in arguments.accuracy.split(",") if int(size)]
if not sizes:
    raise SystemExit
print("\nworst errors against float64 LAPACK: |s - s'| / s_1; relative for s > 1e-3 s_1; for s > 1e-5 s_1")
generator = torch.Generator().manual_seed(1)
for n in sizes:
    weights = {"gaussian": torch.randn(n, n, generator=generator)}
    left = torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=torch.float64))[0]
    right = torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=torch.float64))[0]
    graded = torch.logspace(0, -6, n, dtype=torch.float64)
    weights["condition 1e6"] = (left * graded @ right).float()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.safetensors")
        save_file({name.replace(" ", "_"): value.contiguous() for name, value in weights.items()}, path)
        solvers = ("device", "device-pairs") if arguments.pairs else ("device",)
        found = {solver: {t["name"]: torch.tensor(t["sigma"], dtype=torch.float64)
                          for t in run_vitrine("spectra", path, "--solver", solver, "--bootstrap", "0")["tensors"]}
                 for solver in solvers}
    for name, value in weights.items():
        exact = torch.linalg.svdvals(value.double())
        answers = {"in pairs" if solver == "device-pairs" else "vitrine": sigma[name.replace(" ", "_")]
                   for solver, sigma in found.items()}
        for rival, compute in RIVALS.items():
            if rival == "default" and arguments.no_default:
                continue
            answers[rival] = compute(value.cuda()).double().cpu().sort(descending=True).values
        for who, sigma in answers.items():
            off = (sigma - exact).abs()
            relative = [float((off / exact)[exact > least * exact[0]].max()) for least in (1e-3, 1e-5)]
            print(f"{n} {name:<14} {who:<10} {float(off.max() / exact[0]):.1e}  {relative[0]:.1e}  {relative[1]:.1e}", flush=True)
