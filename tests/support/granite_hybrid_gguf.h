// Turns a Hugging Face checkpoint of a bamba into a GGUF file as llama.cpp's converter does (F32 tensors): a
// granitehybrid, A instead of its logarithm, rows of q and k reordered as if whole heads turned. What Granite
// 4 has beyond Bamba can be put in so that the model computes the same: multipliers, made up for in the
// weights, and experts, which share the MLP with a shared expert and are all alike.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "core/checkpoint/checkpoint.h"
#include "support/tensor_bytes.h"
#include "support/zoo_gguf.h"

namespace vitrine::test {

struct GraniteParts {
  bool multipliers = false, experts = false;
  bool turns = true;  // Granite's heads do not
};

class GraniteHybridGguf {
 public:
  GraniteHybridGguf(const core::Checkpoint& hf, GraniteParts parts)
      : hf_(hf), config_(hf.metadata()), parts_(parts) {
    head_dim_ = number("hidden_size") / number("num_attention_heads");
    if (parts.experts) shared_ = number("intermediate_size") / 4;
    if (!parts.multipliers) return;
    embedding_ = 12;
    residual_ = 0.22f;
    attention_ = 0.1f;
    divisor_ = 8;
  }

  // To add keys to.
  GgufBuilder& builder() { return builder_; }

  Bytes build() {
    builder_.set("general.architecture", "granitehybrid");
    setSizes();
    setScales();
    for (const core::TensorEntry& tensor : hf_.tensors()) {
      if (parts_.experts && tensor.name.find("feed_forward.") != std::string::npos)
        addExperts(tensor);
      else
        add(tensor);
    }
    return builder_.build();
  }

 private:
  static constexpr const char* kPrefix = "granitehybrid.";
  static constexpr std::uint32_t kExperts = 4;

  std::uint32_t number(const char* key) const { return config_.at(key).get<std::uint32_t>(); }
  void set(const std::string& key, std::uint32_t value) { builder_.set(kPrefix + key, value); }
  void setFloat(const std::string& key, float value) { builder_.set(kPrefix + key, value); }

  void setSizes() {
    std::vector<std::int32_t> kv_heads(number("num_hidden_layers"), 0);
    for (const std::size_t layer : config_.at("attn_layer_indices"))
      kv_heads[layer] = config_.at("num_key_value_heads").get<std::int32_t>();
    builder_.set(std::string(kPrefix) + "attention.head_count_kv", kv_heads);
    builder_.set(std::string(kPrefix) + "rope.scaling.finetuned", parts_.turns);
    set("block_count", number("num_hidden_layers"));
    set("context_length", number("max_position_embeddings"));
    set("embedding_length", number("hidden_size"));
    set("feed_forward_length", number("intermediate_size") - shared_);
    set("attention.head_count", number("num_attention_heads"));
    set("rope.dimension_count", head_dim_ / 2);
    set("ssm.conv_kernel", number("mamba_d_conv"));
    set("ssm.state_size", number("mamba_d_state"));
    set("ssm.group_count", number("mamba_n_groups"));
    set("ssm.inner_size", number("mamba_expand") * number("hidden_size"));
    set("ssm.time_step_rank", number("mamba_n_heads"));
    setFloat("rope.freq_base", config_.at("rope_parameters").at("rope_theta").get<float>());
    setFloat("attention.layer_norm_rms_epsilon", config_.at("rms_norm_eps").get<float>());
    set("expert_count", parts_.experts ? kExperts : 0);
    if (!parts_.experts) return;
    set("expert_used_count", 2);
    set("expert_shared_feed_forward_length", shared_);
  }

  void setScales() {
    if (!parts_.multipliers) return;
    setFloat("embedding_scale", embedding_);
    setFloat("residual_scale", residual_);
    setFloat("attention.scale", attention_);
    setFloat("logit_scale", divisor_);
  }

  static std::string tensorName(std::string name) {
    static const std::pair<std::string, std::string> kParts[] = {{"model.final_layernorm", "output_norm"},
                                                                 {"pre_ff_layernorm", "ffn_norm"},
                                                                 {"feed_forward.gate_proj", "ffn_gate"},
                                                                 {"feed_forward.up_proj", "ffn_up"},
                                                                 {"feed_forward.down_proj", "ffn_down"},
                                                                 {"mamba.A_log", "ssm_a"},
                                                                 {"mamba.D", "ssm_d"},
                                                                 {"mamba.dt_bias", "ssm_dt.bias"},
                                                                 {"mamba.in_proj", "ssm_in"},
                                                                 {"mamba.conv1d", "ssm_conv1d"},
                                                                 {"mamba.norm", "ssm_norm"},
                                                                 {"mamba.out_proj", "ssm_out"}};
    for (const auto& [hf, gguf] : kParts)
      if (const std::size_t at = name.find(hf); at != std::string::npos) name.replace(at, hf.size(), gguf);
    return ggufTensorName(name);
  }

  // What makes up for the multiplier behind the tensor.
  float factor(const std::string& name) const {
    const auto has = [&name](const char* part) { return name.find(part) != std::string::npos; };
    if (has("embed_tokens")) return 1 / embedding_;
    if (has("out_proj") || has("o_proj") || has("down_proj")) return 1 / residual_;
    if (has("lm_head")) return divisor_;
    if (has("q_proj") && parts_.multipliers) return 1 / std::sqrt(static_cast<float>(head_dim_)) / attention_;
    return 1;
  }

  Bytes scaled(const core::TensorEntry& tensor) const {
    return mapFloats(tensor.bytes, [by = factor(tensor.name)](float value) { return value * by; });
  }

  void add(const core::TensorEntry& tensor) {
    const std::string& name = tensor.name;
    Bytes bytes = scaled(tensor);
    auto shape = tensor.shape;
    if (shape.size() == 3) shape.erase(shape.begin() + 1);
    if (name.ends_with("A_log")) bytes = mapFloats(bytes, [](float log) { return -std::exp(log); });
    if (name.ends_with("A_log") || name.ends_with(".D")) shape.push_back(1);
    if (name.ends_with("mamba.norm.weight")) {
      const std::uint64_t groups = number("mamba_n_groups");
      shape = {groups, shape[0] / groups};
    }
    if (name.find("q_proj") != std::string::npos || name.find("k_proj") != std::string::npos)
      bytes = interleaveRows(bytes, shape[0], shape[0] / head_dim_);
    builder_.tensor(tensorName(name), tensor.dtype, shape, bytes);
  }

  // The first channels of the MLP as the shared expert, the others as each of the experts; rows of the gate
  // as a router.
  void addExperts(const core::TensorEntry& tensor) {
    const bool down = tensor.name.find("down_proj") != std::string::npos;
    const std::uint64_t rows = tensor.shape[0], columns = tensor.shape[1];
    const std::uint64_t channels = down ? columns : rows, width = down ? rows : columns;
    const std::uint64_t own = channels - shared_;
    const Bytes all = down ? transposedBytes(scaled(tensor), 1, rows, columns) : scaled(tensor);
    const auto part = [&](std::size_t first, std::size_t count) {
      const Bytes some = pickRows(all, channels, runs(first, count, 0, 1));
      return down ? transposedBytes(some, 1, count, width) : some;
    };
    Bytes experts;
    for (std::uint32_t e = 0; e < kExperts; ++e) GgufBuilder::appendBytes(experts, part(shared_, own));
    const std::string full = tensorName(tensor.name), name = full.substr(0, full.size() - 7);  // ".weight"
    using Shape = std::vector<std::uint64_t>;
    builder_.tensor(name + "_shexp.weight", tensor.dtype,
                    down ? Shape{width, shared_} : Shape{shared_, width}, part(0, shared_));
    builder_.tensor(name + "_exps.weight", tensor.dtype,
                    down ? Shape{kExperts, width, own} : Shape{kExperts, own, width}, experts);
    if (tensor.name.find("gate_proj") != std::string::npos)
      builder_.tensor(name + "_inp.weight", tensor.dtype, {kExperts, width}, part(0, kExperts));
  }

  const core::Checkpoint& hf_;
  const nlohmann::json& config_;
  GraniteParts parts_;
  std::uint32_t head_dim_ = 0, shared_ = 0;
  float embedding_ = 1, residual_ = 1, attention_ = 1, divisor_ = 1;
  GgufBuilder builder_;
};

}  // namespace vitrine::test
