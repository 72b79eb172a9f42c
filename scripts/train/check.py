"""Shows that transformers and llama.cpp read an exported model and compute the same: tokens, logits, greedy text.

check.py MODEL_FOLDER [--llamacpp PROGRAM [--gguf SHIPPED.gguf]] [--base BASE_FOLDER] [--prompts FOLDER] [--out check.json]

For each prompt: transformers' logits equal our own PyTorch model's to float32 rounding, an adapter's those of its base with it. PROGRAM
TOOL ARGS... runs a tool of llama.cpp (llama-tokenize, llama-results, llama-completion), and then: its ids equal transformers'; on an
F16 GGUF made here from the folder its logits equal transformers' up to F16 arithmetic, and its greedy text is the same; the shipped,
quantized GGUF stays within its quantization error. A deviation is ||a - b|| / ||b|| over all positions; with experts, of which
rounding may swap two that are close, the median of the positions. Exit status 1 if a bound is broken.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from lora import PREFIX, add_lora, is_adapter
from networks import load
from reference import base_of, continued, is_adapter_folder, load_reference, logits_of

BOUNDS = {"own": 1e-5, "llamacpp_f16": 2e-3, "llamacpp_shipped": 3e-2}
GREEDY_TOKENS = 32
SPARE_TOKENS = 8  # llama-completion, on a busy machine, can end before its last pieces are written


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        sys.exit(f"{program} {arguments[0]} failed: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def llamacpp_ids(program, model, prompt_file):
    out = run(program, "llama-tokenize", "-m", model, "-f", prompt_file, "--ids", "--log-disable")
    return json.loads(re.search(r"\[[\d, ]*\]", out).group())


def llamacpp_logits(program, model, prompt_file, folder):
    """(positions, vocabulary) in float32. llama-results writes a GGUF with the tensors `tokens` and `logits`, whose shape it turns round."""
    import gguf

    out = folder / "results.gguf"
    run(program, "llama-results", "-m", model, "-f", prompt_file, "-o", out, "-dev", "none", "-fa", "off")
    tensors = {t.name: np.array(t.data) for t in gguf.GGUFReader(out).tensors}
    out.unlink()
    return tensors["logits"].reshape(len(tensors["tokens"]), -1)


def llamacpp_greedy(program, model, prompt_file):
    options = ("--temp", 0, "-n", GREEDY_TOKENS + SPARE_TOKENS, "-no-cnv", "--no-display-prompt", "-dev", "none", "--no-warmup", "-fa", "off")
    return run(program, "llama-completion", "-m", model, "-f", prompt_file, *options)


def deviation(a, b):
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def median_deviation(a, b):
    return float(np.median([deviation(x, y) for x, y in zip(a, b)]))


def own_model(folder, base):
    """Our network; with an adapter beside its base's weights, not added to them."""
    if not is_adapter_folder(folder):
        return load(folder)[0]
    network, config = load(base)[0], json.loads((folder / "adapter_config.json").read_text())
    add_lora(network, config["r"], config["lora_alpha"])
    tensors = {name.removeprefix(PREFIX): t for name, t in load_file(folder / "adapter_model.safetensors").items()}
    assert set(tensors) == {name for name in network.state_dict() if is_adapter(name)}, "the adapter's tensors are others than ours"
    network.load_state_dict({**network.state_dict(), **tensors})
    return network


class LlamaCpp:
    """llama.cpp on an F16 GGUF of the folder, and on the one that ships."""

    def __init__(self, program, model, shipped, folder, measure):
        from gguf_file import export_gguf

        self.program, self.shipped, self.folder, self.measure = program, shipped, Path(folder), measure
        self.f16 = self.folder / "f16.gguf"
        export_gguf(model, self.f16, "f16")

    def compare(self, prompt, ids, logits, greedy_text):
        text = llamacpp_greedy(self.program, self.f16, prompt).strip()
        row = dict(
            same_ids=llamacpp_ids(self.program, self.f16, prompt) == ids[0].tolist(),
            same_greedy_text=text.startswith(greedy_text),
            llamacpp_f16=self.measure(llamacpp_logits(self.program, self.f16, prompt, self.folder), logits),
        )
        if self.shipped:
            row["llamacpp_shipped"] = self.measure(llamacpp_logits(self.program, self.shipped, prompt, self.folder), logits)
        return row


def failures_of(name, row):
    found = [f"{name}: {k} = {row[k]:.2e} > {bound}" for k, bound in BOUNDS.items() if k in row and not row[k] <= bound]
    if not row.get("same_ids", True):
        found.append(f"{name}: llama.cpp reads other tokens")
    if not row.get("same_greedy_text", True):
        found.append(f"{name}: llama.cpp continues otherwise than transformers")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--llamacpp")
    parser.add_argument("--gguf", type=Path)
    parser.add_argument("--base", type=Path, help="an adapter's model")
    parser.add_argument("--prompts", type=Path, default=Path(__file__).resolve().parents[2] / "assets/prompts")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    base = args.base or (base_of(args.model) if is_adapter_folder(args.model) else None)
    own = own_model(args.model, base)
    reference, tokenizer = load_reference(args.model, base)
    report, failures = {}, []
    with tempfile.TemporaryDirectory() as folder:
        measure = median_deviation if own.routed else deviation
        peer = LlamaCpp(args.llamacpp, args.model, args.gguf, folder, measure) if args.llamacpp else None
        for prompt in sorted(args.prompts.glob("*.txt")):
            ids = tokenizer(prompt.read_text(), return_tensors="pt").input_ids
            logits = logits_of(reference, ids).logits[0].numpy()
            row = dict(tokens=ids.shape[1], own=deviation(own(ids)[0].numpy(), logits))
            if peer:
                greedy = continued(reference, ids, GREEDY_TOKENS, do_sample=False)
                row |= peer.compare(prompt, ids, logits, tokenizer.decode(greedy, skip_special_tokens=True).strip())
            report[prompt.stem] = row
            print(prompt.stem, json.dumps(row))
            failures += failures_of(prompt.stem, row)
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + "\n")
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
