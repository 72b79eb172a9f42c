#include "support/latent_model.h"

#include <string>

namespace vitrine::test {

nlohmann::json latentConfig(const LatentSizes& s, const char* model_type) {
  return {{"model_type", model_type},
          {"hidden_size", s.width},
          {"intermediate_size", s.mlp},
          {"num_hidden_layers", s.layers},
          {"num_attention_heads", s.heads},
          {"num_key_value_heads", s.heads},
          {"kv_lora_rank", s.rank},
          {"q_lora_rank", s.query_rank ? nlohmann::json(s.query_rank) : nlohmann::json()},
          {"qk_nope_head_dim", s.plain},
          {"qk_rope_head_dim", s.rotary},
          {"v_head_dim", s.value},
          {"attention_bias", s.bias},
          {"hidden_act", "silu"},
          {"max_position_embeddings", 128},
          {"rms_norm_eps", 1e-6},
          {"tie_word_embeddings", false},
          {"vocab_size", s.vocabulary},
          {"first_k_dense_replace", 1},
          {"moe_layer_freq", s.sparse_step},
          {"n_routed_experts", s.experts ? nlohmann::json(s.experts) : nlohmann::json()},
          {"num_experts_per_tok", 2},
          {"moe_intermediate_size", s.expert_width},
          {"n_shared_experts", 1},
          {"n_group", 1},
          {"topk_group", 1},
          {"norm_topk_prob", false},
          {"routed_scaling_factor", 1.0},
          {"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 10000.0}}}};
}

NamedShapes latentTensors(const LatentSizes& s) {
  NamedShapes tensors = {{"model.embed_tokens.weight", {s.vocabulary, s.width}},
                         {"model.norm.weight", {s.width}},
                         {"lm_head.weight", {s.vocabulary, s.width}}};
  const auto add = [&](const std::string& name, std::vector<std::uint64_t> shape, bool biased = false) {
    if (biased) tensors.push_back({name + ".bias", {shape[0]}});
    tensors.push_back({name + ".weight", std::move(shape)});
  };
  for (std::uint64_t layer = 0; layer < s.layers; ++layer) {
    const std::string in = "model.layers." + std::to_string(layer) + ".", attention = in + "self_attn.";
    add(in + "input_layernorm", {s.width});
    if (s.query_rank) {
      add(attention + "q_a_proj", {s.query_rank, s.width}, s.bias);
      add(attention + "q_a_layernorm", {s.query_rank});
      add(attention + "q_b_proj", {s.heads * (s.plain + s.rotary), s.query_rank});
    } else {
      add(attention + "q_proj", {s.heads * (s.plain + s.rotary), s.width});
    }
    add(attention + "kv_a_proj_with_mqa", {s.rank + s.rotary, s.width}, s.bias);
    add(attention + "kv_a_layernorm", {s.rank});
    add(attention + "kv_b_proj", {s.heads * (s.plain + s.value), s.rank});
    add(attention + "o_proj", {s.width, s.heads * s.value}, s.bias);
    add(in + "post_attention_layernorm", {s.width});
    const auto mlp = [&](const std::string& name, std::uint64_t width) {
      add(name + ".gate_proj", {width, s.width});
      add(name + ".up_proj", {width, s.width});
      add(name + ".down_proj", {s.width, width});
    };
    if (s.experts == 0 || layer == 0 || layer % s.sparse_step != 0) {
      mlp(in + "mlp", s.mlp);
      continue;
    }
    add(in + "mlp.gate", {s.experts, s.width});
    if (s.correction) tensors.push_back({in + "mlp.gate.e_score_correction_bias", {s.experts}});
    mlp(in + "mlp.shared_experts", s.expert_width);
    for (std::uint64_t expert = 0; expert < s.experts; ++expert)
      mlp(in + "mlp.experts." + std::to_string(expert), s.expert_width);
  }
  return tensors;
}

Result<core::ModelSpec> latentModel(const LatentSizes& sizes, const nlohmann::json& changes,
                                    const char* model_type) {
  nlohmann::json config = latentConfig(sizes, model_type);
  config.update(changes);
  return randomSpec(config, latentTensors(sizes), sizes.spread);
}

}  // namespace vitrine::test
