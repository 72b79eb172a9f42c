// The dense architectures beside Llama: where the parts of their fused tensors lie, what their flags change,
// and which files they refuse with which words. That whole models are right is held in core/reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/arch/support/decoder.h"
#include "core/arch/support/rope.h"
#include "core/checkpoint/safetensors_writer.h"
#include "core/reference/reference.h"
#include "support/scratch_folder.h"
#include "support/tiny_model.h"

namespace vitrine::core::dense_test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

using Shapes = std::vector<std::pair<std::string, std::vector<std::uint64_t>>>;

constexpr std::uint64_t kVocabulary = 20, kWidth = 24, kHeads = 3, kHeadDim = 8, kMlp = 96;

class DenseArchitectures : public testing::Test {
 protected:
  // Element i of every tensor is i: a value says where it comes from.
  Result<ModelSpec> read(const Shapes& shapes, const json& config) {
    std::vector<test::Bytes> storage;
    std::vector<SafetensorsItem> items;
    storage.reserve(shapes.size());
    for (const auto& [name, shape] : shapes) {
      std::uint64_t elements = 1;
      for (const std::uint64_t size : shape) elements *= size;
      test::Bytes bytes;
      for (std::uint64_t i = 0; i < elements; ++i) test::GgufBuilder::append(bytes, static_cast<float>(i));
      storage.push_back(std::move(bytes));
      items.push_back({name, DType::kF32, shape, storage.back()});
    }
    const test::ScratchFolder folder;  // the mapping that the spec holds outlives it
    VITRINE_ASSERT(writeSafetensors(folder / "model.safetensors", items).has_value());
    test::writeFile(folder / "config.json", config.dump());
    TRY_ASSIGN(auto checkpoint, Checkpoint::open(folder.path()));
    return readModelSpec(std::move(checkpoint));
  }
  std::string reason(const Shapes& shapes, json config, const json& changes) {
    config.merge_patch(changes);
    const auto spec = read(shapes, config);
    return spec ? "accepted" : spec.error().describe();
  }
};

const AttentionSpec& attentionOf(const ModelSpec& spec) {
  return *spec.blocks.at(0).attention();
}

std::vector<double> columnOf(const WeightRef& weight, Eigen::Index column) {
  const auto matrix = expandWeights(weight);
  VITRINE_ASSERT(matrix.has_value());
  std::vector<double> values;
  for (Eigen::Index row = 0; row < matrix->rows(); ++row) values.push_back((*matrix)(row, column));
  return values;
}

json llamaLike(const char* model_type) {
  json config = test::tinyConfig();
  config["model_type"] = model_type;
  config["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 10000.0}};
  return config;
}

json neoxConfig() {
  return {{"model_type", "gpt_neox"},    {"hidden_size", kWidth},     {"intermediate_size", kMlp},
          {"num_hidden_layers", 1},      {"vocab_size", kVocabulary}, {"num_attention_heads", kHeads},
          {"tie_word_embeddings", false}};
}

Shapes neoxShapes() {
  const std::string layer = "gpt_neox.layers.0.";
  Shapes shapes = {{"gpt_neox.embed_in.weight", {kVocabulary, kWidth}},
                   {"embed_out.weight", {kVocabulary, kWidth}},
                   {layer + "attention.query_key_value.weight", {3 * kWidth, kWidth}},
                   {layer + "attention.query_key_value.bias", {3 * kWidth}},
                   {layer + "attention.dense.weight", {kWidth, kWidth}},
                   {layer + "attention.dense.bias", {kWidth}},
                   {layer + "attention.masked_bias", {1}},
                   {layer + "mlp.dense_h_to_4h.weight", {kMlp, kWidth}},
                   {layer + "mlp.dense_h_to_4h.bias", {kMlp}},
                   {layer + "mlp.dense_4h_to_h.weight", {kWidth, kMlp}},
                   {layer + "mlp.dense_4h_to_h.bias", {kWidth}}};
  for (const std::string& norm : {std::string("gpt_neox.final_layer_norm"), layer + "input_layernorm",
                                  layer + "post_attention_layernorm"})
    for (const char* part : {".weight", ".bias"}) shapes.push_back({norm + part, {kWidth}});
  return shapes;
}

TEST_F(DenseArchitectures, PartsOfEachHeadInTurn) {
  const auto spec = read(neoxShapes(), neoxConfig());
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_TRUE(spec->unread_tensors.empty());
  EXPECT_EQ(attentionOf(*spec).rope->rotary_dim, 2u) << "a quarter of 8, transformers' default";
  const AttentionSpec& attention = attentionOf(*spec);
  std::uint64_t part = 0;
  for (const Linear* linear : {&attention.query, &attention.key, &attention.value}) {
    const auto weights = columnOf(linear->weight, 5), biases = columnOf(linear->bias, 0);
    ASSERT_EQ(weights.size(), kWidth);
    ASSERT_EQ(biases.size(), kWidth);
    for (std::uint64_t row = 0; row < kWidth; ++row) {
      const std::uint64_t stored = (row / kHeadDim * 3 + part) * kHeadDim + row % kHeadDim;
      EXPECT_EQ(weights[row], stored * kWidth + 5);
      EXPECT_EQ(biases[row], stored);
    }
    ++part;
  }
}

TEST_F(DenseArchitectures, PartsOfATransposedMatrix) {
  const std::string layer = "h.0.";  // a bare model, without the prefix
  Shapes shapes = {{"wte.weight", {kVocabulary, kWidth}},
                   {"wpe.weight", {16, kWidth}},
                   {layer + "attn.c_attn.weight", {kWidth, 3 * kWidth}},
                   {layer + "attn.c_attn.bias", {3 * kWidth}},
                   {layer + "attn.c_proj.weight", {kWidth, kWidth}},
                   {layer + "attn.c_proj.bias", {kWidth}},
                   {layer + "attn.bias", {1, 1, 16, 16}},
                   {layer + "mlp.c_fc.weight", {kWidth, kMlp}},
                   {layer + "mlp.c_fc.bias", {kMlp}},
                   {layer + "mlp.c_proj.weight", {kMlp, kWidth}},
                   {layer + "mlp.c_proj.bias", {kWidth}}};
  for (const std::string& norm : {std::string("ln_f"), layer + "ln_1", layer + "ln_2"})
    for (const char* part : {".weight", ".bias"}) shapes.push_back({norm + part, {kWidth}});
  const json config = {{"model_type", "gpt2"}, {"n_embd", kWidth},           {"n_layer", 1},
                       {"n_head", kHeads},     {"n_positions", 16},          {"vocab_size", kVocabulary},
                       {"n_inner", nullptr},   {"scale_attn_weights", false}};
  const auto spec = read(shapes, config);
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_TRUE(spec->unread_tensors.empty());
  EXPECT_TRUE(spec->tied_head);
  EXPECT_EQ(spec->position_embedding.rows, 16u);
  EXPECT_EQ(attentionOf(*spec).scale, 1);
  EXPECT_FALSE(attentionOf(*spec).rope);
  const auto keys = columnOf(attentionOf(*spec).key.weight, 2);
  ASSERT_EQ(keys.size(), kWidth);
  for (std::uint64_t row = 0; row < kWidth; ++row) EXPECT_EQ(keys[row], 2 * 3 * kWidth + kWidth + row);

  EXPECT_THAT(reason(shapes, config, {{"add_cross_attention", true}}), HasSubstr("add_cross_attention"));
  EXPECT_THAT(reason(shapes, config, {{"n_positions", 32}}),
              HasSubstr("tensor wpe.weight: expected shape (32, 24), found (16, 24)"));
  EXPECT_THAT(reason(shapes, config, {{"n_inner", 48}}),
              HasSubstr("tensor h.0.mlp.c_fc.weight: expected shape (24, 48), found (24, 96)"));
}

TEST_F(DenseArchitectures, FlagsOfGptNeox) {
  EXPECT_TRUE(read(neoxShapes(), neoxConfig())->blocks[0].parallel);
  json config = neoxConfig();
  config["use_parallel_residual"] = false;
  EXPECT_FALSE(read(neoxShapes(), config)->blocks[0].parallel);
  const auto refused = [&](const json& changes) { return reason(neoxShapes(), neoxConfig(), changes); };
  EXPECT_THAT(refused({{"rotary_pct", 1.5}}), HasSubstr("partial_rotary_factor must be a number up to 1"));
  EXPECT_THAT(refused({{"rotary_pct", 0.4}}), HasSubstr("rotary embeddings over 3 of 8 dimensions"));
  EXPECT_THAT(refused({{"rotary_pct", 0.01}}), HasSubstr("rotary embeddings over 0 of 8 dimensions"));
  EXPECT_THAT(refused({{"use_parallel_residual", 1}}), HasSubstr("must be true or false"));
  EXPECT_THAT(refused({{"num_attention_heads", 5}}), HasSubstr("a multiple of the 5 heads"));
  EXPECT_THAT(refused({{"attention_bias", false}}), "accepted");
  Shapes shapes = neoxShapes();
  shapes[2].second = {3 * kWidth - 1, kWidth};
  EXPECT_THAT(reason(shapes, neoxConfig(), json::object()),
              HasSubstr("query_key_value.weight: expected shape (72, 24), found (71, 24)"));
}

TEST_F(DenseArchitectures, SlopesOfBloom) {
  // As transformers has them for 6 heads: those of 4, then every other one of 8.
  Shapes shapes;
  for (auto [name, shape] : neoxShapes()) {
    for (const auto& [neox, bloom] : {std::pair("gpt_neox.layers.", "transformer.h."),
                                      {"attention.query", "self_attention.query"},
                                      {"attention.dense", "self_attention.dense"},
                                      {"gpt_neox.embed_in", "transformer.word_embeddings"},
                                      {"gpt_neox.final_layer_norm", "transformer.ln_f"}})
      if (const std::size_t at = name.find(neox); at != std::string::npos)
        name.replace(at, std::strlen(neox), bloom);
    shapes.emplace_back(name, shape);
  }
  for (const char* part : {".weight", ".bias"})
    shapes.push_back({std::string("transformer.word_embeddings_layernorm") + part, {kWidth}});
  const json config = {{"model_type", "bloom"},
                       {"hidden_size", kWidth},
                       {"n_layer", 1},
                       {"n_head", 6},
                       {"vocab_size", kVocabulary}};
  const auto spec = read(shapes, config);
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_THAT(attentionOf(*spec).alibi_slopes,
              ElementsAre(0.25f, 0.0625f, 0.015625f, 0.00390625f, 0.5f, 0.125f));
  EXPECT_EQ(spec->blocks[0].residual, Residual::kInput);
  json other = config;
  other["apply_residual_connection_post_layernorm"] = true;
  EXPECT_EQ(read(shapes, other)->blocks[0].residual, Residual::kNormalized);
  EXPECT_THAT(reason(shapes, config, {{"n_head", nullptr}}), HasSubstr("n_head is missing"));
}

TEST_F(DenseArchitectures, LayersWithoutRopeOfSmolLm3) {
  const json config = llamaLike("smollm3");
  EXPECT_TRUE(attentionOf(*read(test::tinyTensors(), config)).rope);
  const auto refused = [&](const json& changes) { return reason(test::tinyTensors(), config, changes); };
  json without = config;
  without["no_rope_layers"] = {0};
  EXPECT_FALSE(attentionOf(*read(test::tinyTensors(), without)).rope);
  without["no_rope_layers"] = nullptr;
  without["no_rope_layer_interval"] = 1;
  EXPECT_FALSE(attentionOf(*read(test::tinyTensors(), without)).rope);
  EXPECT_THAT(refused({{"no_rope_layers", {1, 1}}}),
              HasSubstr("no_rope_layers must be a list of 1 numbers from 0 to 1"));
  EXPECT_THAT(refused({{"no_rope_layers", {2}}}),
              HasSubstr("no_rope_layers must be a list of numbers from 0 to 1"));
  EXPECT_THAT(refused({{"no_rope_layers", "all"}}), HasSubstr("no_rope_layers must be a list"));
  EXPECT_THAT(refused({{"use_sliding_window", true}}), HasSubstr("layer_types is missing"));
}

TEST_F(DenseArchitectures, MultipliersOfGranite) {
  json config = llamaLike("granite");
  EXPECT_EQ(attentionOf(*read(test::tinyTensors(), config)).scale, 1) << "transformers' default";
  config.merge_patch({{"attention_multiplier", 0.5},
                      {"embedding_multiplier", 12},
                      {"residual_multiplier", 0.25},
                      {"logits_scaling", 8}});
  const auto spec = read(test::tinyTensors(), config);
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_EQ(attentionOf(*spec).scale, 0.5f);
  EXPECT_EQ(spec->embedding_scale, 12);
  EXPECT_EQ(spec->blocks[0].mixer_scale, 0.25f);
  EXPECT_EQ(spec->blocks[0].channel_scale, 0.25f);
  EXPECT_EQ(spec->logit_scale, 0.125f);
  for (const char* key :
       {"attention_multiplier", "embedding_multiplier", "residual_multiplier", "logits_scaling"})
    for (const json& lie : {json(0), json(-1), json("1")})
      EXPECT_THAT(reason(test::tinyTensors(), config, {{key, lie}}),
                  HasSubstr(std::string(key) + " must be a number greater than 0"));
}

TEST_F(DenseArchitectures, WindowsAndCapsOfGemma) {
  Shapes shapes = test::tinyTensors();
  const std::string layer = "model.layers.0.";
  for (const char* norm : {"pre_feedforward_layernorm", "post_feedforward_layernorm"})
    shapes.push_back({layer + norm + ".weight", {test::TinySizes::kWidth}});
  json config = llamaLike("gemma2");
  config.merge_patch({{"tie_word_embeddings", true}, {"sliding_window", 8}, {"query_pre_attn_scalar", 64}});
  const auto spec = read(shapes, config);
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_EQ(attentionOf(*spec).scale, 0.125f);
  EXPECT_EQ(attentionOf(*spec).soft_cap, 50) << "transformers' default";
  EXPECT_EQ(attentionOf(*spec).sliding_window, 8u);
  EXPECT_EQ(spec->logit_soft_cap, 30) << "transformers' default";
  EXPECT_EQ(spec->final_norm.gain_offset, 1);
  json uncapped = config;
  uncapped["attn_logit_softcapping"] = nullptr;
  EXPECT_EQ(attentionOf(*read(shapes, uncapped)).soft_cap, 0);
  const auto refused = [&](const json& changes) { return reason(shapes, config, changes); };
  EXPECT_THAT(refused({{"attn_logit_softcapping", -1}}), HasSubstr("attn_logit_softcapping must be"));
  EXPECT_THAT(refused({{"query_pre_attn_scalar", 0}}), HasSubstr("query_pre_attn_scalar must be"));
  EXPECT_THAT(refused({{"use_bidirectional_attention", true}}), HasSubstr("use_bidirectional_attention"));
  EXPECT_THAT(refused({{"layer_types", {"chunked_attention"}}}),
              HasSubstr("layer_types must be a list of layers, each one of full_attention"));
  config["sliding_window"] = json();
  EXPECT_THAT(read(shapes, config).error().describe(), HasSubstr("sliding_window is missing"));

  json third = llamaLike("gemma3_text");
  third["attn_logit_softcapping"] = 50;
  EXPECT_THAT(read(shapes, third).error().describe(), HasSubstr("attn_logit_softcapping is not implemented"));
}

TEST_F(DenseArchitectures, RopesOfEachKindOfLayer) {
  const json tables = {{"full_attention", {{"rope_type", "linear"}, {"factor", 8.0}, {"rope_theta", 1e6}}},
                       {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 1e4}}}};
  const json config = {{"rope_parameters", tables}};
  const arch::Hparams hparams(CheckpointFormat::kSafetensors, config, "");
  const auto spec = read(test::tinyTensors(), llamaLike("llama"));
  arch::Weights weights(*spec->checkpoint);
  const auto rope = [&](std::string_view layer) {
    return arch::readRope(hparams, weights, {.rotary_dim = 8, .context_length = 64, .layer_type = layer});
  };
  EXPECT_DOUBLE_EQ(rope("full_attention")->rope.inv_freq[0], 1.0 / 8);
  EXPECT_DOUBLE_EQ(rope("sliding_attention")->rope.inv_freq[1], 0.1);
  EXPECT_FALSE(rope(""));
  EXPECT_FALSE(rope("linear_attention"));
}

TEST_F(DenseArchitectures, NormsOverQueriesAndKeysAreRefused) {
  for (const char* model_type : {"phi", "stablelm"}) {
    json config = llamaLike(model_type);
    config["qk_layernorm"] = true;
    EXPECT_THAT(read(test::tinyTensors(), config).error().describe(), HasSubstr("layer norms over q and k"));
  }
}

TEST_F(DenseArchitectures, ParallelBlocksOfStableLm) {
  Shapes shapes;
  for (const auto& [name, shape] : test::tinyTensors())
    if (name.find("post_attention_layernorm") == std::string::npos) shapes.emplace_back(name, shape);
  for (const char* norm : {"model.norm.bias", "model.layers.0.input_layernorm.bias"})
    shapes.push_back({norm, {test::TinySizes::kWidth}});
  json config = llamaLike("stablelm");
  config["use_parallel_residual"] = true;
  const auto spec = read(shapes, config);
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_TRUE(spec->unread_tensors.empty());
  EXPECT_TRUE(spec->blocks[0].parallel);
  EXPECT_EQ(spec->blocks[0].channel_norm->weight.tensor, spec->blocks[0].mixer_norm->weight.tensor);
  EXPECT_EQ(attentionOf(*spec).rope->rotary_dim, 2u);
  config["use_qkv_bias"] = true;
  EXPECT_THAT(read(shapes, config).error().describe(), HasSubstr("self_attn.q_proj.bias is missing"));
  config.erase("use_qkv_bias");
  config["use_parallel_residual"] = false;
  EXPECT_THAT(read(shapes, config).error().describe(),
              HasSubstr("post_attention_layernorm.weight is missing"));
}

}  // namespace
}  // namespace vitrine::core::dense_test
