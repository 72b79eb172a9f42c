"""Writes an exported model as GGUF, so that llama.cpp can run it: a Llama, a Qwen3 mixture of experts, or a Bamba.

The F16 weights of the folder are the model: the GGUF is made from them. Where llama.cpp rotates neighbouring channels (all but Qwen3)
and Hugging Face rotates two halves, the rotated rows of the query and key matrices are interleaved on the way.
"""
import json

import gguf
import numpy as np
from safetensors.torch import load_file
from tokenizers import Tokenizer

from networks import config_from
from tokenizer import BOS_ID, EOS_ID

TYPES = {
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
}
ARCHITECTURES = {"llama": "llama", "qwen3_moe": "qwen3moe", "bamba": "granitehybrid"}
NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "mlp.gate": "ffn_gate_inp",
    "pre_ff_layernorm": "ffn_norm",
    "feed_forward.gate_proj": "ffn_gate",
    "feed_forward.up_proj": "ffn_up",
    "feed_forward.down_proj": "ffn_down",
    "mamba.in_proj": "ssm_in",
    "mamba.out_proj": "ssm_out",
}
KEPT_IN_FLOAT32 = ("ffn_gate_inp", "ssm_a", "ssm_d", "ssm_conv1d", "ssm_norm")


def interleave_halves(weight, heads, rotated):
    """Within each head's first `rotated` rows."""
    rows = weight.reshape(heads, -1, weight.shape[1]).copy()
    turned = rows[:, :rotated].reshape(heads, 2, rotated // 2, -1).swapaxes(1, 2)
    rows[:, :rotated] = turned.reshape(heads, rotated, -1)
    return rows.reshape(weight.shape)


def mamba_tensors(weights):
    """From what stands behind `mamba.`."""
    yield "ssm_conv1d.weight", weights["conv1d.weight"][:, 0]
    yield "ssm_conv1d.bias", weights["conv1d.bias"]
    yield "ssm_dt.bias", weights["dt_bias"]
    yield "ssm_a", -np.exp(weights["A_log"])[:, None]
    yield "ssm_d", weights["D"][:, None]
    yield "ssm_norm.weight", weights["norm.weight"][None]


def layer_tensors(config, weights):
    """(GGUF name, array) of a layer, from its tensors by their names in it."""
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for theirs, ours in NAMES.items():
        if (weight := weights.get(f"{theirs}.weight")) is None:
            continue
        turned = ours in heads and config.model_type != "qwen3_moe"
        yield f"{ours}.weight", interleave_halves(weight, heads[ours], config.rotated) if turned else weight
    if "mlp.gate.weight" in weights:
        for matrix in ("gate", "up", "down"):
            one = [weights[f"mlp.experts.{e}.{matrix}_proj.weight"] for e in range(config.num_experts)]
            yield f"ffn_{matrix}_exps.weight", np.stack(one)
    if "mamba.A_log" in weights:
        yield from mamba_tensors({n.removeprefix("mamba."): t for n, t in weights.items() if n.startswith("mamba.")})


def tensors_of(config, weights):
    """(GGUF name, array) of every tensor."""
    norm = "model.norm.weight" if "model.norm.weight" in weights else "model.final_layernorm.weight"
    yield "token_embd.weight", weights["model.embed_tokens.weight"]
    yield "output_norm.weight", weights[norm]
    for layer in range(config.num_hidden_layers):
        prefix = f"model.layers.{layer}."
        own = {name.removeprefix(prefix): t for name, t in weights.items() if name.startswith(prefix)}
        for name, array in layer_tensors(config, own):
            yield f"blk.{layer}.{name}", array


def kv_heads(config):
    """A Bamba's layers without attention are told by having no heads."""
    if config.model_type != "bamba":
        return config.num_key_value_heads
    return [config.num_key_value_heads * (layer in config.attn_layer_indices) for layer in range(config.num_hidden_layers)]


def add_sizes(writer, config):
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(kv_heads(config))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.rotated)
    writer.add_rope_freq_base(config.rope_theta)
    if config.model_type == "qwen3_moe":
        writer.add_expert_count(config.num_experts)
        writer.add_expert_used_count(config.num_experts_per_tok)
        writer.add_expert_feed_forward_length(config.moe_intermediate_size)
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
    if config.model_type == "bamba":
        writer.add_rope_scaling_finetuned(True)  # this family's word for having a rope at all
        writer.add_ssm_conv_kernel(config.mamba_d_conv)
        writer.add_ssm_state_size(config.mamba_d_state)
        writer.add_ssm_group_count(1)
        writer.add_ssm_inner_size(config.inner)
        writer.add_ssm_time_step_rank(config.mamba_n_heads)


def add_tokenizer(writer, tokenizer):
    size = tokenizer.get_vocab_size()
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([tokenizer.id_to_token(i) for i in range(size)])
    writer.add_token_types([control if i in (BOS_ID, EOS_ID) else normal for i in range(size)])
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(BOS_ID)
    writer.add_eos_token_id(EOS_ID)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)


def export_gguf(folder, path, type_name):
    tensor_type, file_type = TYPES[type_name]
    config = config_from(json.loads((folder / "config.json").read_text()))
    weights = {name: t.float().numpy() for name, t in load_file(folder / "model.safetensors").items()}
    writer = gguf.GGUFWriter(path, ARCHITECTURES[config.model_type])
    writer.add_name(f"Vitrine {folder.name}")
    writer.add_license("mit")
    writer.add_file_type(file_type)
    add_sizes(writer, config)
    add_tokenizer(writer, Tokenizer.from_file(str(folder / "tokenizer.json")))
    for name, array in tensors_of(config, weights):
        kept = array.ndim == 1 or any(part in name for part in KEPT_IN_FLOAT32)
        stored = gguf.GGMLQuantizationType.F32 if kept else tensor_type
        writer.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(array), stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
