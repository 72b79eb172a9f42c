"""Measures what a fine-tune or an adapter changed in each matrix of its base, for the model card.

measure_change.py MODEL_OR_ADAPTER_FOLDER --base BASE_FOLDER --out change.json [--beside OTHER_FOLDER]

For each changed matrix, D being the change and W the base's: relative, ||D|| / ||W||; stable_rank, ||D||^2 / sigma_1^2; top_8, the share of
||D||^2 in its 8 largest singular values; and with another fine-tune of the same base, overlap: ||U^T U'||^2 / 8 of the two changes' 8
leading left singular vectors (1: the same subspace, 8 / rows by chance).
"""
import argparse
import json
from pathlib import Path

import torch

from lora import read_adapter
from networks import weights_in
from reference import is_adapter_folder

LEADING = 8


def changes(folder, base):
    """matrix name, without .weight -> change, (rows, columns)."""
    if is_adapter_folder(folder):
        return read_adapter(folder)[1]
    tuned = weights_in(folder)
    return {n.removesuffix(".weight"): tuned[n] - w for n, w in base.items() if w.dim() == 2 and "embed" not in n}


def measure(folder, base_folder, beside=None):
    base = weights_in(base_folder)
    others = changes(beside, base) if beside else {}
    report = {}
    for name, change in changes(folder, base).items():
        u, sigma, _ = torch.linalg.svd(change, full_matrices=False)
        energy = sigma.square()
        row = dict(
            relative=(change.norm() / base[f"{name}.weight"].norm()).item(),
            stable_rank=(energy.sum() / energy[0]).item(),
            top_8=(energy[:LEADING].sum() / energy.sum()).item(),
        )
        if name in others:
            v = torch.linalg.svd(others[name], full_matrices=False).U
            row["overlap"] = ((u[:, :LEADING].T @ v[:, :LEADING]).square().sum() / LEADING).item()
            row["chance"] = LEADING / change.shape[0]
        report[name] = {k: round(v, 4) for k, v in row.items()}
    mean = lambda key: round(sum(row[key] for row in report.values()) / len(report), 4)
    return dict(mean={key: mean(key) for key in next(iter(report.values()))}, matrices=report)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--base", required=True, type=Path)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    args = parser.parse_args()
    report = measure(args.model, args.base, args.beside)
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    print(args.model.name, json.dumps(report["mean"]))


if __name__ == "__main__":
    main()
