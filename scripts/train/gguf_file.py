"""Writes an exported model as GGUF, so that llama.cpp can run it: a Llama, a Qwen3 mixture of experts, or a Bamba.

The F16 weights of the folder are the model: the GGUF is made from them. llama.cpp rotates neighbouring channels of a Llama where Hugging
Face rotates the two halves of a head, so the rows of its query and key matrices are interleaved on the way.
"""
import json

import gguf
import numpy as np
from safetensors.torch import load_file
from tokenizers import Tokenizer

from tokenizer import BOS_ID, EOS_ID

GGUF_TYPES = {
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
}
LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def interleave_halves(weight, heads):
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def gguf_tensors(config, weights):
    """(GGUF name, array) of every tensor; norms stay float32."""
    yield "token_embd.weight", weights["model.embed_tokens.weight"]
    yield "output_norm.weight", weights["model.norm.weight"]
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for layer in range(config["num_hidden_layers"]):
        for theirs, ours in LAYER_NAMES.items():
            weight = weights[f"model.layers.{layer}.{theirs}.weight"]
            yield f"blk.{layer}.{ours}.weight", interleave_halves(weight, heads[ours]) if ours in heads else weight


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
    tensor_type, file_type = GGUF_TYPES[type_name]
    config = json.loads((folder / "config.json").read_text())
    weights = {name: t.float().numpy() for name, t in load_file(folder / "model.safetensors").items()}
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(f"Vitrine {folder.name}")
    writer.add_license("mit")
    writer.add_file_type(file_type)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_theta"])
    add_tokenizer(writer, Tokenizer.from_file(str(folder / "tokenizer.json")))
    for name, array in gguf_tensors(config, weights):
        stored = gguf.GGMLQuantizationType.F32 if array.ndim == 1 else tensor_type
        writer.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(array), stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
