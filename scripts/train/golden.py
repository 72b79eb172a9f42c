"""Writes what transformers computes on an exported model, for the engine's tests: the layout of `vitrine trace`.

golden.py MODEL_FOLDER --out golden.safetensors

float32 arithmetic on the F16 weights: input_ids (T), logits (T, vocab), hidden.L (T, d; 0 is the embedding, the last comes after the
final norm), attention.L (heads, T, T), greedy_ids (the 64 ids that greedy decoding appends to input_ids).
"""
import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

TEXT = 'Elizabeth was delighted. "My dear Jane," said Elizabeth, "you are too good." My dear Jane'
GREEDY_TOKENS = 64


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32, attn_implementation="eager").eval()
    ids = AutoTokenizer.from_pretrained(args.model)(TEXT, return_tensors="pt").input_ids
    out = model(ids, output_attentions=True, output_hidden_states=True, use_cache=False)
    greedy = model.generate(ids, max_new_tokens=GREEDY_TOKENS, do_sample=False)[0, ids.shape[1] :]
    tensors = {"input_ids": ids[0].int(), "greedy_ids": greedy.int(), "logits": out.logits[0]}
    tensors |= {f"hidden.{i}": t[0] for i, t in enumerate(out.hidden_states)}
    tensors |= {f"attention.{i}": t[0] for i, t in enumerate(out.attentions)}
    save_file({name: t.contiguous().clone() for name, t in tensors.items()}, args.out)
    print(f"{args.out}: {ids.shape[1]} tokens, {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
