// Turns a Hugging Face checkpoint of a dense decoder beyond Llama's kin (gemma, phi, gpt2, bloom ..) into a
// GGUF file as llama.cpp's converter does (F32 tensors), so that both ways of storing a model can be held
// against the same reference values: Gemma's norms with 1 added, GPT-2's matrices transposed, q, k and v of
// GPT-NeoX and BLOOM stacked, rotary pairs of Granite and SmolLM3 side by side.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "support/tensor_bytes.h"
#include "support/zoo_gguf.h"

namespace vitrine::test {

class DenseGguf {
 public:
  explicit DenseGguf(const core::Checkpoint& hf)
      : hf_(hf), config_(hf.metadata()), model_type_(config_.at("model_type").get<std::string>()) {
    width_ = number({"hidden_size", "n_embd"});
    heads_ = number({"num_attention_heads", "n_head"});
    kv_heads_ = number({"num_key_value_heads"}, heads_);
    head_dim_ = number({"head_dim"}, width_ / heads_);
  }

  Bytes build() {
    const std::string name = architecture(), prefix = name + ".";
    builder_.set("general.architecture", name);
    setSizes(prefix);
    setPositions(prefix);
    setScales(prefix);
    for (const core::TensorEntry& tensor : hf_.tensors()) {
      auto [shape, bytes] = converted(tensor);
      builder_.tensor(tensorName(tensor.name), tensor.dtype, shape, bytes);
    }
    return builder_.build();
  }

 private:
  using Stored = std::pair<std::vector<std::uint64_t>, Bytes>;

  bool is(std::string_view type) const { return model_type_ == type; }
  bool isGemma() const { return model_type_.starts_with("gemma"); }
  std::string architecture() const {
    if (is("gemma3_text")) return "gemma3";
    if (is("gpt_neox")) return "gptneox";
    return is("phi") ? "phi2" : model_type_;
  }
  const nlohmann::json* find(std::initializer_list<const char*> keys) const {
    for (const char* key : keys)
      if (config_.contains(key) && config_[key].is_number()) return &config_[key];
    return nullptr;
  }
  std::uint32_t number(std::initializer_list<const char*> keys, std::uint32_t otherwise = 0) const {
    const nlohmann::json* found = find(keys);
    return found ? found->get<std::uint32_t>() : otherwise;
  }

  void setSizes(const std::string& prefix) {
    builder_.set(prefix + "block_count", number({"num_hidden_layers", "n_layer"}))
        .set(prefix + "context_length", number({"max_position_embeddings", "n_positions"}, 256))
        .set(prefix + "embedding_length", width_)
        .set(prefix + "feed_forward_length", number({"intermediate_size"}, 4 * width_))
        .set(prefix + "attention.head_count", heads_)
        .set(prefix + "attention.head_count_kv", kv_heads_);
    if (find({"head_dim"})) builder_.set(prefix + "attention.key_length", head_dim_);
    if (const auto* rms = find({"rms_norm_eps"}))
      builder_.set(prefix + "attention.layer_norm_rms_epsilon", rms->get<float>());
    if (const auto* layer = find({"layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"}))
      builder_.set(prefix + "attention.layer_norm_epsilon", layer->get<float>());
  }

  void setPositions(const std::string& prefix) {
    if (const auto* window = find({"sliding_window"}))
      builder_.set(prefix + "attention.sliding_window", window->get<std::uint32_t>());
    if (!config_.contains("rope_parameters")) return;
    const nlohmann::json& rope = config_["rope_parameters"];
    const nlohmann::json& global = rope.value("full_attention", rope);
    builder_.set(prefix + "rope.freq_base", global.at("rope_theta").get<float>());
    const double part = rope.value("partial_rotary_factor", 1.0);
    builder_.set(prefix + "rope.dimension_count", static_cast<std::uint32_t>(head_dim_ * part));
  }

  void setScales(const std::string& prefix) {
    const std::pair<const char*, const char*> keys[] = {
        {"attn_logit_softcapping", "attn_logit_softcapping"},
        {"final_logit_softcapping", "final_logit_softcapping"},
        {"embedding_multiplier", "embedding_scale"},
        {"attention_multiplier", "attention.scale"},
        {"residual_multiplier", "residual_scale"},
        {"logits_scaling", "logit_scale"},
    };
    for (const auto& [hf, gguf] : keys)
      if (const auto* value = find({hf})) builder_.set(prefix + gguf, value->get<float>());
    if (config_.contains("use_parallel_residual"))
      builder_.set(prefix + "use_parallel_residual", config_["use_parallel_residual"].get<bool>());
  }

  std::string tensorName(const std::string& name) const {
    using Parts = std::vector<std::pair<std::string, std::string>>;
    // What llama.cpp calls otherwise than in Llama, longest first.
    static const Parts kNormsAround = {{"post_attention_layernorm", "post_attention_norm"},
                                       {"post_feedforward_layernorm", "post_ffw_norm"},
                                       {"pre_feedforward_layernorm", "ffn_norm"}};
    static const Parts kGlm = {{"post_self_attn_layernorm", "post_attention_norm"},
                               {"post_mlp_layernorm", "post_ffw_norm"}};
    static const Parts kOthers = {{"word_embeddings_layernorm", "token_embd_norm"},
                                  {"word_embeddings", "token_embd"},
                                  {"embed_in", "token_embd"},
                                  {"embed_out", "output"},
                                  {"final_layernorm", "output_norm"},
                                  {"final_layer_norm", "output_norm"},
                                  {"wte", "token_embd"},
                                  {"wpe", "position_embd"},
                                  {"ln_f", "output_norm"},
                                  {"ln_1", "attn_norm"},
                                  {"ln_2", "ffn_norm"},
                                  {"self_attn.qkv_proj", "attn_qkv"},
                                  {"attn.c_attn", "attn_qkv"},
                                  {"attn.c_proj", "attn_output"},
                                  {"self_attention.query_key_value", "attn_qkv"},
                                  {"attention.query_key_value", "attn_qkv"},
                                  {"self_attention.dense", "attn_output"},
                                  {"attention.dense", "attn_output"},
                                  {"self_attn.dense", "attn_output"},
                                  {"mlp.dense_h_to_4h", "ffn_up"},
                                  {"mlp.dense_4h_to_h", "ffn_down"},
                                  {"mlp.gate_up_proj", "ffn_up"},
                                  {"mlp.c_fc", "ffn_up"},
                                  {"mlp.c_proj", "ffn_down"},
                                  {"mlp.fc1", "ffn_up"},
                                  {"mlp.fc2", "ffn_down"},
                                  {"transformer.h.", "blk."},
                                  {"gpt_neox.layers.", "blk."},
                                  {"transformer.", ""},
                                  {"gpt_neox.", ""},
                                  {"model.output_norm", "output_norm"}};
    std::string out = name;
    const auto replace = [&out](const Parts& parts) {
      for (const auto& [hf, gguf] : parts)
        if (const std::size_t at = out.find(hf); at != std::string::npos) out.replace(at, hf.size(), gguf);
    };
    if (isGemma() || is("olmo2")) replace(kNormsAround);
    if (is("glm4")) replace(kGlm);
    replace(kOthers);
    return ggufTensorName(out);
  }

  Stored converted(const core::TensorEntry& tensor) const {
    const std::string& name = tensor.name;
    Stored out = {tensor.shape, Bytes(tensor.bytes.begin(), tensor.bytes.end())};
    const auto has = [&name](const char* part) { return name.find(part) != std::string::npos; };
    if (isGemma() && name.ends_with("norm.weight"))
      out.second = mapFloats(out.second, [](float gain) { return gain + 1; });
    if (is("gpt2") && tensor.shape.size() == 2 && has(".h."))
      out = {{tensor.shape[1], tensor.shape[0]},
             transposedBytes(tensor.bytes, 1, tensor.shape[0], tensor.shape[1])};
    if (has("query_key_value")) out.second = stacked(out.second);
    if ((is("granite") || is("smollm3")) && has("q_proj"))
      out.second = interleaveRows(out.second, tensor.shape[0], heads_);
    if ((is("granite") || is("smollm3")) && has("k_proj"))
      out.second = interleaveRows(out.second, tensor.shape[0], kv_heads_);
    return out;
  }

  // From q, k and v of each head in turn to all of q, then k, then v.
  Bytes stacked(const Bytes& bytes) const {
    const std::size_t head = bytes.size() / (3 * heads_);  // of one head of one of the three
    Bytes out(bytes.size());
    for (std::size_t part = 0; part < 3; ++part)
      for (std::size_t h = 0; h < heads_; ++h)
        std::memcpy(&out[(part * heads_ + h) * head], &bytes[(h * 3 + part) * head], head);
    return out;
  }

  const core::Checkpoint& hf_;
  const nlohmann::json& config_;
  std::string model_type_;
  std::uint32_t width_ = 0, heads_ = 0, kv_heads_ = 0, head_dim_ = 0;
  GgufBuilder builder_;
};

}  // namespace vitrine::test
