// Turns a Hugging Face checkpoint of a DeepSeek-V2 or V3 into a GGUF file as llama.cpp's converter does or
// did: what makes keys and values of a latent as two tensors, the keys' transposed, or in older files as one.
#pragma once

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "core/checkpoint/checkpoint.h"
#include "core/tensor/dequantize.h"
#include "support/zoo_gguf.h"

namespace vitrine::test {

enum class KeyValueUp { kOneTensor, kTwoTensors };

class LatentGguf {
 public:
  // `type` of what makes keys and values of the latent: F32 or Q8_0.
  LatentGguf(const core::Checkpoint& hf, KeyValueUp stored, core::DType type = core::DType::kF32)
      : hf_(hf), config_(hf.metadata()), stored_(stored), type_(type) {}

  // To add keys to.
  GgufBuilder& builder() { return builder_; }

  Bytes build() {
    builder_.set("general.architecture", "deepseek2");
    setSizes();
    setRope();
    addGgufExpertKeys(builder_, kPrefix, config_);
    GgufExperts experts;
    for (const core::TensorEntry& tensor : hf_.tensors()) {
      if (experts.take(tensor)) continue;
      if (tensor.name.find("kv_b_proj") != std::string::npos) {
        addKeyValueUp(tensor);
      } else {
        builder_.tensor(tensorName(tensor.name), tensor.dtype, tensor.shape, tensor.bytes);
      }
    }
    experts.write(builder_);
    return builder_.build();
  }

 private:
  static constexpr const char* kPrefix = "deepseek2.";

  std::uint32_t number(const char* key) const { return config_.at(key).get<std::uint32_t>(); }
  void set(const std::string& key, std::uint32_t value) { builder_.set(kPrefix + key, value); }

  void setSizes() {
    const std::uint32_t rank = number("kv_lora_rank"), rotary = number("qk_rope_head_dim");
    const std::uint32_t key = number("qk_nope_head_dim") + rotary, value = number("v_head_dim");
    const bool two = stored_ == KeyValueUp::kTwoTensors;
    set("block_count", number("num_hidden_layers"));
    set("context_length", number("max_position_embeddings"));
    set("embedding_length", number("hidden_size"));
    set("feed_forward_length", number("intermediate_size"));
    set("attention.head_count", number("num_attention_heads"));
    set("attention.head_count_kv", two ? 1 : number("num_attention_heads"));
    set("attention.kv_lora_rank", rank);
    if (config_.at("q_lora_rank").is_number()) set("attention.q_lora_rank", number("q_lora_rank"));
    set("attention.key_length", two ? rank + rotary : key);
    set("attention.value_length", two ? rank : value);
    if (two) set("attention.key_length_mla", key);
    if (two) set("attention.value_length_mla", value);
    set("rope.dimension_count", rotary);
    builder_.set(std::string(kPrefix) + "attention.layer_norm_rms_epsilon",
                 config_.at("rms_norm_eps").get<float>());
  }

  void setRope() {
    const nlohmann::json& rope = config_.at("rope_parameters");
    addGgufRope(builder_, kPrefix, rope, number("qk_rope_head_dim"));
    if (rope.contains("mscale_all_dim"))
      builder_.set(std::string(kPrefix) + "rope.scaling.yarn_log_multiplier",
                   0.1f * rope["mscale_all_dim"].get<float>());
  }

  static std::string tensorName(std::string name) {
    static const std::pair<std::string, std::string> kParts[] = {
        {"self_attn.q_a_proj", "attn_q_a"},
        {"self_attn.q_a_layernorm", "attn_q_a_norm"},
        {"self_attn.q_b_proj", "attn_q_b"},
        {"self_attn.kv_a_proj_with_mqa", "attn_kv_a_mqa"},
        {"self_attn.kv_a_layernorm", "attn_kv_a_norm"}};
    for (const auto& [hf, gguf] : kParts)
      if (const std::size_t at = name.find(hf); at != std::string::npos) name.replace(at, hf.size(), gguf);
    return ggufTensorName(name);
  }

  // Rows of one head: `plain` of its keys, then `value` of its values, all of `rank` numbers.
  void addKeyValueUp(const core::TensorEntry& tensor) {
    const std::size_t heads = number("num_attention_heads"), rank = number("kv_lora_rank");
    const std::size_t plain = number("qk_nope_head_dim"), value = number("v_head_dim");
    std::vector<float> all(tensor.elements());
    std::memcpy(all.data(), tensor.bytes.data(), tensor.bytes.size());
    const std::string layer = ggufTensorName(tensor.name.substr(0, tensor.name.find('.', 13) + 1));
    if (stored_ == KeyValueUp::kOneTensor) {
      add(layer + "attn_kv_b.weight", tensor.shape, all);
      return;
    }
    std::vector<float> keys, values;
    for (std::size_t head = 0; head < heads; ++head) {
      const float* rows = &all[head * (plain + value) * rank];
      for (std::size_t r = 0; r < rank; ++r)
        for (std::size_t c = 0; c < plain; ++c) keys.push_back(rows[c * rank + r]);
      values.insert(values.end(), rows + plain * rank, rows + (plain + value) * rank);
    }
    add(layer + "attn_k_b.weight", {heads, rank, plain}, keys);
    add(layer + "attn_v_b.weight", {heads, value, rank}, values);
  }

  void add(const std::string& name, const std::vector<std::uint64_t>& shape,
           const std::vector<float>& values) {
    const bool plain = type_ == core::DType::kF32;
    const auto floats = std::as_bytes(std::span(values));
    builder_.tensor(name, type_, shape, plain ? Bytes(floats.begin(), floats.end()) : quantized(values));
  }

  // Q8_0: blocks of 32 with a half float in front.
  static Bytes quantized(const std::vector<float>& values) {
    constexpr std::size_t kBlock = 32;
    constexpr float kLargest = 127;
    Bytes bytes;
    for (std::size_t first = 0; first < values.size(); first += kBlock) {
      float most = 0;
      for (std::size_t i = 0; i < kBlock; ++i) most = std::max(most, std::abs(values[first + i]));
      const std::uint16_t half = core::floatToHalf(most / kLargest);
      GgufBuilder::append(bytes, half);
      const float scale = std::max(core::halfToFloat(half), 1e-9f);
      for (std::size_t i = 0; i < kBlock; ++i)
        GgufBuilder::append(bytes, static_cast<std::int8_t>(std::lround(
                                       std::clamp(values[first + i] / scale, -kLargest, kLargest))));
    }
    return bytes;
  }

  const core::Checkpoint& hf_;
  const nlohmann::json& config_;
  KeyValueUp stored_;
  core::DType type_;
  GgufBuilder builder_;
};

}  // namespace vitrine::test
