// What a decoder's tensors and hyper-parameters are called, in Hugging Face's files and in GGUF's. The
// defaults are Llama's, which most families share; a family states those that differ, and an empty name for
// what it does not have.
#pragma once

#include <string_view>

#include "core/arch/support/hparams.h"

namespace vitrine::core::arch {

struct TensorName {
  std::string_view hf, gguf;
};

// Without ".weight" and ".bias".
struct DecoderNames {
  std::string_view prefix = "model.";  // Hugging Face; files of a bare model, without its head, lack it
  TensorName embedding = {"embed_tokens", "token_embd"};
  TensorName positions = {}, embedding_norm = {};
  TensorName final_norm = {"norm", "output_norm"};
  TensorName head = {"lm_head", "output"};  // never with the prefix

  TensorName block = {"layers.", "blk."};  // then the layer's number, a dot and one of the following
  TensorName mixer_norm = {"input_layernorm", "attn_norm"}, mixer_post_norm = {};
  TensorName query = {"self_attn.q_proj", "attn_q"};
  TensorName key = {"self_attn.k_proj", "attn_k"};
  TensorName value = {"self_attn.v_proj", "attn_v"};
  TensorName qkv = {"", "attn_qkv"};  // instead of the three, see QkvLayout
  TensorName output = {"self_attn.o_proj", "attn_output"};
  TensorName query_norm = {"self_attn.q_norm", "attn_q_norm"};
  TensorName key_norm = {"self_attn.k_norm", "attn_k_norm"};
  TensorName channel_norm = {"post_attention_layernorm", "ffn_norm"}, channel_post_norm = {};
  TensorName gate = {"mlp.gate_proj", "ffn_gate"};
  TensorName up = {"mlp.up_proj", "ffn_up"};  // of gate and up where MlpShape::kFused
  TensorName down = {"mlp.down_proj", "ffn_down"};
};

inline constexpr Key kLayerNormEpsilon = {"layer_norm_eps", "attention.layer_norm_epsilon"};

struct DecoderKeys {
  Key layers = {"num_hidden_layers", "block_count"};
  Key embedding = {"hidden_size", "embedding_length"};
  Key heads = {"num_attention_heads", "attention.head_count"};
  Key kv_heads = {"num_key_value_heads", "attention.head_count_kv"};
  Key head_dim = {"head_dim", "attention.key_length"};
  Key mlp_width = {"intermediate_size", "feed_forward_length"};
  Key context = {"max_position_embeddings", "context_length"};
  Key epsilon = {"rms_norm_eps", "attention.layer_norm_rms_epsilon"};
  Key activation = {"hidden_act", ""};
};

}  // namespace vitrine::core::arch
