"""LoRA (arXiv 2106.09685) on our networks, and the folder that PEFT reads: adapter_config.json and adapter_model.safetensors."""
import json

from safetensors.torch import load_file, save_file
from torch import nn

PREFIX = "base_model.model."  # what PEFT puts before a module's name
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class LoraLinear(nn.Module):
    """W x + alpha / r * B A x; W stays as it is, A is drawn at random, B begins at zero."""

    def __init__(self, base, rank, alpha):
        super().__init__()
        self.base, self.scale = base, alpha / rank
        self.lora_A = nn.Linear(base.in_features, rank, bias=False)
        self.lora_B = nn.Linear(rank, base.out_features, bias=False)
        nn.init.zeros_(self.lora_B.weight)

    def forward(self, x):
        return self.base(x) + self.scale * self.lora_B(self.lora_A(x))


def add_lora(network, rank, alpha):
    """Wraps the linear layers named in TARGETS and freezes everything else."""
    network.requires_grad_(False)
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if name in TARGETS and isinstance(child, nn.Linear):
                setattr(module, name, LoraLinear(child, rank, alpha))


def is_adapter(name):
    return ".lora_" in name


def read_adapter(folder):
    """The adapter's config and {module name: change of its weight} in float32."""
    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = load_file(folder / "adapter_model.safetensors")
    modules = [n.removesuffix(".lora_A.weight") for n in tensors if n.endswith(".lora_A.weight")]
    scale = config["lora_alpha"] / config["r"]
    change = lambda m: scale * tensors[f"{m}.lora_B.weight"].float() @ tensors[f"{m}.lora_A.weight"].float()
    return config, {module.removeprefix(PREFIX): change(module) for module in modules}


def write_adapter(weights, rank, alpha, base, out):
    """weights: a checkpoint's tensors by our names, the adapter's among them. Every key is PEFT's default but those of the rank,
    the modules and the base."""
    tensors = {PREFIX + name: t.float().contiguous() for name, t in weights.items() if is_adapter(name)}
    save_file(tensors, out / "adapter_model.safetensors", metadata={"format": "pt"})
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "auto_mapping": None,
        "base_model_name_or_path": base,
        "revision": None,
        "inference_mode": True,
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "target_modules": list(TARGETS),
        "exclude_modules": None,
        "modules_to_save": None,
        "layers_to_transform": None,
        "layers_pattern": None,
        "layer_replication": None,
        "rank_pattern": {},
        "alpha_pattern": {},
        "bias": "none",
        "lora_bias": False,
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "use_rslora": False,
        "use_dora": False,
        "loftq_config": {},
        "megatron_config": None,
        "megatron_core": "megatron.core",
        "trainable_token_indices": None,
    }
    (out / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
