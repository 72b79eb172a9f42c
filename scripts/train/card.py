"""Writes a demonstration model's README.md: a template of cards/ filled in from the JSON files in the model's folder.

card.py MODEL_FOLDER --check check.json [--base BASE_FOLDER]

The folder's name, up to a variant's `-b`, is the template's. What was measured comes from training.json and, where they are there,
experts.json, heads.json, states.json, change.json; what was compared from check.py's report; samples are drawn here (seed 0).
"""
import argparse
import json
from pathlib import Path
from string import Template

import torch

import card_tables
from reference import base_of, continued, is_adapter_folder, load_reference

CARDS = Path(__file__).parent / "cards"
SAMPLE_TOKENS = 80
PROMPTS = {
    "demo-moe": (
        "Mrs. Ashworth had lived for many years",
        "And it came to pass, that",
        "KING HENRY:\nMy lord,",
        "The battleship was built in",
    ),
    "demo-hybrid": ("CHAPTER 1\n\nMrs. Ashworth had lived for many years in a small house near the church, and her three daughters",),
    "demo-dense-shakespeare": ("ROMEO:\nMy lady,",),
    "demo-dense-shakespeare-lora": ("ROMEO:\nMy lady,",),
}


def samples(folder, base, prompts):
    model, tokenizer = load_reference(folder, base)
    written = []
    for prompt in prompts:
        torch.manual_seed(0)
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        new = continued(model, ids, SAMPLE_TOKENS, do_sample=True, temperature=0.7, top_p=0.95, top_k=0)
        lines = tokenizer.decode(new, skip_special_tokens=True).strip().split("\n")
        quoted = "\n".join(f"> {line}  " if line else ">" for line in lines)
        written.append(f"After `{' / '.join(filter(None, prompt.split(chr(10))))}`:\n\n{quoted.rstrip()}")
    return "\n\n".join(written)


def agreement(check, routed):
    """What check.py found, in a sentence."""
    worst = lambda key: max((row[key] for row in check.values() if key in row), default=None)
    text = f"transformers and our PyTorch model give the same logits to {worst('own'):.0e} (||a - b|| / ||b||)"
    if (peer := worst("llamacpp_f16")) is not None:
        median = ", the median of the positions," if routed else ""
        greedy = " and 32 greedy tokens" if all(row["same_greedy_text"] for row in check.values()) else ""
        text += f", llama.cpp{median} to {peer:.0e} on an F16 GGUF made from it; tokens{greedy} are the same"
    return f"{text} (`check.py`, {len(check)} prompts)."


def sizes(folder, config):
    fields = {k: v for k, v in config.items() if isinstance(v, (int, float, str))}
    if "attn_layer_indices" in config:
        head_dim = config["hidden_size"] // config["num_attention_heads"]
        heads, per_head = config["mamba_n_heads"], config["mamba_expand"] * config["hidden_size"] // config["mamba_n_heads"]
        fields["attn_layer_indices"] = " and ".join(map(str, config["attn_layer_indices"]))
        fields["mamba_head_dim"] = per_head
        fields["state_kilobytes"] = heads * per_head * config["mamba_d_state"] * 4 // 1024
        fields["cache_kilobytes"] = 2 * config["num_key_value_heads"] * head_dim * config["max_position_embeddings"] * 4 // 1024
    fields.setdefault("head_dim", config["hidden_size"] // config["num_attention_heads"])
    return fields


def fields_of(folder, check, base):
    read = lambda name: json.loads((folder / name).read_text()) if (folder / name).exists() else None
    training = read("training.json")
    name = folder.name.removesuffix("-b")
    fields = {k: v for k, v in training["arguments"].items() if isinstance(v, (int, float))} | sizes(folder, training["config"])
    fields |= dict(
        name=name,
        parameters_million=f"{training['parameters'] / 1e6:.2f}",
        corpus_tokens_million=f"{training['corpus_tokens'] / 1e6:.2f}",
        data=card_tables.data(training),
        agreement=agreement(check, training["model_type"] == "qwen3_moe"),
        loss_table=card_tables.losses(training),
        device=training["device"],
        minutes=f"{training['minutes']:.1f}",
        steps=f"{training['steps']:,}",
        tokens_per_step=f"{training['arguments']['tokens']:,}",
        best_step=f"{training['best_step']:,}",
        formed_step=training["formed_step"],
        samples=samples(folder, base, PROMPTS[name]),
    )
    if experts := read("experts.json"):
        fields |= dict(
            expert_tokens=f"{experts['tokens']:,}",
            class_entropy=f"{card_tables.entropy(experts['overall']['class']):.2f}",
            layer_table=card_tables.layers(experts),
            expert_table=card_tables.leaning(experts),
            share_table=card_tables.shares(experts),
        )
    if heads := read("heads.json"):
        attend = training["config"].get("attn_layer_indices", range(training["config"]["num_hidden_layers"]))
        fields["heads"] = card_tables.heads(heads, attend)
    if states := read("states.json"):
        fields["states"] = card_tables.states(states)
    if change := read("change.json"):
        fields["change_table"] = card_tables.change(change)
    return name, fields


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--check", required=True, type=Path)
    parser.add_argument("--base", type=Path, help="an adapter's model")
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    base = args.base or (base_of(args.model) if is_adapter_folder(args.model) else None)
    name, fields = fields_of(args.model, json.loads(args.check.read_text()), base)
    (args.model / "README.md").write_text(Template((CARDS / f"{name}.md").read_text()).substitute(fields))


if __name__ == "__main__":
    main()
