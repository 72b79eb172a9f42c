#include "support/tiny_model.h"

#include <nlohmann/json.hpp>

#include "core/checkpoint/safetensors_writer.h"

namespace vitrine::test {

namespace {

Bytes randomBytes(std::mt19937_64& random, std::size_t count) {
  Bytes bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

}  // namespace

Bytes randomFloats(std::mt19937_64& random, std::size_t count) {
  Bytes bytes;
  for (std::size_t i = 0; i < count; ++i)
    GgufBuilder::append(bytes, static_cast<float>(static_cast<double>(random() % 2001) / 1000 - 1));
  return bytes;
}

GgufBuilder tinyGgufKeys() {
  GgufBuilder builder;
  const std::vector<std::string> tokens(TinySizes::kVocabulary, "token");
  builder.set("general.architecture", "llama")
      .set("general.name", "tiny")
      .set("llama.context_length", std::uint32_t{64})
      .set("llama.embedding_length", static_cast<std::uint32_t>(TinySizes::kWidth))
      .set("llama.block_count", std::uint32_t{1})
      .set("llama.feed_forward_length", static_cast<std::uint32_t>(TinySizes::kMlp))
      .set("llama.attention.head_count", static_cast<std::uint32_t>(TinySizes::kHeads))
      .set("llama.attention.head_count_kv", static_cast<std::uint32_t>(TinySizes::kKvHeads))
      .set("llama.attention.layer_norm_rms_epsilon", 1e-5f)
      .set("llama.rope.dimension_count", static_cast<std::uint32_t>(TinySizes::kHeadDim))
      .set("llama.rope.freq_base", 10000.0f)
      .set("tokenizer.ggml.model", "llama")
      .set("tokenizer.ggml.tokens", tokens)
      .set("tokenizer.ggml.scores", std::vector<float>(tokens.size(), -1.0f))
      .set("tokenizer.ggml.token_type", std::vector<std::int32_t>(tokens.size(), 1));
  return builder;
}

Bytes tinyGguf(core::DType down, std::uint64_t seed) {
  using core::DType;
  using S = TinySizes;
  std::mt19937_64 random(seed);
  GgufBuilder builder = tinyGgufKeys();
  const auto add = [&](const std::string& name, DType type, const std::vector<std::uint64_t>& shape) {
    std::uint64_t elements = 1;
    for (const std::uint64_t size : shape) elements *= size;
    const bool plain = type == DType::kF32;
    builder.tensor(
        name, type, shape,
        plain ? randomFloats(random, elements) : randomBytes(random, core::rowBytes(type, elements)));
  };
  add("token_embd.weight", DType::kQ8_0, {S::kVocabulary, S::kWidth});
  add("output_norm.weight", DType::kF32, {S::kWidth});
  add("output.weight", DType::kQ5_1, {S::kVocabulary, S::kWidth});
  add("blk.0.attn_norm.weight", DType::kF32, {S::kWidth});
  add("blk.0.attn_q.weight", DType::kQ4_0, {S::kHeads * S::kHeadDim, S::kWidth});
  add("blk.0.attn_k.weight", DType::kQ4_1, {S::kKvHeads * S::kHeadDim, S::kWidth});
  add("blk.0.attn_v.weight", DType::kF16, {S::kKvHeads * S::kHeadDim, S::kWidth});
  add("blk.0.attn_output.weight", DType::kBF16, {S::kWidth, S::kHeads * S::kHeadDim});
  add("blk.0.ffn_norm.weight", DType::kF32, {S::kWidth});
  add("blk.0.ffn_gate.weight", DType::kIQ4_NL, {S::kMlp, S::kWidth});
  add("blk.0.ffn_up.weight", DType::kQ5_0, {S::kMlp, S::kWidth});
  add("blk.0.ffn_down.weight", down, {S::kWidth, S::kMlp});
  return builder.build();
}

nlohmann::json tinyConfig() {
  using S = TinySizes;
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"hidden_size", S::kWidth},
          {"intermediate_size", S::kMlp},
          {"num_hidden_layers", 1},
          {"num_attention_heads", S::kHeads},
          {"num_key_value_heads", S::kKvHeads},
          {"head_dim", S::kHeadDim},
          {"hidden_act", "silu"},
          {"max_position_embeddings", 64},
          {"rms_norm_eps", 1e-5},
          {"attention_bias", false},
          {"mlp_bias", false},
          {"tie_word_embeddings", false},
          {"vocab_size", S::kVocabulary},
          {"rope_parameters",
           {{"rope_type", "yarn"},
            {"rope_theta", 10000.0},
            {"factor", 4.0},
            {"original_max_position_embeddings", 16}}}};
}

std::vector<std::pair<std::string, std::vector<std::uint64_t>>> tinyTensors() {
  using S = TinySizes;
  const std::string layer = "model.layers.0.";
  return {{"model.embed_tokens.weight", {S::kVocabulary, S::kWidth}},
          {"model.norm.weight", {S::kWidth}},
          {"lm_head.weight", {S::kVocabulary, S::kWidth}},
          {layer + "input_layernorm.weight", {S::kWidth}},
          {layer + "self_attn.q_proj.weight", {S::kHeads * S::kHeadDim, S::kWidth}},
          {layer + "self_attn.k_proj.weight", {S::kKvHeads * S::kHeadDim, S::kWidth}},
          {layer + "self_attn.v_proj.weight", {S::kKvHeads * S::kHeadDim, S::kWidth}},
          {layer + "self_attn.o_proj.weight", {S::kWidth, S::kHeads * S::kHeadDim}},
          {layer + "post_attention_layernorm.weight", {S::kWidth}},
          {layer + "mlp.gate_proj.weight", {S::kMlp, S::kWidth}},
          {layer + "mlp.up_proj.weight", {S::kMlp, S::kWidth}},
          {layer + "mlp.down_proj.weight", {S::kWidth, S::kMlp}}};
}

void writeTinySafetensors(const std::filesystem::path& path,
                          const std::function<bool(const std::string& name)>& wanted, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Bytes> storage;
  std::vector<core::SafetensorsItem> items;
  storage.reserve(tinyTensors().size());
  for (const auto& [name, shape] : tinyTensors()) {
    if (wanted && !wanted(name)) continue;
    const bool norm = shape.size() == 1;
    std::uint64_t elements = 1;
    for (const std::uint64_t size : shape) elements *= size;
    storage.push_back(norm ? randomFloats(random, elements) : randomBytes(random, 2 * elements));
    items.push_back({name, norm ? core::DType::kF32 : core::DType::kF16, shape, storage.back()});
  }
  const auto written = core::writeSafetensors(path, items, {{"format", "pt"}});
  VITRINE_ASSERT(written.has_value());
}

}  // namespace vitrine::test
