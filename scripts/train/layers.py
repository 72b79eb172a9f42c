"""The parts that the demonstration networks are made of. Parameter names are Hugging Face's."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        x32 = x.float()
        return (x32 * torch.rsqrt(x32.pow(2).mean(-1, keepdim=True) + self.eps)).to(x.dtype) * self.weight


def rope_tables(rotated, base, length, device):
    """cos and sin, (length, rotated): the angles of the first half of the rotated channels, repeated for the second."""
    half = torch.arange(0, rotated, 2, device=device, dtype=torch.float32) / rotated
    angles = torch.outer(torch.arange(length, device=device, dtype=torch.float32), base**-half)
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    """Turns the first channels, as many as the tables have; the others stay."""
    x, rest = x[..., : cos.shape[-1]], x[..., cos.shape[-1] :]
    first, second = x.chunk(2, dim=-1)
    turned = x * cos.to(x.dtype) + torch.cat([-second, first], dim=-1) * sin.to(x.dtype)
    return turned if rest.shape[-1] == 0 else torch.cat([turned, rest], dim=-1)


class Attention(nn.Module):
    def __init__(self, c, normed=False):
        """`normed`: an RMS norm for each head of q and of k, as Qwen3 has it."""
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = c.num_attention_heads, c.num_key_value_heads, c.head_dim
        self.q_proj = nn.Linear(c.hidden_size, self.heads * self.head_dim, bias=False)
        self.k_proj = nn.Linear(c.hidden_size, self.kv_heads * self.head_dim, bias=False)
        self.v_proj = nn.Linear(c.hidden_size, self.kv_heads * self.head_dim, bias=False)
        self.o_proj = nn.Linear(self.heads * self.head_dim, c.hidden_size, bias=False)
        self.q_norm = RMSNorm(self.head_dim, c.rms_norm_eps) if normed else None
        self.k_norm = RMSNorm(self.head_dim, c.rms_norm_eps) if normed else None

    def forward(self, x, rope, maps=None):
        """With a list as `maps`, appends the attention (batch, heads, length, length)."""
        batch, length, _ = x.shape
        split = lambda t, heads: t.view(batch, length, heads, self.head_dim).transpose(1, 2)
        q, k = split(self.q_proj(x), self.heads), split(self.k_proj(x), self.kv_heads)
        if self.q_norm is not None:
            q, k = self.q_norm(q).to(q.dtype), self.k_norm(k).to(k.dtype)
        q = rotate(q, *rope)
        k = rotate(k, *rope).repeat_interleave(self.heads // self.kv_heads, dim=1)
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
        """The output, and nothing for a router's logits."""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x)), None


class Dropout(nn.Module):
    """nn.Dropout with its rate in a tensor: changing it compiles nothing anew."""

    def __init__(self):
        super().__init__()
        self.register_buffer("keep", torch.ones(()), persistent=False)

    def forward(self, x):
        return x * (torch.rand_like(x, dtype=torch.float32) < self.keep) / self.keep if self.training else x
