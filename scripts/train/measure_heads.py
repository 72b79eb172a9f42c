"""Measures what every attention head of a demonstration model does, for the model card and for choosing what to show.

measure_heads.py MODEL_FOLDER --text FOLDER --out heads.json

On held-out text (8 windows of 256 tokens, <s> first): previous_token, the mean weight of a query on the token before it; first_token,
on <s>; last_8, on the last eight tokens, the query's own included; entropy in nats. On 8 repeated random sequences (<s>, 100 tokens,
the same 100 again): induction, the mean weight of a query of the second round on the token that followed its like in the first.
Queries of which two of these would be the same entry are left out.
"""
import json

import torch

from batches import HeldOut
from networks import load
from options import measuring
from tokenizer import BOS_ID

WINDOWS, LENGTH, PERIOD, SEED = 8, 256, 100, 5
MEASURES = ("previous_token", "first_token", "last_8", "entropy", "induction")


def on_text(maps):
    """maps (windows, heads, length, length) -> measure -> (heads,)"""
    queries = slice(16, None)
    rows = maps[:, :, queries]
    position = torch.arange(maps.shape[-1], device=maps.device)
    age = position[queries, None] - position[None, :]
    return dict(
        previous_token=(rows * (age == 1)).sum(-1).mean((0, 2)),
        first_token=rows[..., 0].mean((0, 2)),
        last_8=(rows * ((age >= 0) & (age < 8))).sum(-1).mean((0, 2)),
        entropy=-(rows * rows.clamp(min=1e-30).log()).sum(-1).mean((0, 2)),
    )


def on_repeats(maps):
    queries = torch.arange(1 + PERIOD, 2 * PERIOD)  # the last has no follower within the input, the first follows <s>
    return dict(induction=maps[:, :, queries, queries - PERIOD + 1].mean((0, 2)))


@torch.no_grad()
def measure(model, tokenizer, text, device="cpu"):
    """measure -> [layer][head]"""
    inputs = HeldOut(tokenizer, text, "austen", "test", LENGTH, device).inputs[:WINDOWS]
    generator = torch.Generator().manual_seed(SEED)
    noise = torch.randint(2, tokenizer.get_vocab_size(), (WINDOWS, PERIOD), generator=generator)
    repeated = torch.cat([torch.full((WINDOWS, 1), BOS_ID), noise, noise], dim=1).to(device)
    text_maps, repeat_maps = [], []
    model(inputs, text_maps)
    model(repeated, repeat_maps)
    layers = [on_text(a) | on_repeats(b) for a, b in zip(text_maps, repeat_maps)]
    return {name: [[round(v, 4) for v in layer[name].tolist()] for layer in layers] for name in MEASURES}


def main():
    parser = measuring(__doc__)
    args = parser.parse_args()
    heads = measure(*load(args.model), args.text)
    args.out.write_text(json.dumps(heads, indent=1).replace("\n   ", " ").replace("\n  ]", " ]") + "\n")
    for name in MEASURES:
        print(name)
        for number, row in enumerate(heads[name]):
            print(f"  layer {number}: " + " ".join(f"{v:5.2f}" for v in row))


if __name__ == "__main__":
    main()
