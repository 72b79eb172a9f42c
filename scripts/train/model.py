"""A Llama-architecture decoder in plain PyTorch. Parameter names are Hugging Face's, so a state dict is a checkpoint."""
import json
import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn


@dataclass
class Config:
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


class RMSNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        x32 = x.float()
        return (x32 * torch.rsqrt(x32.pow(2).mean(-1, keepdim=True) + self.eps)).to(x.dtype) * self.weight


def rope_tables(config, length, device):
    """cos and sin, (length, head_dim): the angles of the first half of the channels, repeated for the second."""
    half = torch.arange(0, config.head_dim, 2, device=device, dtype=torch.float32) / config.head_dim
    angles = torch.outer(torch.arange(length, device=device, dtype=torch.float32), config.rope_theta**-half)
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return x * cos.to(x.dtype) + torch.cat([-second, first], dim=-1) * sin.to(x.dtype)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = c.num_attention_heads, c.num_key_value_heads, c.head_dim
        self.q_proj = nn.Linear(c.hidden_size, self.heads * self.head_dim, bias=False)
        self.k_proj = nn.Linear(c.hidden_size, self.kv_heads * self.head_dim, bias=False)
        self.v_proj = nn.Linear(c.hidden_size, self.kv_heads * self.head_dim, bias=False)
        self.o_proj = nn.Linear(self.heads * self.head_dim, c.hidden_size, bias=False)

    def forward(self, x, cos, sin, maps):
        batch, length, _ = x.shape
        split = lambda t, heads: t.view(batch, length, heads, self.head_dim).transpose(1, 2)
        q = rotate(split(self.q_proj(x), self.heads), cos, sin)
        k = rotate(split(self.k_proj(x), self.kv_heads), cos, sin).repeat_interleave(self.heads // self.kv_heads, dim=1)
        v = split(self.v_proj(x), self.kv_heads).repeat_interleave(self.heads // self.kv_heads, dim=1)
        if maps is None:
            out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = q @ k.transpose(-1, -2) / math.sqrt(self.head_dim)
            future = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
            weights = scores.masked_fill(future, float("-inf")).softmax(-1)
            maps.append(weights)
            out = weights @ v
        return self.o_proj(out.transpose(1, 2).reshape(batch, length, -1))


class MLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.gate_proj = nn.Linear(c.hidden_size, c.intermediate_size, bias=False)
        self.up_proj = nn.Linear(c.hidden_size, c.intermediate_size, bias=False)
        self.down_proj = nn.Linear(c.intermediate_size, c.hidden_size, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Dropout(nn.Module):
    """nn.Dropout with its rate in a tensor: changing it compiles nothing anew."""

    def __init__(self):
        super().__init__()
        self.register_buffer("keep", torch.ones(()), persistent=False)

    def forward(self, x):
        return x * (torch.rand_like(x, dtype=torch.float32) < self.keep) / self.keep if self.training else x


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.input_layernorm = RMSNorm(c.hidden_size, c.rms_norm_eps)
        self.self_attn = Attention(c)
        self.post_attention_layernorm = RMSNorm(c.hidden_size, c.rms_norm_eps)
        self.mlp = MLP(c)
        self.dropout = Dropout()

    def forward(self, x, cos, sin, maps):
        x = x + self.dropout(self.self_attn(self.input_layernorm(x), cos, sin, maps))
        return x + self.dropout(self.mlp(self.post_attention_layernorm(x)))


class Decoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embed_tokens = nn.Embedding(c.vocab_size, c.hidden_size)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.num_hidden_layers))
        self.norm = RMSNorm(c.hidden_size, c.rms_norm_eps)
        self.dropout = Dropout()


class Llama(nn.Module):
    """Token ids (batch, length) to logits (batch, length, vocab); the head is the embedding's transpose."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.model = Decoder(config)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                into_residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * config.num_hidden_layers) if into_residual else 0.02)

    def set_dropout(self, rate):
        for module in self.modules():
            if isinstance(module, Dropout):
                module.keep.fill_(1 - rate)

    def forward(self, ids, maps=None):
        """With a list as `maps`, appends each layer's attention (batch, heads, length, length)."""
        cos, sin = rope_tables(self.config, ids.shape[1], ids.device)
        x = self.model.dropout(self.model.embed_tokens(ids))
        for layer in self.model.layers:
            x = layer(x, cos, sin, maps)
        return F.linear(self.model.norm(x), self.model.embed_tokens.weight)


def load(folder):
    """An exported model in float32, ready to run, and its tokenizer."""
    saved = json.loads((folder / "config.json").read_text())
    model = Llama(Config(**{name: saved[name] for name in asdict(Config())})).eval()
    model.load_state_dict({name: t.float() for name, t in load_file(folder / "model.safetensors").items()})
    return model, Tokenizer.from_file(str(folder / "tokenizer.json"))
