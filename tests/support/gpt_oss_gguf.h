// Turns a Hugging Face checkpoint of a gpt-oss into a GGUF file as llama.cpp's converter does (F32 tensors):
// the experts, stored transposed and with gate and up in turn, as three stacks of rows, and their biases. As
// in the released files, the stacks of gate and up can be of 4-bit floats; what these stand for, too.
#pragma once

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "core/checkpoint/checkpoint.h"
#include "core/tensor/dequantize.h"
#include "support/tensor_bytes.h"
#include "support/zoo_gguf.h"

namespace vitrine::test {

enum class GateAndUp { kFloats, kMxfp4, kExpandedMxfp4 };

class GptOssGguf {
 public:
  explicit GptOssGguf(const core::Checkpoint& hf, GateAndUp stored = GateAndUp::kFloats)
      : hf_(hf), config_(hf.metadata()), stored_(stored) {}

  // To add keys to.
  GgufBuilder& builder() { return builder_; }

  Bytes build() {
    builder_.set("general.architecture", "gpt-oss");
    setKeys();
    for (const core::TensorEntry& tensor : hf_.tensors()) {
      if (tensor.name.find("gate_up_proj") != std::string::npos) {
        addHalves(tensor);
      } else if (tensor.name.find("experts.down_proj") != std::string::npos) {
        addDown(tensor);
      } else {
        builder_.tensor(tensorName(tensor.name), tensor.dtype, tensor.shape, tensor.bytes);
      }
    }
    return builder_.build();
  }

 private:
  static constexpr const char* kPrefix = "gpt-oss.";

  std::uint32_t number(const char* key) const { return config_.at(key).get<std::uint32_t>(); }
  void set(const std::string& key, std::uint32_t value) { builder_.set(kPrefix + key, value); }

  void setKeys() {
    set("block_count", number("num_hidden_layers"));
    set("context_length", number("max_position_embeddings"));
    set("embedding_length", number("hidden_size"));
    set("feed_forward_length", number("intermediate_size"));
    set("expert_feed_forward_length", number("intermediate_size"));
    set("expert_count", number("num_local_experts"));
    set("expert_used_count", number("num_experts_per_tok"));
    set("attention.head_count", number("num_attention_heads"));
    set("attention.head_count_kv", number("num_key_value_heads"));
    set("attention.key_length", number("head_dim"));
    set("attention.value_length", number("head_dim"));
    set("attention.sliding_window", number("sliding_window"));
    builder_.set(std::string(kPrefix) + "attention.layer_norm_rms_epsilon",
                 config_.at("rms_norm_eps").get<float>());
    const nlohmann::json& rope = config_.at("rope_parameters");
    addGgufRope(builder_, kPrefix, rope, number("head_dim"));
    for (const char* key : {"beta_fast", "beta_slow"})
      builder_.set(kPrefix + std::string("rope.scaling.yarn_") + key, rope.at(key).get<float>());
  }

  static std::string tensorName(std::string name) {
    for (const auto& [hf, gguf] :
         {std::pair<std::string, std::string>{"self_attn.sinks", "attn_sinks.weight"},
          {"post_attention_layernorm", "post_attention_norm"},
          {"mlp.router", "ffn_gate_inp"}})
      if (const std::size_t at = name.find(hf); at != std::string::npos) name.replace(at, hf.size(), gguf);
    return ggufTensorName(name);
  }

  static std::string expertName(const core::TensorEntry& tensor, const char* part) {
    const std::string layer = tensorName(tensor.name.substr(0, tensor.name.find("mlp.")));
    return layer + "ffn_" + part + (tensor.name.ends_with("_bias") ? "_exps.bias" : "_exps.weight");
  }

  // gate_up_proj (experts, d, 2 width) or gate_up_proj_bias (experts, 2 width).
  void addHalves(const core::TensorEntry& tensor) {
    const std::uint64_t experts = tensor.shape[0], both = tensor.shape.back(), rows = experts * both;
    const bool bias = tensor.shape.size() == 2;
    const Bytes bytes = bias ? Bytes(tensor.bytes.begin(), tensor.bytes.end())
                             : transposedBytes(tensor.bytes, experts, tensor.shape[1], both);
    std::vector<std::uint64_t> shape = {experts, both / 2};
    if (!bias) shape.push_back(tensor.shape[1]);
    for (const std::size_t half : {0, 1}) {
      const std::string name = expertName(tensor, half == 0 ? "gate" : "up");
      const Bytes some = pickRows(bytes, rows, runs(half, 1, 2, rows / 2));
      if (bias || stored_ == GateAndUp::kFloats)
        builder_.tensor(name, tensor.dtype, shape, some);
      else if (const Bytes blocks = mxfp4Of(some); stored_ == GateAndUp::kMxfp4)
        builder_.tensor(name, core::DType::kMXFP4, shape, blocks);
      else
        builder_.tensor(name, tensor.dtype, shape, expanded(blocks));
    }
  }

  // Blocks of 32 numbers near those given: an exponent, and two numbers a byte.
  static Bytes mxfp4Of(const Bytes& floats) {
    constexpr std::size_t kBlock = 32 * sizeof(float);
    constexpr std::byte kExponent{125};  // 2^-3 / 2
    Bytes blocks;
    for (std::size_t at = 0; at < floats.size(); at += kBlock) {
      float values[32];
      std::memcpy(values, &floats[at], kBlock);
      blocks.push_back(kExponent);
      for (std::size_t i = 0; i < 16; ++i)
        blocks.push_back(static_cast<std::byte>(nibble(values[i]) | nibble(values[i + 16]) << 4));
    }
    return blocks;
  }

  // A sign, and a magnitude of 0 to 7 sixteenths.
  static unsigned nibble(float value) {
    const auto magnitude = static_cast<unsigned>(std::min(std::abs(value) * 16, 7.0f));
    return magnitude | (value < 0 ? 8u : 0u);
  }

  static Bytes expanded(const Bytes& blocks) {
    std::vector<float> values(blocks.size() / 17 * 32);
    VITRINE_ASSERT(core::dequantize(core::DType::kMXFP4, blocks, values));
    const auto bytes = std::as_bytes(std::span(values));
    return Bytes(bytes.begin(), bytes.end());
  }

  // down_proj (experts, width, d) or down_proj_bias (experts, d).
  void addDown(const core::TensorEntry& tensor) {
    const auto& shape = tensor.shape;
    if (shape.size() == 2) {
      builder_.tensor(expertName(tensor, "down"), tensor.dtype, shape, tensor.bytes);
    } else {
      builder_.tensor(expertName(tensor, "down"), tensor.dtype, {shape[0], shape[2], shape[1]},
                      transposedBytes(tensor.bytes, shape[0], shape[1], shape[2]));
    }
  }

  const core::Checkpoint& hf_;
  const nlohmann::json& config_;
  GateAndUp stored_;
  GgufBuilder builder_;
};

}  // namespace vitrine::test
