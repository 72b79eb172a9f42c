"""Measures how long the recurrent heads of a hybrid remember, for the model card and for choosing what to show.

measure_states.py MODEL_FOLDER --text FOLDER --out states.json

A step of size dt multiplies a Mamba-2 head's state by exp(-A dt): its half-life is log 2 / (A dt) tokens. dt depends on the token, so
the report has the half-life's tenth, fiftieth and ninetieth percentile over 8 held-out windows of 1,024 tokens, [layer][head], and the
numbers of the layers.
"""
import json
import math

import torch

from batches import HeldOut
from hybrid import Mamba2
from networks import load
from options import measuring

WINDOWS, LENGTH = 8, 1024
PERCENTILES = (10, 50, 90)
LONGEST = 1e6  # tokens: a head that forgets nothing is given this


@torch.no_grad()
def half_lives(model, ids):
    """layer -> (tokens, heads)"""
    found = {}

    def listen(number, mixer):
        def hook(_, __, projected):
            dt = mixer.steps(projected[..., -mixer.heads :])
            found[number] = (math.log(2) / (dt * mixer.A_log.exp())).clamp(max=LONGEST).flatten(0, 1)

        return mixer.in_proj.register_forward_hook(hook)

    mixers = [(i, layer.mamba) for i, layer in enumerate(model.model.layers) if isinstance(getattr(layer, "mamba", None), Mamba2)]
    handles = [listen(number, mixer) for number, mixer in mixers]
    model(ids)
    for handle in handles:
        handle.remove()
    return found


def measure(model, tokenizer, text):
    ids = HeldOut(tokenizer, text, "austen", "test", LENGTH, "cpu").inputs[:WINDOWS]
    found = half_lives(model, ids)
    report = dict(layers=list(found), half_life={})
    for percentile in PERCENTILES:
        rows = (torch.quantile(values, percentile / 100, dim=0).tolist() for values in found.values())
        report["half_life"][str(percentile)] = [[float(f"{v:.3g}") for v in row] for row in rows]
    return report


def main():
    parser = measuring(__doc__)
    args = parser.parse_args()
    report = measure(*load(args.model), args.text)
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    for number, row in zip(report["layers"], report["half_life"]["50"]):
        print(f"layer {number}: " + " ".join(f"{v:7.1f}" for v in row))


if __name__ == "__main__":
    main()
