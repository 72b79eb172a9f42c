"""Measures what the experts of a mixture take, for the model card and for choosing what to show.

measure_experts.py MODEL_FOLDER --text FOLDER --out experts.json [--sources austen kjv tinyshakespeare wiki]

On held-out text, as many tokens of each source (32 windows of 256, <s> first, which is not counted). A token's classes: newline,
digit, capital (its first letter is one), punctuation, word start, inside word. For each layer and expert: the share of the layer's
choices, and of the expert's tokens those of each source and of each class; for each layer the mutual information of expert and source,
and of expert and class, in bits. `lift` is an expert's share of a source or class over what all tokens together have of it.
"""
import json
from functools import lru_cache

import torch

from batches import HeldOut
from moe import expert_weights
from networks import load
from options import measuring

LENGTH, WINDOWS = 256, 32
WINDOWS_WHILE_TRAINING = 8
SOURCES = ("austen", "kjv", "tinyshakespeare", "wiki")
CLASSES = ("word start", "inside word", "punctuation", "newline", "digit", "capital")
FEWEST = 16  # occurrences of a token that may stand for an expert
TYPICAL = 8  # tokens named for an expert


def class_of(text, previous):
    """The class of a token of text behind another."""
    letters = text.strip()
    if "\n" in text:
        return "newline"
    if not letters:
        return "word start"  # a space alone
    if letters[0].isdigit():
        return "digit"
    if letters[0].isupper():
        return "capital"
    if not letters[0].isalpha():
        return "punctuation"
    return "inside word" if text[0] == letters[0] and previous[-1:].isalpha() else "word start"


class Sample:
    """Held-out windows, as many of each source: ids (windows, length), and of all tokens but <s> the source and the class."""

    def __init__(self, tokenizer, folder, sources, windows, device):
        inputs = [HeldOut(tokenizer, folder, source, "test", LENGTH, device).inputs for source in sources]
        windows = min(windows, *(len(i) for i in inputs))
        self.ids = torch.cat([i[:windows] for i in inputs])
        texts = [[tokenizer.decode([i], skip_special_tokens=False) for i in row] for row in self.ids.tolist()]
        of_class = [[CLASSES.index(class_of(text, before)) for before, text in zip(row, row[1:])] for row in texts]
        self.classes = torch.tensor(of_class, device=device).flatten()
        self.sources = torch.arange(len(sources), device=device).repeat_interleave(windows * (LENGTH - 1))
        self.texts = [text for row in texts for text in row[1:]]


sample = lru_cache(maxsize=4)(Sample)


@torch.no_grad()
def choices(model, ids):
    """For each layer (tokens, experts): ones for the experts that a token takes, <s> left out."""
    layers = [[] for _ in model.model.layers]
    for rows in ids.split(32):
        routing = []
        model(rows, routing=routing)
        for layer, logits in zip(layers, routing):
            chosen = expert_weights(logits.float(), model.config.num_experts_per_tok) > 0
            layer.append(chosen.view(*rows.shape, -1)[:, 1:].flatten(0, 1).float())
    return [torch.cat(layer) for layer in layers]


def counts(chosen, labels, number):
    """(experts, labels): how often an expert takes a token with the label."""
    return chosen.T @ torch.nn.functional.one_hot(labels, number).to(chosen.dtype)


def bits(table):
    """Mutual information of rows and columns of a table of counts."""
    joint = table / table.sum()
    independent = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    return (joint * (joint / independent).clamp(min=1e-30).log2()).nan_to_num().sum().item()


def information(model, tokenizer, folder, sources, device):
    """What a training log says of each layer: bits of source and of class, and the busiest expert's load, 1 being an equal share."""
    text = sample(tokenizer, str(folder), tuple(sources), WINDOWS_WHILE_TRAINING, device)
    layers = choices(model, text.ids)
    rounded = lambda values: [round(v, 3) for v in values]
    return dict(
        source_bits=rounded(bits(counts(layer, text.sources, len(sources))) for layer in layers),
        class_bits=rounded(bits(counts(layer, text.classes, len(CLASSES))) for layer in layers),
        busiest=rounded((layer.mean(0).max() / layer.mean()).item() for layer in layers),
    )


def typical(chosen, texts):
    """For each expert the tokens of which it takes the largest part, with that part."""
    seen, taken = {}, {}
    for text, row in zip(texts, chosen.bool().tolist()):
        seen[text] = seen.get(text, 0) + 1
        for expert, took in enumerate(row):
            if took:
                taken[expert, text] = taken.get((expert, text), 0) + 1
    parts = [[] for _ in range(chosen.shape[1])]
    for (expert, text), count in taken.items():
        if seen[text] >= FEWEST:
            parts[expert].append((count / seen[text], count, text))
    return [{text: round(part, 3) for part, _, text in sorted(of_one, reverse=True)[:TYPICAL]} for of_one in parts]


def measure(model, tokenizer, folder, sources):
    text = sample(tokenizer, str(folder), tuple(sources), WINDOWS, "cpu")
    named = {"source": (text.sources, list(sources)), "class": (text.classes, list(CLASSES))}
    overall = {kind: torch.bincount(labels, minlength=len(names)) / len(labels) for kind, (labels, names) in named.items()}
    shares = lambda values, names: {name: round(v, 4) for name, v in zip(names, values.tolist())}
    report = dict(tokens=len(text.texts), overall={k: shares(overall[k], named[k][1]) for k in named}, layers=[])
    for chosen in choices(model, text.ids):
        tables = {kind: counts(chosen, labels, len(names)) for kind, (labels, names) in named.items()}
        tokens = typical(chosen, text.texts)
        experts = []
        for number, load_share in enumerate((chosen.sum(0) / chosen.sum()).tolist()):
            of = {kind: table[number] / table[number].sum().clamp(min=1) for kind, table in tables.items()}
            row = dict(expert=number, share=round(load_share, 4))
            row |= {kind: shares(of[kind], named[kind][1]) for kind in named}
            row["lift"] = {kind: round((of[kind] / overall[kind].clamp(min=1e-6)).max().item(), 2) for kind in named}
            experts.append(row | dict(tokens=tokens[number]))
        report["layers"].append(dict(bits={kind: round(bits(table), 4) for kind, table in tables.items()}, experts=experts))
    return report


def main():
    parser = measuring(__doc__)
    parser.add_argument("--sources", nargs="+", default=SOURCES)
    args = parser.parse_args()
    report = measure(*load(args.model), args.text, args.sources)
    args.out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    for number, layer in enumerate(report["layers"]):
        print(f"layer {number}: bits of source {layer['bits']['source']:.3f}, of class {layer['bits']['class']:.3f}")


if __name__ == "__main__":
    main()
