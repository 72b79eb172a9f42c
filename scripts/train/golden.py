"""Writes what transformers computes on an exported model, for the engine's tests: the layout of `vitrine trace`.

golden.py MODEL_FOLDER --out golden.safetensors [--prompt TEXT] [--logits-only] [--base BASE_FOLDER]

float32 arithmetic on the F16 weights: input_ids (T), logits (T, vocab), hidden.L (T, d; 0 is the embedding, the last comes after the
final norm), attention.L (heads, T, T; L counts the layers that have attention), router.L (T, experts; before the softmax), greedy_ids
(the 64 ids that greedy decoding appends to input_ids). Of an adapter, what its base computes with it.
"""
import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

from reference import continued, load_reference, logits_of

TEXT = 'Elizabeth was delighted. "My dear Jane," said Elizabeth, "you are too good." My dear Jane'
GREEDY_TOKENS = 64


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--prompt", default=TEXT)
    parser.add_argument("--logits-only", action="store_true", help="besides the ids")
    parser.add_argument("--base", type=Path, help="an adapter's model")
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    model, tokenizer = load_reference(args.model, args.base)
    ids = tokenizer(args.prompt, return_tensors="pt").input_ids
    greedy = continued(model, ids, GREEDY_TOKENS, do_sample=False)
    tensors = {"input_ids": ids[0].int(), "greedy_ids": greedy.int()}
    if args.logits_only:
        tensors["logits"] = logits_of(model, ids).logits[0]
    else:
        routes = {"output_router_logits": True} if hasattr(model.config, "router_aux_loss_coef") else {}
        out = logits_of(model, ids, output_attentions=True, output_hidden_states=True, **routes)
        tensors["logits"] = out.logits[0]
        tensors |= {f"hidden.{i}": t[0] for i, t in enumerate(out.hidden_states)}
        tensors |= {f"attention.{i}": t[0] for i, t in enumerate(t for t in out.attentions if t is not None)}
        tensors |= {f"router.{i}": t for i, t in enumerate(out.router_logits if routes else ())}
    save_file({name: t.contiguous().clone() for name, t in tensors.items()}, args.out)
    print(f"{args.out}: {ids.shape[1]} tokens, {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
