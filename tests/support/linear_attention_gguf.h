// Turns a Hugging Face checkpoint of a qwen3_next or a minimax into a GGUF file as llama.cpp's converter does
// or did (F32 tensors). Qwen3-Next's: 1 added to gains, A instead of its logarithm, q, k and v of the key
// heads below each other beside z, or in older files all four by key heads as Hugging Face has them.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "core/checkpoint/checkpoint.h"
#include "support/tensor_bytes.h"
#include "support/zoo_gguf.h"

namespace vitrine::test {

enum class DeltaInput { kTwoTensors, kOneTensor };  // one: in old files

class Qwen3NextGguf {
 public:
  Qwen3NextGguf(const core::Checkpoint& hf, DeltaInput stored)
      : hf_(hf), config_(hf.metadata()), stored_(stored) {}

  // To add keys to.
  GgufBuilder& builder() { return builder_; }

  Bytes build() {
    builder_.set("general.architecture", "qwen3next");
    setSizes();
    addGgufRope(builder_, kPrefix, config_.at("rope_parameters"), number("head_dim"));
    addGgufExpertKeys(builder_, kPrefix, config_);
    GgufExperts experts;
    for (const core::TensorEntry& tensor : hf_.tensors()) {
      if (experts.take(tensor)) continue;
      if (stored_ == DeltaInput::kTwoTensors && tensor.name.find("in_proj_qkvz") != std::string::npos) {
        addApart(tensor);
      } else {
        add(tensor);
      }
    }
    experts.write(builder_);
    return builder_.build();
  }

 private:
  static constexpr const char* kPrefix = "qwen3next.";

  std::uint32_t number(const char* key) const { return config_.at(key).get<std::uint32_t>(); }
  void set(const std::string& key, std::uint32_t value) { builder_.set(kPrefix + key, value); }

  void setSizes() {
    const auto part = config_.at("rope_parameters").at("partial_rotary_factor").get<double>();
    set("block_count", number("num_hidden_layers"));
    set("context_length", number("max_position_embeddings"));
    set("embedding_length", number("hidden_size"));
    set("feed_forward_length", number("intermediate_size"));
    set("full_attention_interval", config_.value("full_attention_interval", 4u));
    set("attention.head_count", number("num_attention_heads"));
    set("attention.head_count_kv", number("num_key_value_heads"));
    set("attention.key_length", number("head_dim"));
    set("attention.value_length", number("head_dim"));
    set("rope.dimension_count", static_cast<std::uint32_t>(number("head_dim") * part));
    set("ssm.conv_kernel", number("linear_conv_kernel_dim"));
    set("ssm.state_size", number("linear_key_head_dim"));
    set("ssm.group_count", number("linear_num_key_heads"));
    set("ssm.time_step_rank", number("linear_num_value_heads"));
    set("ssm.inner_size", number("linear_num_value_heads") * number("linear_value_head_dim"));
    builder_.set(std::string(kPrefix) + "attention.layer_norm_rms_epsilon",
                 config_.at("rms_norm_eps").get<float>());
  }

  static std::string tensorName(std::string name) {
    static const std::pair<std::string, std::string> kParts[] = {
        {"post_attention_layernorm", "post_attention_norm"},
        {"linear_attn.A_log", "ssm_a"},
        {"linear_attn.dt_bias", "ssm_dt.bias"},
        {"linear_attn.conv1d", "ssm_conv1d"},
        {"linear_attn.in_proj_qkvz", "ssm_in"},
        {"linear_attn.in_proj_ba", "ssm_ba"},
        {"linear_attn.norm", "ssm_norm"},
        {"linear_attn.out_proj", "ssm_out"}};
    for (const auto& [hf, gguf] : kParts)
      if (const std::size_t at = name.find(hf); at != std::string::npos) name.replace(at, hf.size(), gguf);
    return ggufTensorName(name);
  }

  void add(const core::TensorEntry& tensor) {
    const std::string& name = tensor.name;
    Bytes bytes(tensor.bytes.begin(), tensor.bytes.end());
    auto shape = tensor.shape;
    if (shape.size() == 3) shape.erase(shape.begin() + 1);
    if (name.ends_with("shared_expert_gate.weight")) shape.erase(shape.begin());
    if (name.ends_with("A_log")) bytes = mapFloats(bytes, [](float log) { return -std::exp(log); });
    if (name.ends_with("norm.weight") && !name.ends_with("linear_attn.norm.weight"))
      bytes = mapFloats(bytes, [](float gain) { return gain + 1; });
    builder_.tensor(tensorName(name), tensor.dtype, shape, bytes);
  }

  // q, k, v and z of each key head in turn as all of q, k and v, and z.
  void addApart(const core::TensorEntry& tensor) {
    const std::size_t heads = number("linear_num_key_heads"), keys = number("linear_key_head_dim");
    const std::size_t values = number("linear_num_value_heads") / heads * number("linear_value_head_dim");
    const std::size_t each = 2 * keys + 2 * values, rows = heads * each, columns = tensor.shape[1];
    Bytes qkv;
    for (const auto& [first, run] : {std::pair{std::size_t{0}, keys}, {keys, keys}, {2 * keys, values}})
      GgufBuilder::appendBytes(qkv, pickRows(tensor.bytes, rows, runs(first, run, each, heads)));
    const Bytes z = pickRows(tensor.bytes, rows, runs(2 * keys + values, values, each, heads));
    const std::string layer = tensorName(tensor.name.substr(0, tensor.name.find("linear_attn")));
    builder_.tensor(layer + "attn_qkv.weight", tensor.dtype, {heads * (2 * keys + values), columns}, qkv);
    builder_.tensor(layer + "attn_gate.weight", tensor.dtype, {heads * values, columns}, z);
  }

  const core::Checkpoint& hf_;
  const nlohmann::json& config_;
  DeltaInput stored_;
  GgufBuilder builder_;
};

inline std::string minimaxTensorName(std::string name) {
  static const std::pair<std::string, std::string> kParts[] = {{"self_attn.qkv_proj", "attn_qkv"},
                                                               {"self_attn.output_gate", "attn_gate"},
                                                               {"self_attn.norm", "attn_norm_2"},
                                                               {"self_attn.out_proj", "attn_output"}};
  for (const auto& [hf, gguf] : kParts)
    if (const std::size_t at = name.find(hf); at != std::string::npos) name.replace(at, hf.size(), gguf);
  return ggufTensorName(name);
}

// The converter leaves it to the reader which layers are linear; here they are listed.
inline Bytes minimaxAsGguf(const core::Checkpoint& hf) {
  const nlohmann::json& config = hf.metadata();
  const std::string prefix = "minimax-01.";
  const auto number = [&](const char* key) { return config.at(key).get<std::uint32_t>(); };
  std::vector<bool> linear;
  for (const auto& type : config.at("layer_types")) linear.push_back(type == "linear_attention");
  GgufBuilder builder;
  builder.set("general.architecture", "minimax-01")
      .set(prefix + "block_count", number("num_hidden_layers"))
      .set(prefix + "context_length", number("max_position_embeddings"))
      .set(prefix + "embedding_length", number("hidden_size"))
      .set(prefix + "feed_forward_length", number("intermediate_size"))
      .set(prefix + "attention.head_count", number("num_attention_heads"))
      .set(prefix + "attention.head_count_kv", number("num_key_value_heads"))
      .set(prefix + "attention.key_length", number("head_dim"))
      .set(prefix + "attention.value_length", number("head_dim"))
      .set(prefix + "attention.layer_norm_rms_epsilon", config.at("rms_norm_eps").get<float>())
      .set(prefix + "attention.recurrent_layers", linear)
      .set(prefix + "rope.dimension_count", number("head_dim"))
      .set(prefix + "residual_scale", config.at("full_attn_alpha_factor").get<float>());
  addGgufRope(builder, prefix, config.at("rope_parameters"), number("head_dim"));
  addGgufExpertKeys(builder, prefix, config);
  GgufExperts experts;
  for (const core::TensorEntry& tensor : hf.tensors()) {
    const bool table = tensor.name.ends_with("_decay") || tensor.name.ends_with("slope_rate");
    if (table || experts.take(tensor)) continue;
    builder.tensor(minimaxTensorName(tensor.name), tensor.dtype, tensor.shape, tensor.bytes);
  }
  experts.write(builder);
  return builder.build();
}

}  // namespace vitrine::test
