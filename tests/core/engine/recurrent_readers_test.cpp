// What the readers of recurrent models refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/engine/recurrent_examples.h"

namespace vitrine::core::recurrent_readers_test {
namespace {

using namespace test_models;
using nlohmann::json;
using testing::HasSubstr;
using Shape = std::vector<std::uint64_t>;

// What reading a model says whose configuration or tensors were changed, or "accepted".
std::string reason(Example model, const json& changes, const std::string& tensor = "",
                   const Shape& shape = {}, Result<ModelSpec> (*read)(const Example&) = whole) {
  model.config.merge_patch(changes);
  for (auto& [name, found] : model.tensors)
    if (name == tensor) found = shape;
  const auto spec = read(model);
  return spec ? "accepted" : spec.error().describe();
}

TEST(RecurrentReaders, RefuseWhatLies) {
  EXPECT_EQ(reason(rwkv4(), json::object()), "accepted");
  EXPECT_THAT(reason(rwkv4(), {{"attention_hidden_size", 51}}),
              HasSubstr("expected shape (51, 36), found (52, 36)"));
  EXPECT_THAT(reason(rwkv4(), json::object(), "rwkv.blocks.1.attention.time_mix_key", {1, 2, 36}),
              HasSubstr("time_mix_key: expected shape (36), found (1, 2, 36)"));
  EXPECT_THAT(reason(rwkv7(false), json::object(), "blocks.0.att.r_k", {3, 12}),
              HasSubstr("expected 39 numbers in all"));
  EXPECT_THAT(reason(rwkv7(true), json::object(), "blocks.2.att.w2", {39, 6}),
              HasSubstr("att.w2: expected shape (39, 5)"));
  EXPECT_THAT(reason(rwkv7(true), json::object(), "blocks.1.att.v1", {39}),
              HasSubstr("v1: expected a matrix"));
  EXPECT_THAT(reason(recurrentGemma(), {{"lru_width", 50}}),
              HasSubstr("lru_width must be a multiple of the 3 heads"));
  EXPECT_THAT(reason(recurrentGemma(), {{"block_types", {"recurrent", "ssm"}}}),
              HasSubstr("a list of texts, each one of recurrent, attention"));
  EXPECT_THAT(reason(recurrentGemma(), {{"hidden_activation", "silu"}}), HasSubstr("gelu_pytorch_tanh"));
  EXPECT_THAT(reason(recurrentGemma(), json::object(),
                     "model.layers.1.temporal_block.rg_lru.input_gate_weight", {3, 17, 16}),
              HasSubstr("expected shape (3, 17, 17), found (3, 17, 16)"));
  EXPECT_THAT(reason(xlstm(false), {{"qk_dim_factor", 0.7}}), HasSubstr("a multiple of the 3 heads"));
  EXPECT_THAT(reason(xlstm(false), {{"weight_mode", "other"}}), HasSubstr("single or fused"));
  EXPECT_THAT(
      reason(xlstm(true), json::object(), "backbone.blocks.1.mlstm_layer.qkv_opreact.weight", {143, 36}),
      HasSubstr("expected shape (144, 36), found (143, 36)"));
  const Example minimax{{{"model_type", "minimax"},
                         {"num_hidden_layers", 2},
                         {"hidden_size", 32},
                         {"num_attention_heads", 4},
                         {"intermediate_size", 40},
                         {"num_local_experts", 4},
                         {"num_experts_per_tok", 2},
                         {"vocab_size", kVocabulary}},
                        {}};
  EXPECT_THAT(reason(minimax, {{"sliding_window", 8}}), HasSubstr("sliding_window must be null"));
  EXPECT_THAT(reason(minimax, {{"rotary_dim", 4}}), HasSubstr("rotary_dim must be 8, whole heads"));
  EXPECT_THAT(reason(minimax, {{"mlp_alpha_factor", 0}}),
              HasSubstr("mlp_alpha_factor must be a number greater"));
  EXPECT_THAT(reason(lightningExample(), json::object(), "1.attention.qkv_proj.weight", {116, 36}, lightning),
              HasSubstr("expected shape (117, 36), found (116, 36)"));
  EXPECT_THAT(reason(deltaNetExample(), {{"linear_num_value_heads", 5}}, "", {}, deltaNet),
              HasSubstr("a multiple of the 2 key heads"));
  EXPECT_THAT(reason(deltaNetExample(), json::object(), "0.attention.conv1d.weight", {94, 1, 4}, deltaNet),
              HasSubstr("expected shape (94, 1, 3), found (94, 1, 4)"));
}

}  // namespace
}  // namespace vitrine::core::recurrent_readers_test
