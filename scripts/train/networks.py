"""The architectures of the demonstration models by config.json's model_type, and how to read one back from its folder."""
import json
from dataclasses import fields

from safetensors.torch import load_file
from tokenizers import Tokenizer

from hybrid import Bamba, HybridConfig
from model import Llama, LlamaConfig
from moe import MoeConfig, Qwen3Moe

NETWORKS = {c.model_type: (c, network) for c, network in ((LlamaConfig, Llama), (MoeConfig, Qwen3Moe), (HybridConfig, Bamba))}


def config_from(saved):
    """The configuration that a config.json, or the `config` of a training.json with its model_type, holds."""
    config, _ = NETWORKS[saved["model_type"]]
    return config(**{f.name: saved[f.name] for f in fields(config)})


def network_of(config):
    return NETWORKS[config.model_type][1](config)


def weights_in(folder):
    """The tensors of an exported folder, or else of a checkpoint, in float32."""
    exported = folder / "model.safetensors"
    return {name: t.float() for name, t in load_file(exported if exported.exists() else folder / "checkpoint.safetensors").items()}


def load(folder):
    """An exported model in float32, ready to run, and its tokenizer."""
    model = network_of(config_from(json.loads((folder / "config.json").read_text()))).eval()
    model.load_state_dict(weights_in(folder))
    return model, Tokenizer.from_file(str(folder / "tokenizer.json"))
