"""The command lines of train.py, whose defaults are demo-dense's, and of what measures a trained model."""
import argparse
from pathlib import Path

import torch

from networks import NETWORKS


def pairs(items, kind):
    return {name: kind(value) for name, value in (item.split("=") for item in items)}


def parser_of(description):
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def measuring(description):
    """MODEL --text FOLDER --out FILE; more can be added."""
    parser = parser_of(description)
    parser.add_argument("model", type=Path)
    parser.add_argument("--text", required=True)
    parser.add_argument("--out", required=True, type=Path)
    return parser


def arguments(description):
    parser = parser_of(description)
    on_gpu = torch.cuda.is_available()
    parser.add_argument("--text", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--architecture", choices=NETWORKS, default="llama")
    parser.add_argument("--start", type=Path, help="an exported folder, or one with a checkpoint.safetensors, to continue from")
    parser.add_argument("--lora", type=int, default=0, help="rank of an adapter, which alone is trained (0: train everything)")
    parser.add_argument("--lora-alpha", type=float, default=16)

    data = parser.add_argument_group("data")
    data.add_argument("--mix", nargs="+", default=["austen=0.75", "botchan=0.05", "kjv=0.2"], help="share of the text windows by source")
    data.add_argument("--held-out", nargs="+", help="sources whose mean loss chooses the weights (the mix's first)")
    data.add_argument("--repeats", type=float, default=0.08, help="share of repeated noise in the second stage")
    data.add_argument("--passages", type=float, default=0.07, help="share of repeated text in the second stage")
    data.add_argument("--copies", type=float, default=0.3, help="induction score from which a checkpoint may be kept")

    run = parser.add_argument_group("length")
    run.add_argument("--tokens", type=int, default=32768, help="a step")
    run.add_argument("--form-until", type=float, default=0.6, help="induction score that ends the first stage")
    run.add_argument("--form-minutes", type=float, default=1.0, help="at most (0: no first stage)")
    run.add_argument("--steps", type=int, default=2200, help="of the second stage")
    run.add_argument("--minutes", type=float, default=3.0, help="at most, for both stages")
    run.add_argument("--until", type=float, help="Unix time at which training ends even so")
    run.add_argument("--evaluate-every", type=int, default=100)

    rates = parser.add_argument_group("optimization")
    rates.add_argument("--lr", type=float, default=3e-3)
    rates.add_argument("--warmup", type=int, default=200, help="steps")
    rates.add_argument("--weight-decay", type=float, default=0.3)
    rates.add_argument("--dropout", type=float, default=0.25, help="in the second stage")
    rates.add_argument("--ema", type=float, default=0.99)
    rates.add_argument("--seed", type=int, default=4)

    experts = parser.add_argument_group("experts (moe.py says what these weigh)")
    experts.add_argument("--balance", type=float, default=0.01)
    experts.add_argument("--z-loss", type=float, default=0.001)
    experts.add_argument("--source-bonus", type=float, default=0.0)

    machine = parser.add_argument_group("machine")
    machine.add_argument("--device", default="cuda" if on_gpu else "cpu")
    compiled = "whole" if on_gpu else "no"
    machine.add_argument("--compile", choices=("whole", "layers", "no"), default=compiled, help="layers: starts sooner, runs slower")
    machine.add_argument("--autocast", action=argparse.BooleanOptionalAction, default=on_gpu, help="bfloat16 products")
    machine.add_argument("--layers", type=int, help="fewer for a quick try")
    machine.add_argument("--width", type=int, help="smaller for a quick try")

    args = parser.parse_args()
    args.mix = pairs(args.mix, float)
    args.held_out = args.held_out or [next(iter(args.mix))]
    return args
