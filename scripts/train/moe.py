"""A Qwen3 mixture of experts (arXiv 2505.09388) in plain PyTorch, and the losses that shape its routing.

The experts' matrices are stacked for speed: all experts are computed on all tokens, which for small ones is faster than sorting tokens.
A state dict has one tensor an expert and matrix, as Hugging Face's files do.
"""
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import nn

from layers import Attention
from model import Layer, LlamaConfig, Network

MATRICES = ("gate_proj", "up_proj", "down_proj")


@dataclass
class MoeConfig(LlamaConfig):
    architecture: ClassVar[str] = "Qwen3MoeForCausalLM"
    model_type: ClassVar[str] = "qwen3_moe"
    hidden_size: int = 192
    intermediate_size: int = 128  # of a dense layer, of which there is none: as wide as the experts that a token takes
    num_attention_heads: int = 6
    num_key_value_heads: int = 2
    moe_intermediate_size: int = 64
    num_experts: int = 16
    num_experts_per_tok: int = 2

    def constants(self):
        return {
            "head_dim": self.head_dim,
            "hidden_act": "silu",
            "attention_bias": False,
            "norm_topk_prob": True,
            "decoder_sparse_step": 1,
            "mlp_only_layers": [],
        }


class Experts(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.gate_proj = nn.Parameter(torch.empty(c.num_experts, c.moe_intermediate_size, c.hidden_size))
        self.up_proj = nn.Parameter(torch.empty(c.num_experts, c.moe_intermediate_size, c.hidden_size))
        self.down_proj = nn.Parameter(torch.empty(c.num_experts, c.hidden_size, c.moe_intermediate_size))

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        for matrix in MATRICES:
            stacked = getattr(self, matrix) if keep_vars else getattr(self, matrix).detach()
            for number, one in enumerate(stacked):
                destination[f"{prefix}{number}.{matrix}.weight"] = one.clone()

    def _load_from_state_dict(self, state_dict, prefix, metadata, strict, missing, unexpected, errors):
        for matrix in MATRICES:
            stacked = getattr(self, matrix)
            for number, one in enumerate(stacked):
                name = f"{prefix}{number}.{matrix}.weight"
                if name not in state_dict:
                    missing.append(name)
                elif state_dict[name].shape != one.shape:
                    errors.append(f"{name}: expected {tuple(one.shape)}, found {tuple(state_dict[name].shape)}")
                else:
                    with torch.no_grad():
                        one.copy_(state_dict[name])

    def forward(self, x, weights):
        """x (tokens, d), weights (tokens, experts), zero where an expert isn't chosen."""
        inner = F.silu(F.linear(x, self.gate_proj.flatten(0, 1))) * F.linear(x, self.up_proj.flatten(0, 1))
        inner = inner.unflatten(-1, (weights.shape[-1], -1)) * weights.to(inner.dtype)[..., None]
        return F.linear(inner.flatten(-2), self.down_proj.transpose(0, 1).flatten(1))


class SparseMLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.chosen = c.num_experts_per_tok
        self.gate = nn.Linear(c.hidden_size, c.num_experts, bias=False)
        self.experts = Experts(c)

    def forward(self, x):
        """The output, and the router's logits (tokens, experts)."""
        flat = x.flatten(0, 1)
        with torch.autocast(x.device.type, enabled=False):  # which expert a token takes must not hang on bfloat16
            logits = F.linear(flat.float(), self.gate.weight)
        return self.experts(flat, expert_weights(logits, self.chosen)).view_as(x), logits


def expert_weights(logits, chosen):
    """(tokens, experts): the chosen experts' shares, which sum to one, and zeros."""
    best, index = logits.softmax(-1).topk(chosen, dim=-1)
    return torch.zeros_like(logits).scatter(-1, index, best / best.sum(-1, keepdim=True))


class Qwen3Moe(Network):
    routed = True

    def layer(self, c, number):
        return Layer(c, lambda: Attention(c, normed=True), lambda: SparseMLP(c))


def entropy(shares):
    return -(shares * shares.clamp(min=1e-9).log()).sum(-1)


def source_information(probabilities, member):
    """Mutual information in nats of source and expert: probabilities (tokens, experts), member (tokens, sources) one-hot or zero."""
    tokens = member.sum(0)
    by_source = (member.T @ probabilities) / tokens.clamp(min=1)[:, None]
    share = tokens / tokens.sum().clamp(min=1)
    return entropy(share @ by_source) - (share * entropy(by_source)).sum()


def routing_loss(routing, member, chosen, balance, z, bonus):
    """What the routers' logits cost, summed over layers.

    balance: Switch's loss (arXiv 2101.03961), experts * sum(share of choices * mean probability), over the whole step, so that a
    source may keep an expert busy (arXiv 2501.11873); z: ST-MoE's mean square of log-sum-exp (arXiv 2202.08906); bonus: less the
    mutual information of source and expert (Mod-Squad, arXiv 2212.08066), in the later half of the layers.
    """
    total = 0.0
    for number, logits in enumerate(routing):
        probabilities = logits.softmax(-1)
        choices = (expert_weights(logits.detach(), chosen) > 0).float().mean(0) / chosen
        total = total + balance * logits.shape[-1] * (choices * probabilities.mean(0)).sum()
        total = total + z * logits.logsumexp(-1).square().mean()
        if bonus and 2 * number >= len(routing):
            total = total - bonus * source_information(probabilities, member)
    return total
