#include "support/state_space_gguf.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/tensor_bytes.h"

namespace vitrine::test {

namespace {

std::string stateSpaceTensorName(std::string name) {
  static const std::vector<std::pair<std::string, std::string>> kParts = {
      {"backbone.embeddings", "token_embd"},
      {"backbone.norm_f", "output_norm"},
      {"backbone.layers.", "blk."},
      {"mixer.A_log", "ssm_a"},
      {"mixer.D", "ssm_d"},
      {"mixer.dt_bias", "ssm_dt.bias"},
      {"mixer.in_proj", "ssm_in"},
      {"mixer.conv1d", "ssm_conv1d"},
      {"mixer.x_proj", "ssm_x"},
      {"mixer.dt_proj", "ssm_dt"},
      {"mixer.norm", "ssm_norm"},
      {"mixer.out_proj", "ssm_out"},
      {".norm.", ".attn_norm."},
      {"model.embed_tokens", "token_embd"},
      {"model.embedding_norm", "token_embd_norm"},
      {"model.layers.", "blk."},
      {"operator_norm", "attn_norm"},
      {"conv.conv", "shortconv.conv"},
      {"conv.in_proj", "shortconv.in_proj"},
      {"conv.out_proj", "shortconv.out_proj"},
      {"self_attn.q_proj", "attn_q"},
      {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},
      {"self_attn.out_proj", "attn_output"},
      {"self_attn.q_layernorm", "attn_q_norm"},
      {"self_attn.k_layernorm", "attn_k_norm"},
      {"feed_forward.w1", "ffn_gate"},
      {"feed_forward.w2", "ffn_down"},
      {"feed_forward.w3", "ffn_up"},
      {"model.final_layernorm", "output_norm"},
      {"input_layernorm", "attn_norm"},
      {"pre_ff_layernorm.weight", "ffn_norm"},
      {"mamba.A_log", "ssm_a"},
      {"mamba.D", "ssm_d"},
      {"mamba.dt_bias", "ssm_dt.bias"},
      {"mamba.in_proj", "ssm_in"},
      {"mamba.conv1d", "ssm_conv1d"},
      {"mamba.norm", "ssm_norm"},
      {"mamba.out_proj", "ssm_out"},
      {"self_attn.o_proj", "attn_output"},
      {"feed_forward.gate_proj", "ffn_gate"},
      {"feed_forward.up_proj", "ffn_up"},
      {"feed_forward.down_proj", "ffn_down"},
      {"mixer.q_proj", "attn_q"},
      {"mixer.k_proj", "attn_k"},
      {"mixer.v_proj", "attn_v"},
      {"mixer.o_proj", "attn_output"},
      {"mixer.up_proj", "ffn_up"},
      {"mixer.down_proj", "ffn_down"},
      {"lm_head", "output"}};
  for (const auto& [hf, gguf] : kParts)
    if (const std::size_t at = name.find(hf); at != std::string::npos) name.replace(at, hf.size(), gguf);
  return name;
}

void setMambaKeys(GgufBuilder& builder, const std::string& prefix, const nlohmann::json& config) {
  const auto number = [&](const char* key) { return config.at(key).get<std::uint32_t>(); };
  const bool second = config.at("model_type") == "mamba2";
  const std::uint32_t inner = number("expand") * number("hidden_size");
  builder.set(prefix + "context_length", std::uint32_t{1} << 20)
      .set(prefix + "attention.head_count", std::uint32_t{0})
      .set(prefix + "ssm.conv_kernel", number("conv_kernel"))
      .set(prefix + "ssm.inner_size", inner)
      .set(prefix + "ssm.state_size", number("state_size"))
      .set(prefix + "ssm.time_step_rank", second ? inner / number("head_dim") : number("time_step_rank"))
      .set(prefix + "attention.layer_norm_rms_epsilon", config.at("layer_norm_epsilon").get<float>());
  if (second)
    builder.set(prefix + "ssm.group_count", number("n_groups"));
  else
    builder.set(prefix + "ssm.dt_b_c_rms", config.at("model_type") == "falcon_mamba");
}

void setLfm2Keys(GgufBuilder& builder, const std::string& prefix, const nlohmann::json& config,
                 std::uint32_t mlp_width) {
  const auto number = [&](const char* key) { return config.at(key).get<std::uint32_t>(); };
  std::vector<std::int32_t> kv_heads;
  for (const auto& type : config.at("layer_types"))
    kv_heads.push_back(type == "full_attention" ? config.at("num_key_value_heads").get<std::int32_t>() : 0);
  builder.set(prefix + "context_length", number("max_position_embeddings"))
      .set(prefix + "attention.head_count", number("num_attention_heads"))
      .set(prefix + "attention.head_count_kv", kv_heads)
      .set(prefix + "feed_forward_length", mlp_width)
      .set(prefix + "shortconv.l_cache", number("conv_L_cache"))
      .set(prefix + "rope.freq_base", config.at("rope_parameters").at("rope_theta").get<float>())
      .set(prefix + "attention.layer_norm_rms_epsilon", config.at("norm_eps").get<float>());
}

void setNemotronKeys(GgufBuilder& builder, const std::string& prefix, const nlohmann::json& config) {
  const auto number = [&](const char* key) { return config.at(key).get<std::uint32_t>(); };
  std::vector<std::int32_t> kv_heads, widths;
  for (const auto& type : config.at("layers_block_type")) {
    kv_heads.push_back(type == "full_attention" ? config.at("num_key_value_heads").get<std::int32_t>() : 0);
    widths.push_back(type == "mlp" ? config.at("intermediate_size").get<std::int32_t>() : 0);
  }
  builder.set(prefix + "context_length", number("max_position_embeddings"))
      .set(prefix + "attention.head_count", number("num_attention_heads"))
      .set(prefix + "attention.head_count_kv", kv_heads)
      .set(prefix + "attention.key_length", number("head_dim"))
      .set(prefix + "feed_forward_length", widths)
      .set(prefix + "ssm.conv_kernel", number("conv_kernel"))
      .set(prefix + "ssm.inner_size", number("mamba_num_heads") * number("mamba_head_dim"))
      .set(prefix + "ssm.state_size", number("ssm_state_size"))
      .set(prefix + "ssm.time_step_rank", number("mamba_num_heads"))
      .set(prefix + "ssm.group_count", number("n_groups"))
      .set(prefix + "attention.layer_norm_rms_epsilon", config.at("layer_norm_epsilon").get<float>());
}

void setFalconH1Keys(GgufBuilder& builder, const std::string& prefix, const nlohmann::json& config) {
  const auto number = [&](const char* key) { return config.at(key).get<std::uint32_t>(); };
  builder.set(prefix + "context_length", number("max_position_embeddings"))
      .set(prefix + "attention.head_count", number("num_attention_heads"))
      .set(prefix + "attention.head_count_kv", number("num_key_value_heads"))
      .set(prefix + "attention.key_length", number("hidden_size") / number("num_attention_heads"))
      .set(prefix + "feed_forward_length", number("intermediate_size"))
      .set(prefix + "ssm.conv_kernel", number("mamba_d_conv"))
      .set(prefix + "ssm.inner_size", number("mamba_d_ssm"))
      .set(prefix + "ssm.state_size", number("mamba_d_state"))
      .set(prefix + "ssm.time_step_rank", number("mamba_n_heads"))
      .set(prefix + "ssm.group_count", number("mamba_n_groups"))
      .set(prefix + "rope.freq_base", config.at("rope_parameters").at("rope_theta").get<float>())
      .set(prefix + "attention.layer_norm_rms_epsilon", config.at("rms_norm_eps").get<float>());
}

}  // namespace

Bytes stateSpaceAsGguf(const core::Checkpoint& hf) {
  const nlohmann::json& config = hf.metadata();
  const std::string model_type = config.at("model_type");
  const std::string architecture = model_type == "falcon_mamba" ? "mamba"
                                   : model_type == "falcon_h1"  ? "falcon-h1"
                                                                : model_type;
  const std::string prefix = architecture + ".";
  GgufBuilder builder;
  builder.set("general.architecture", architecture)
      .set(prefix + "block_count",
           static_cast<std::uint32_t>(model_type == "nemotron_h"
                                          ? config.at("layers_block_type").size()
                                          : config.at("num_hidden_layers").get<std::size_t>()))
      .set(prefix + "embedding_length", config.at("hidden_size").get<std::uint32_t>());
  if (model_type == "lfm2")
    setLfm2Keys(builder, prefix, config,
                static_cast<std::uint32_t>(hf.find("model.layers.0.feed_forward.w1.weight")->shape[0]));
  else if (model_type == "nemotron_h")
    setNemotronKeys(builder, prefix, config);
  else if (model_type == "falcon_h1")
    setFalconH1Keys(builder, prefix, config);
  else
    setMambaKeys(builder, prefix, config);
  for (const core::TensorEntry& tensor : hf.tensors()) {
    Bytes bytes(tensor.bytes.begin(), tensor.bytes.end());
    std::vector<std::uint64_t> shape = tensor.shape;
    if (shape.size() == 3) shape.erase(shape.begin() + 1);
    if (tensor.name.ends_with("A_log")) bytes = mapFloats(bytes, [](float log) { return -std::exp(log); });
    const bool second = model_type != "mamba" && model_type != "falcon_mamba";
    if (second && (tensor.name.ends_with("A_log") || tensor.name.ends_with(".D"))) shape.push_back(1);
    if (second && tensor.name.ends_with("mixer.norm.weight")) {
      const auto groups = config.value("n_groups", std::uint64_t{1});
      shape = {groups, shape[0] / groups};
    }
    builder.tensor(stateSpaceTensorName(tensor.name), tensor.dtype, shape, bytes);
  }
  return builder.build();
}

}  // namespace vitrine::test
