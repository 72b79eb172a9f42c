// Turns a Hugging Face checkpoint of a llama, mistral, qwen2 or qwen3 into a GGUF file as llama.cpp's
// converter does (F32 tensors; rows of q and k of the llama family reordered; llama3's rope as the tensor
// rope_freqs), so that both ways of storing a model can be held against the same reference values.
#pragma once

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/arch/support/rope_scaling.h"
#include "core/checkpoint/checkpoint.h"
#include "support/gguf_builder.h"

namespace vitrine::test {

// Rows of each head from halves (0..n/2, n/2..n) to neighbouring pairs.
inline Bytes interleaveRows(std::span<const std::byte> bytes, std::size_t rows, std::size_t heads) {
  const std::size_t row_bytes = bytes.size() / rows, head_dim = rows / heads;
  Bytes out(bytes.size());
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t head = row / head_dim, within = row % head_dim;
    const std::size_t to = head * head_dim + within % (head_dim / 2) * 2 + within / (head_dim / 2);
    std::memcpy(out.data() + to * row_bytes, bytes.data() + row * row_bytes, row_bytes);
  }
  return out;
}

inline std::string ggufTensorName(std::string name) {
  static const std::vector<std::pair<std::string, std::string>> kParts = {
      {"model.embed_tokens", "token_embd"},
      {"model.norm", "output_norm"},
      {"lm_head", "output"},
      {"model.layers.", "blk."},
      {"input_layernorm", "attn_norm"},
      {"post_attention_layernorm", "ffn_norm"},
      {"self_attn.q_proj", "attn_q"},
      {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},
      {"self_attn.o_proj", "attn_output"},
      {"self_attn.q_norm", "attn_q_norm"},
      {"self_attn.k_norm", "attn_k_norm"},
      {"mlp.gate_proj", "ffn_gate"},
      {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"}};
  for (const auto& [hf, gguf] : kParts)
    if (const std::size_t at = name.find(hf); at != std::string::npos) name.replace(at, hf.size(), gguf);
  return name;
}

inline void addGgufRope(GgufBuilder& builder, const std::string& prefix, const nlohmann::json& rope,
                        std::uint32_t head_dim) {
  const std::string type = rope.value("rope_type", "default");
  builder.set(prefix + "rope.freq_base", rope.value("rope_theta", 10000.0f));
  if (type == "yarn") {
    builder.set(prefix + "rope.scaling.type", "yarn");
    builder.set(prefix + "rope.scaling.factor", rope.at("factor").get<float>());
    builder.set(prefix + "rope.scaling.original_context_length",
                rope.at("original_max_position_embeddings").get<std::uint32_t>());
  } else if (type == "llama3") {
    const auto plain = core::arch::plainFrequencies(rope.at("rope_theta"), head_dim);
    auto scaled = plain;
    core::arch::scaleLlama3({.factor = rope.at("factor"),
                             .low = rope.at("low_freq_factor"),
                             .high = rope.at("high_freq_factor"),
                             .original_context = rope.at("original_max_position_embeddings")},
                            scaled);
    Bytes factors;
    for (std::size_t i = 0; i < plain.size(); ++i)
      GgufBuilder::append(factors, static_cast<float>(plain[i] / scaled[i]));
    builder.tensor("rope_freqs.weight", core::DType::kF32, {plain.size()}, factors);
  }
}

inline Bytes zooAsGguf(const core::Checkpoint& hf) {
  const nlohmann::json& config = hf.metadata();
  const std::string model_type = config.at("model_type");
  const bool llama_family = model_type == "llama" || model_type == "mistral";
  const std::string architecture = llama_family ? "llama" : model_type, prefix = architecture + ".";
  const auto number = [&](const char* key) { return config.at(key).get<std::uint32_t>(); };
  const std::uint32_t heads = number("num_attention_heads"), kv_heads = number("num_key_value_heads");
  const std::uint32_t head_dim = config.value("head_dim", number("hidden_size") / heads);

  GgufBuilder builder;
  builder.set("general.architecture", architecture)
      .set(prefix + "block_count", number("num_hidden_layers"))
      .set(prefix + "context_length", number("max_position_embeddings"))
      .set(prefix + "embedding_length", number("hidden_size"))
      .set(prefix + "feed_forward_length", number("intermediate_size"))
      .set(prefix + "attention.head_count", heads)
      .set(prefix + "attention.head_count_kv", kv_heads)
      .set(prefix + "attention.key_length", head_dim)
      .set(prefix + "attention.value_length", head_dim)
      .set(prefix + "rope.dimension_count", head_dim)
      .set(prefix + "attention.layer_norm_rms_epsilon", config.at("rms_norm_eps").get<float>());
  if (config.contains("sliding_window") && config["sliding_window"].is_number())
    builder.set(prefix + "attention.sliding_window", number("sliding_window"));
  addGgufRope(builder, prefix, config.at("rope_parameters"), head_dim);
  for (const core::TensorEntry& tensor : hf.tensors()) {
    const bool query = tensor.name.find("q_proj") != std::string::npos;
    const bool key = tensor.name.find("k_proj") != std::string::npos;
    Bytes bytes(tensor.bytes.begin(), tensor.bytes.end());
    if (llama_family && (query || key))
      bytes = interleaveRows(bytes, tensor.shape[0], query ? heads : kv_heads);
    builder.tensor(ggufTensorName(tensor.name), tensor.dtype, tensor.shape, bytes);
  }
  return builder.build();
}

}  // namespace vitrine::test
