"""What transformers makes of an exported folder, in float32: a model, or a base with an adapter's changes added."""
import json

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from lora import read_adapter


def is_adapter_folder(folder):
    return (folder / "adapter_config.json").exists()


def base_of(folder):
    """Where the model of an adapter lies: beside it, under the name that the adapter gives."""
    return folder.parent / json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]


def load_reference(folder, base=None):
    """The model and the tokenizer. An adapter's `base` is looked for beside it unless it is named."""
    model_folder = (base or base_of(folder)) if is_adapter_folder(folder) else folder
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32, attn_implementation="eager").eval()
    if is_adapter_folder(folder):
        changes = read_adapter(folder)[1]
        with torch.no_grad():
            for name, change in changes.items():
                model.get_submodule(name).weight += change
    return model, AutoTokenizer.from_pretrained(model_folder)


def logits_of(model, ids, **more):
    """transformers' output for ids (1, T) that are all text, whatever padding's id is."""
    return model(ids, attention_mask=torch.ones_like(ids), use_cache=False, **more)


def continued(model, ids, count, **more):
    """The ids that the model appends to ids (1, T)."""
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, pad_token_id=1, **more)
    return out[0, ids.shape[1] :]
