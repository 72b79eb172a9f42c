"""What the demonstration networks share, and the Llama. Parameter names are Hugging Face's, so a state dict is a checkpoint."""
import math
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import nn

from layers import MLP, Attention, Dropout, RMSNorm, rope_tables


@dataclass
class LlamaConfig:
    """The fields are config.json's; `constants` are the keys there that no field changes."""

    architecture: ClassVar[str] = "LlamaForCausalLM"
    model_type: ClassVar[str] = "llama"
    vocab_size: int = 2048
    hidden_size: int = 256
    intermediate_size: int = 448
    num_hidden_layers: int = 6
    num_attention_heads: int = 8
    num_key_value_heads: int = 4
    max_position_embeddings: int = 1024
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-5

    @property
    def head_dim(self):
        return self.hidden_size // self.num_attention_heads

    @property
    def rotated(self):
        """Channels of a head that carry the position."""
        return self.head_dim

    def constants(self):
        return {"head_dim": self.head_dim, "hidden_act": "silu", "attention_bias": False, "mlp_bias": False}


class Layer(nn.Module):
    """x + mixer(norm(x)), then x + channel(norm(x)), and the router's logits where the channel part has experts. `names` are those of
    the first norm, the mixer, the second norm, the channel part."""

    def __init__(self, c, mixer, channel, names=("input_layernorm", "self_attn", "post_attention_layernorm", "mlp")):
        super().__init__()
        self.names = names
        parts = (RMSNorm(c.hidden_size, c.rms_norm_eps), mixer(), RMSNorm(c.hidden_size, c.rms_norm_eps), channel())
        for name, part in zip(names, parts):
            self.add_module(name, part)
        self.dropout = Dropout()

    def forward(self, x, rope, maps=None):
        first_norm, mixer, second_norm, channel = (getattr(self, name) for name in self.names)
        x = x + self.dropout(mixer(first_norm(x), rope, maps))
        y, logits = channel(second_norm(x))
        return x + self.dropout(y), logits


class Decoder(nn.Module):
    def __init__(self, c, layer, norm):
        super().__init__()
        self.embed_tokens = nn.Embedding(c.vocab_size, c.hidden_size)
        self.layers = nn.ModuleList(layer(c, number) for number in range(c.num_hidden_layers))
        self.norm_name = norm
        self.add_module(norm, RMSNorm(c.hidden_size, c.rms_norm_eps))
        self.dropout = Dropout()


def is_matrix(name, parameter):
    """What is drawn from a normal distribution at first and decays while training."""
    return parameter.dim() >= 2 and "conv" not in name


class Network(nn.Module):
    """Token ids (batch, length) to logits (batch, length, vocab); the head is the embedding's transpose."""

    routed = False  # whether there are experts
    norm = "norm"  # the final norm's name

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.model = Decoder(config, self.layer, self.norm)
        for name, p in self.named_parameters():
            if is_matrix(name, p):
                into_residual = name.removesuffix(".weight").endswith(("o_proj", "down_proj", "out_proj"))
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * config.num_hidden_layers) if into_residual else 0.02)

    def layer(self, c, number):
        raise NotImplementedError

    def set_dropout(self, rate):
        for module in self.modules():
            if isinstance(module, Dropout):
                module.keep.fill_(1 - rate)

    def forward(self, ids, maps=None, routing=None):
        """With a list as `maps`, appends each attention layer's (batch, heads, length, length); with one as `routing`, each
        router's logits (tokens, experts)."""
        rope = rope_tables(self.config.rotated, self.config.rope_theta, ids.shape[1], ids.device)
        x = self.model.dropout(self.model.embed_tokens(ids))
        for layer in self.model.layers:
            x, logits = layer(x, rope, maps)
            if routing is not None:
                routing.append(logits)
        return F.linear(getattr(self.model, self.model.norm_name)(x), self.model.embed_tokens.weight)


class Llama(Network):
    def layer(self, c, number):
        return Layer(c, lambda: Attention(c), lambda: MLP(c))
