#include "support/small_model.h"

#include <nlohmann/json.hpp>
#include <string>

namespace vitrine::test {

nlohmann::json smallConfig(const SmallSizes& s) {
  nlohmann::json config = {{"model_type", s.sliding_window ? "mistral" : "llama"},
                           {"hidden_size", s.width},
                           {"intermediate_size", s.mlp},
                           {"num_hidden_layers", s.layers},
                           {"num_attention_heads", s.heads},
                           {"num_key_value_heads", s.kv_heads},
                           {"head_dim", s.head_dim},
                           {"hidden_act", "silu"},
                           {"max_position_embeddings", s.context},
                           {"rms_norm_eps", 1e-5},
                           {"attention_bias", false},
                           {"mlp_bias", false},
                           {"tie_word_embeddings", false},
                           {"vocab_size", s.vocabulary},
                           {"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 10000.0}}}};
  if (s.sliding_window) config["sliding_window"] = s.sliding_window;
  return config;
}

NamedShapes smallTensors(const SmallSizes& s) {
  NamedShapes tensors = {{"model.embed_tokens.weight", {s.vocabulary, s.width}},
                         {"model.norm.weight", {s.width}},
                         {"lm_head.weight", {s.vocabulary, s.width}}};
  for (std::uint64_t layer = 0; layer < s.layers; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    tensors.insert(tensors.end(), {{prefix + "input_layernorm.weight", {s.width}},
                                   {prefix + "self_attn.q_proj.weight", {s.heads * s.head_dim, s.width}},
                                   {prefix + "self_attn.k_proj.weight", {s.kv_heads * s.head_dim, s.width}},
                                   {prefix + "self_attn.v_proj.weight", {s.kv_heads * s.head_dim, s.width}},
                                   {prefix + "self_attn.o_proj.weight", {s.width, s.heads * s.head_dim}},
                                   {prefix + "post_attention_layernorm.weight", {s.width}},
                                   {prefix + "mlp.gate_proj.weight", {s.mlp, s.width}},
                                   {prefix + "mlp.up_proj.weight", {s.mlp, s.width}},
                                   {prefix + "mlp.down_proj.weight", {s.width, s.mlp}}});
  }
  return tensors;
}

void writeSmallModel(const std::filesystem::path& folder, const SmallSizes& sizes, std::uint64_t seed) {
  writeRandomCheckpoint(folder, smallConfig(sizes), smallTensors(sizes), sizes.spread, seed);
}

Result<core::ModelSpec> smallModel(const SmallSizes& sizes, std::uint64_t seed) {
  return randomSpec(smallConfig(sizes), smallTensors(sizes), sizes.spread, seed);
}

}  // namespace vitrine::test
