"""Shows that transformers and llama.cpp read an exported model and compute the same: tokens, logits, greedy text.

check.py MODEL_FOLDER --gguf SHIPPED.gguf --llamacpp PROGRAM [--prompts FOLDER] [--out check.json]

PROGRAM TOOL ARGS... runs a tool of llama.cpp (llama-tokenize, llama-results, llama-completion). For each prompt: llama.cpp's ids equal
transformers'; on an F16 GGUF made here from the folder, llama.cpp's logits equal transformers' up to F16 arithmetic; the shipped,
quantized GGUF stays within its quantization error; transformers' equal our own PyTorch model's to float32 rounding. The deviation is
||a - b|| / ||b|| over all positions. Exit status 1 if a bound is broken.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from export import export_gguf
from model import load

BOUNDS = {"own": 1e-5, "llamacpp_f16": 2e-3, "llamacpp_shipped": 3e-2}
GREEDY_TOKENS = 32
SPARE_TOKENS = 8  # llama-completion, on a busy machine, can end before its last pieces are written


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{program} {arguments[0]} failed: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def llamacpp_ids(program, model, prompt_file):
    out = run(program, "llama-tokenize", "-m", model, "-f", prompt_file, "--ids", "--log-disable")
    return json.loads(re.search(r"\[[\d, ]*\]", out).group())


def llamacpp_logits(program, model, prompt_file, folder):
    """(positions, vocabulary) in float32. llama-results writes a GGUF with the tensors `tokens` and `logits`, whose shape it turns round."""
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--gguf", required=True, type=Path)
    parser.add_argument("--llamacpp", required=True)
    parser.add_argument("--prompts", type=Path, default=Path(__file__).resolve().parents[2] / "assets/prompts")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    own, _ = load(args.model)
    reference = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    report, failures = {}, []
    with tempfile.TemporaryDirectory() as folder:
        f16 = Path(folder) / "f16.gguf"
        export_gguf(args.model, f16, "f16")
        for prompt in sorted(args.prompts.glob("*.txt")):
            text = prompt.read_text()
            ids = tokenizer(text, return_tensors="pt").input_ids
            logits = reference(ids).logits[0].numpy()
            greedy = reference.generate(ids, max_new_tokens=GREEDY_TOKENS, do_sample=False)[0, ids.shape[1] :]
            greedy_text = tokenizer.decode(greedy, skip_special_tokens=True).strip()
            llamacpp_text = llamacpp_greedy(args.llamacpp, f16, prompt).strip()
            row = dict(
                tokens=ids.shape[1],
                same_ids=llamacpp_ids(args.llamacpp, f16, prompt) == ids[0].tolist(),
                same_greedy_text=llamacpp_text.startswith(greedy_text),
                own=deviation(own(ids)[0].numpy(), logits),
                llamacpp_f16=deviation(llamacpp_logits(args.llamacpp, f16, prompt, Path(folder)), logits),
                llamacpp_shipped=deviation(llamacpp_logits(args.llamacpp, args.gguf, prompt, Path(folder)), logits),
            )
            report[prompt.stem] = row
            print(prompt.stem, json.dumps(row))
            failures += [f"{prompt.stem}: {k} = {row[k]:.2e} > {bound}" for k, bound in BOUNDS.items() if not row[k] <= bound]
            if not row["same_ids"]:
                failures += [f"{prompt.stem}: llama.cpp reads other tokens"]
            if not row["same_greedy_text"]:
                failures += [f"{prompt.stem}: llama.cpp writes {llamacpp_text!r}, transformers {greedy_text!r}"]
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + "\n")
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
