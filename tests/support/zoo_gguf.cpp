#include "support/zoo_gguf.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/arch/support/rope_scaling.h"

namespace vitrine::test {

Bytes interleaveRows(std::span<const std::byte> bytes, std::size_t rows, std::size_t heads) {
  const std::size_t row_bytes = bytes.size() / rows, head_dim = rows / heads;
  Bytes out(bytes.size());
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t head = row / head_dim, within = row % head_dim;
    const std::size_t to = head * head_dim + within % (head_dim / 2) * 2 + within / (head_dim / 2);
    std::memcpy(out.data() + to * row_bytes, bytes.data() + row * row_bytes, row_bytes);
  }
  return out;
}

std::string ggufTensorName(std::string name) {
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
      {"block_sparse_moe.gate", "ffn_gate_inp"},
      {"block_sparse_moe.router.layer", "ffn_gate_inp"},
      {"block_sparse_moe.output_linear", "ffn_down_exps"},
      {"mlp.gate.e_score_correction_bias", "exp_probs_b.bias"},
      {"mlp.gate.", "ffn_gate_inp."},
      {"mlp.shared_expert_gate", "ffn_gate_inp_shexp"},
      {"mlp.shared_experts.", "mlp.shared_expert."},
      {"mlp.shared_expert.gate_proj", "ffn_gate_shexp"},
      {"mlp.shared_expert.up_proj", "ffn_up_shexp"},
      {"mlp.shared_expert.down_proj", "ffn_down_shexp"},
      {"mlp.gate_proj", "ffn_gate"},
      {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"}};
  for (const auto& [hf, gguf] : kParts)
    if (const std::size_t at = name.find(hf); at != std::string::npos) name.replace(at, hf.size(), gguf);
  return name;
}

void addGgufRope(GgufBuilder& builder, const std::string& prefix, const nlohmann::json& rope,
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

namespace {

std::string stackName(const std::string& name, const std::string& part) {
  static const std::map<std::string, std::string> kParts = {
      {"w1.weight", "gate"},        {"w2.weight", "down"},    {"w3.weight", "up"},
      {"gate_proj.weight", "gate"}, {"up_proj.weight", "up"}, {"down_proj.weight", "down"}};
  return ggufTensorName(name.substr(0, name.find('.', 13) + 1)) + "ffn_" + kParts.at(part) + "_exps.weight";
}

void writeFused(GgufBuilder& builder, const core::TensorEntry& tensor) {
  const std::size_t experts = tensor.shape[0], half = tensor.bytes.size() / experts / 2;
  Bytes parts[2];
  for (std::size_t i = 0; i < 2 * experts; ++i) {
    const auto bytes = tensor.bytes.subspan(i * half, half);
    parts[i % 2].insert(parts[i % 2].end(), bytes.begin(), bytes.end());
  }
  const std::string layer = ggufTensorName(tensor.name.substr(0, tensor.name.find('.', 13) + 1));
  const std::vector<std::uint64_t> shape{experts, tensor.shape[1] / 2, tensor.shape[2]};
  builder.tensor(layer + "ffn_gate_exps.weight", core::DType::kF32, shape, parts[0]);
  builder.tensor(layer + "ffn_up_exps.weight", core::DType::kF32, shape, parts[1]);
}

}  // namespace

bool GgufExperts::take(const core::TensorEntry& tensor) {
  const std::string& name = tensor.name;
  if (const std::size_t at = name.find(".experts."); at != std::string::npos) {
    const std::size_t number = at + 9, part = name.find('.', number) + 1;
    stack_[stackName(name, name.substr(part))][std::stoul(name.substr(number))] = &tensor;
    return true;
  }
  if (name.find("input_linear") == std::string::npos) return false;
  fused_.push_back(&tensor);
  return true;
}

void GgufExperts::write(GgufBuilder& builder, ExpertsInGguf stored) const {
  if (stored == ExpertsInGguf::kOneByOne) return writeOneByOne(builder);
  for (const auto& [name, experts] : stack_) {
    const std::size_t gate = stored == ExpertsInGguf::kGateUpFused ? name.find("gate") : std::string::npos;
    const bool up = stored == ExpertsInGguf::kGateUpFused && name.find("up") != std::string::npos;
    if (up) continue;
    const bool both = gate != std::string::npos;
    const auto& ups = both ? stack_.at(std::string(name).replace(gate, 4, "up")) : experts;
    Bytes bytes;
    for (const auto& [number, tensor] : experts) {
      GgufBuilder::appendBytes(bytes, tensor->bytes);
      if (both) GgufBuilder::appendBytes(bytes, ups.at(number)->bytes);
    }
    const auto& shape = experts.begin()->second->shape;
    builder.tensor(both ? std::string(name).replace(gate, 4, "gate_up") : name, core::DType::kF32,
                   {experts.size(), shape[0] * (both ? 2 : 1), shape[1]}, bytes);
  }
  for (const core::TensorEntry* tensor : fused_) writeFused(builder, *tensor);
}

// blk.0.ffn_gate_exps.weight as blk.0.ffn_gate.0.weight ..
void GgufExperts::writeOneByOne(GgufBuilder& builder) const {
  for (const auto& [name, experts] : stack_)
    for (const auto& [number, tensor] : experts)
      builder.tensor(name.substr(0, name.find("_exps")) + "." + std::to_string(number) + ".weight",
                     tensor->dtype, tensor->shape, tensor->bytes);
}

void addGgufExpertKeys(GgufBuilder& builder, const std::string& prefix, const nlohmann::json& config) {
  static const std::vector<std::pair<const char*, const char*>> kCounts = {
      {"num_local_experts", "expert_count"},
      {"num_experts", "expert_count"},
      {"n_routed_experts", "expert_count"},
      {"num_experts_per_tok", "expert_used_count"},
      {"moe_intermediate_size", "expert_feed_forward_length"},
      {"shared_expert_intermediate_size", "expert_shared_feed_forward_length"},
      {"n_shared_experts", "expert_shared_count"},
      {"n_group", "expert_group_count"},
      {"topk_group", "expert_group_used_count"},
      {"first_k_dense_replace", "leading_dense_block_count"}};
  for (const auto& [hf, gguf] : kCounts)
    if (config.contains(hf) && config[hf].is_number())
      builder.set(prefix + gguf, config[hf].get<std::uint32_t>());
  if (config.contains("routed_scaling_factor")) {
    builder.set(prefix + "expert_weights_scale", config["routed_scaling_factor"].get<float>())
        .set(prefix + "expert_weights_norm", config["norm_topk_prob"].get<bool>())
        .set(prefix + "expert_gating_func", std::uint32_t{config["model_type"] == "deepseek_v2" ? 1u : 2u});
  }
  static const std::vector<std::pair<const char*, const char*>> kScales = {
      {"attention_multiplier", "attention.scale"},
      {"embedding_multiplier", "embedding_scale"},
      {"residual_multiplier", "residual_scale"},
      {"logits_scaling", "logit_scale"}};
  for (const auto& [hf, gguf] : kScales)
    if (config.contains(hf)) builder.set(prefix + gguf, config[hf].get<float>());
}

Bytes zooAsGguf(const core::Checkpoint& hf, ExpertsInGguf stored) {
  const nlohmann::json& config = hf.metadata();
  const std::string model_type = config.at("model_type");
  const bool llama_like = model_type == "llama" || model_type == "mistral" || model_type == "mixtral";
  const bool llama_family = llama_like || model_type == "granitemoe";
  std::string architecture = llama_like ? "llama" : model_type;
  std::erase(architecture, '_');  // qwen2_moe is qwen2moe there
  const std::string prefix = architecture + ".";
  const auto number = [&](const char* key) { return config.at(key).get<std::uint32_t>(); };
  const std::uint32_t heads = number("num_attention_heads"), kv_heads = number("num_key_value_heads");
  const bool given = config.contains("head_dim") && config["head_dim"].is_number();
  const std::uint32_t head_dim = given ? number("head_dim") : number("hidden_size") / heads;

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
  addGgufExpertKeys(builder, prefix, config);
  GgufExperts experts;
  for (const core::TensorEntry& tensor : hf.tensors()) {
    if (experts.take(tensor)) continue;
    const bool query = tensor.name.find("q_proj") != std::string::npos;
    const bool key = tensor.name.find("k_proj") != std::string::npos;
    Bytes bytes(tensor.bytes.begin(), tensor.bytes.end());
    if (llama_family && (query || key))
      bytes = interleaveRows(bytes, tensor.shape[0], query ? heads : kv_heads);
    auto shape = tensor.shape;
    if (tensor.name.ends_with("shared_expert_gate.weight")) shape.erase(shape.begin());
    builder.tensor(ggufTensorName(tensor.name), tensor.dtype, shape, bytes);
  }
  experts.write(builder, stored);
  return builder.build();
}

}  // namespace vitrine::test
