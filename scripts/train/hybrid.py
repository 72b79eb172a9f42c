"""A Bamba (Mamba-2, arXiv 2405.21060, and attention) in plain PyTorch: the recurrence is computed in chunks, as matrix products."""
import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import nn

from layers import MLP, Attention, RMSNorm
from model import Layer, LlamaConfig, Network

CHUNK = 64
STEPS = (1e-3, 1e-1)  # of time that the heads take at first, from the slowest to the fastest


@dataclass
class HybridConfig(LlamaConfig):
    architecture: ClassVar[str] = "BambaForCausalLM"
    model_type: ClassVar[str] = "bamba"
    intermediate_size: int = 320
    num_hidden_layers: int = 7
    attn_layer_indices: list = field(default_factory=lambda: [2, 5])
    mamba_n_heads: int = 8
    mamba_d_state: int = 64
    mamba_expand: int = 2
    mamba_d_conv: int = 4

    def __post_init__(self):
        self.attn_layer_indices = [i for i in self.attn_layer_indices if i < self.num_hidden_layers]

    @property
    def inner(self):
        return self.mamba_expand * self.hidden_size

    @property
    def rotated(self):
        return self.head_dim // 2

    def constants(self):
        return {
            "hidden_act": "silu",
            "attention_bias": False,
            "mlp_bias": False,
            "partial_rotary_factor": 0.5,
            "mamba_d_head": self.inner // self.mamba_n_heads,
            "mamba_n_groups": 1,
            "mamba_chunk_size": CHUNK,
            "mamba_conv_bias": True,
            "mamba_proj_bias": False,
            "pad_token_id": None,  # transformers would take 0, our <s>
        }


def segment_sums(x):
    """(.., n) -> (.., n, n): entry (i, j) is the sum over j < k <= i, minus infinity above the diagonal."""
    total = x.cumsum(-1)
    later = torch.ones(x.shape[-1], x.shape[-1], dtype=torch.bool, device=x.device).triu(1)
    return (total[..., :, None] - total[..., None, :]).masked_fill(later, float("-inf"))


def scan(x, decay, b, c):
    """y_t = h_t c_t of h_t = exp(decay_t) h_{t-1} + x_t b_t^T, for each head; x (batch, length, heads, dim), decay (batch, length,
    heads) in float32, b and c (batch, length, state). The length is a number of whole chunks. Products are in x's type."""
    batch, length, heads, dim = x.shape
    chunks = length // CHUNK
    cut = lambda t: t.view(batch, chunks, CHUNK, *t.shape[2:])
    x, b, c = cut(x).permute(0, 1, 3, 2, 4), cut(b), cut(c)  # x (batch, chunks, heads, chunk, dim)
    decay = cut(decay).permute(0, 1, 3, 2)  # (batch, chunks, heads, chunk)
    past = decay.cumsum(-1)
    # Within a chunk: attention with decaying weights.
    weights = (c @ b.transpose(-1, -2))[:, :, None] * segment_sums(decay).exp().to(x.dtype)
    within = weights @ x
    # What each chunk leaves behind, (batch, chunks, heads, dim, state), and what has come in before each.
    left = (x * (past[..., -1:] - past).exp().to(x.dtype)[..., None]).transpose(-1, -2) @ b[:, :, None]
    spans = F.pad(past[..., -1], (0, 0, 1, 0)).transpose(1, 2)  # (batch, heads, 1 + chunks)
    between = segment_sums(spans).exp()[:, :, :-1, 1:].to(x.dtype)  # (batch, heads, chunk, earlier chunk)
    before = (between @ left.transpose(1, 2).flatten(3)).unflatten(3, (dim, -1)).transpose(1, 2)
    across = (c[:, :, None] @ before.transpose(-1, -2)) * past.exp().to(x.dtype)[..., None]
    return (within + across).permute(0, 1, 3, 2, 4).reshape(batch, length, heads, dim)


class Mamba2(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.state, self.inner = c.mamba_n_heads, c.mamba_d_state, c.inner
        mixed = self.inner + 2 * self.state
        self.in_proj = nn.Linear(c.hidden_size, self.inner + mixed + self.heads, bias=False)
        self.conv1d = nn.Conv1d(mixed, mixed, c.mamba_d_conv, groups=mixed)
        steps = torch.logspace(*(math.log10(s) for s in STEPS), self.heads)
        self.dt_bias = nn.Parameter(steps + torch.log(-torch.expm1(-steps)))  # the inverse of softplus
        self.A_log = nn.Parameter(torch.linspace(1, 8, self.heads).log())
        self.D = nn.Parameter(torch.ones(self.heads))
        self.norm = RMSNorm(self.inner, c.rms_norm_eps)
        self.out_proj = nn.Linear(self.inner, c.hidden_size, bias=False)

    def convolve(self, x):
        """Each channel with its last few values: shifted copies, which one kernel can add."""
        weight = self.conv1d.weight[:, 0].to(x.dtype)
        length, size = x.shape[1], weight.shape[1]
        x = F.pad(x, (0, 0, size - 1, 0))
        return sum(x[:, k : k + length] * weight[:, k] for k in range(size)) + self.conv1d.bias.to(x.dtype)

    def steps(self, raw):
        """Step sizes in float32 of in_proj's last outputs."""
        return F.softplus(raw.float() + self.dt_bias.float())

    def forward(self, x, rope=None, maps=None):
        batch, length, _ = x.shape
        gate, mixed, raw = self.in_proj(x).split([self.inner, self.inner + 2 * self.state, self.heads], dim=-1)
        with torch.autocast(x.device.type, enabled=False):
            values, b, c = F.silu(self.convolve(mixed)).split([self.inner, self.state, self.state], dim=-1)
            values = values.unflatten(-1, (self.heads, -1))
            dt = self.steps(raw)
            full = [values * dt.to(values.dtype)[..., None], dt * -self.A_log.float().exp(), b, c]
            missing = -length % CHUNK
            full = [F.pad(t, (0, 0) * (t.dim() - 2) + (0, missing)) if missing else t for t in full]
            y = scan(*full)[:, :length] + values * self.D.to(values.dtype)[:, None]
            y = self.norm(y.flatten(2).float() * F.silu(gate.float()))
        return self.out_proj(y)


class Bamba(Network):
    norm = "final_layernorm"

    def layer(self, c, number):
        attends = number in c.attn_layer_indices
        names = ("input_layernorm", "self_attn" if attends else "mamba", "pre_ff_layernorm", "feed_forward")
        return Layer(c, lambda: Attention(c) if attends else Mamba2(c), lambda: MLP(c), names)
