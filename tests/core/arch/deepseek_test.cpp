// What is read of DeepSeek-V2's and V3's hyper-parameters, in config.json and in GGUF.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/model/model_spec.h"
#include "support/latent_gguf.h"
#include "support/latent_model.h"
#include "support/numeric.h"

namespace vitrine::core::deepseek_test {
namespace {

using nlohmann::json;
using test::latentModel;
using test::LatentSizes;
using testing::HasSubstr;

constexpr LatentSizes kMixture = {.layers = 4, .experts = 8};
constexpr LatentSizes kMixtureOfV2 = {.layers = 4, .experts = 8, .correction = false};

const AttentionSpec& attentionOf(const ModelSpec& spec) {
  return *spec.blocks.at(0).attention();
}

const MoeSpec* mixtureOf(const BlockSpec& block) {
  return std::get_if<MoeSpec>(&*block.channel);
}

// Why a change of the configuration is refused.
std::string reason(const LatentSizes& sizes, const json& changes, const char* model_type = "deepseek_v3") {
  const auto spec = latentModel(sizes, changes, model_type);
  return spec ? "accepted" : spec.error().describe();
}

json yarn(double mscale, double all_dim) {
  return {{"rope_parameters",
           {{"rope_type", "yarn"},
            {"rope_theta", 10000.0},
            {"factor", 40.0},
            {"original_max_position_embeddings", 16},
            {"mscale", mscale},
            {"mscale_all_dim", all_dim}}}};
}

double magnitude(double multiplier) {
  return 0.1 * multiplier * std::log(40.0) + 1;
}

TEST(Deepseek, LatentsOfV2Lite) {
  const auto spec = latentModel({.query_rank = 0}, json::object(), "deepseek_v2");
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_EQ(spec->unread_tensors, std::vector<std::string>());
  const AttentionSpec& attention = attentionOf(*spec);
  EXPECT_EQ(attention.kv_heads, 1u);
  EXPECT_EQ(attention.head_dim, 12u + 24u);
  EXPECT_EQ(attention.valueDim(), 24u);
  EXPECT_EQ(attention.cacheWidth(), 36u);
  EXPECT_FALSE(attention.latent->query);
  EXPECT_EQ(attention.rope->pairing, RopePairing::kInterleaved);
  EXPECT_FLOAT_EQ(attention.scale, 1 / std::sqrt(28.0f));
}

// The rotary part's magnitude is a quotient, which most files make 1; the score takes mscale_all_dim twice.
TEST(Deepseek, YarnScalesTheScore) {
  const double plain = 1 / std::sqrt(28.0);
  for (const auto& [mscale, all_dim] : {std::pair(0.707, 0.707), {1.0, 0.5}}) {
    const auto spec = latentModel({}, yarn(mscale, all_dim));
    ASSERT_TRUE(spec) << spec.error().describe();
    const AttentionSpec& attention = attentionOf(*spec);
    EXPECT_NEAR(attention.rope->magnitude, magnitude(mscale) / magnitude(all_dim), 1e-12);
    EXPECT_NEAR(attention.scale, plain * magnitude(all_dim) * magnitude(all_dim), 1e-6);
  }
  const auto unscaled = latentModel({}, yarn(1, 0));
  ASSERT_TRUE(unscaled) << unscaled.error().describe();
  EXPECT_NEAR(attentionOf(*unscaled).rope->magnitude, magnitude(1), 1e-12);
  EXPECT_NEAR(attentionOf(*unscaled).scale, plain, 1e-6);
}

TEST(Deepseek, RoutersOfBothFamilies) {
  const json groups = {{"n_group", 4}, {"topk_group", 2}, {"routed_scaling_factor", 2.5}};
  const auto third = latentModel(kMixture, groups);
  ASSERT_TRUE(third) << third.error().describe();
  const RouterSpec& router = mixtureOf(third->blocks[1])->router;
  EXPECT_EQ(router.scores, RouterScores::kSigmoid);
  EXPECT_EQ(router.group_score, GroupScore::kTopTwoSum);
  EXPECT_EQ(router.groups, 4u);
  EXPECT_EQ(router.top_groups, 2u);
  EXPECT_EQ(router.scale, 2.5f);
  EXPECT_TRUE(router.correction);

  for (const auto& [method, expected] : {std::pair("greedy", 1u), {"group_limited_greedy", 4u}}) {
    json changes = groups;
    changes["topk_method"] = method;
    const auto second = latentModel(kMixtureOfV2, changes, "deepseek_v2");
    ASSERT_TRUE(second) << second.error().describe();
    const RouterSpec& softmax = mixtureOf(second->blocks[1])->router;
    EXPECT_EQ(softmax.scores, RouterScores::kSoftmax);
    EXPECT_EQ(softmax.group_score, GroupScore::kMax);
    EXPECT_EQ(softmax.groups, expected) << method;
    EXPECT_FALSE(softmax.correction);
  }
}

TEST(Deepseek, DenseLayersFirstAndBetween) {
  LatentSizes sizes = kMixture;
  sizes.sparse_step = 2;
  const auto spec = latentModel(sizes);
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_EQ(spec->unread_tensors, std::vector<std::string>());
  for (std::size_t layer = 0; layer < spec->blocks.size(); ++layer)
    EXPECT_EQ(mixtureOf(spec->blocks[layer]) != nullptr, layer == 2) << layer;
}

TEST(Deepseek, LayersThatPredictFurtherTokensAreUnread) {
  const auto spec = latentModel(kMixture, {{"num_hidden_layers", 3}, {"num_nextn_predict_layers", 1}});
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_EQ(spec->blocks.size(), 3u);
  EXPECT_THAT(spec->unread_tensors, testing::Contains("model.layers.3.self_attn.kv_b_proj.weight"));
  EXPECT_THAT(spec->unread_tensors, testing::Each(HasSubstr("model.layers.3.")));
}

TEST(Deepseek, RefusesWhatIsNotImplementedOrNotSaid) {
  EXPECT_THAT(reason(kMixture, {{"topk_method", "greedy"}}), HasSubstr("topk_method must be noaux_tc"));
  EXPECT_THAT(reason(kMixture, {{"scoring_func", "softmax"}}), HasSubstr("scoring_func must be sigmoid"));
  EXPECT_THAT(reason(kMixture, {{"mlp_bias", true}}), HasSubstr("mlp_bias must be false"));
  EXPECT_THAT(reason(kMixture, {{"qk_rope_head_dim", 7}}), HasSubstr("qk_rope_head_dim must be even"));
  EXPECT_THAT(reason(kMixture, {{"kv_lora_rank", 16}}), HasSubstr("kv_a_proj_with_mqa"));
  EXPECT_THAT(reason(kMixture, {{"topk_group", 2}}), HasSubstr("topk_group must be"));
  EXPECT_THAT(reason(kMixtureOfV2, {{"topk_method", "noaux_tc"}}, "deepseek_v2"),
              HasSubstr("topk_method must be greedy or group_limited_greedy"));
  EXPECT_THAT(reason(kMixtureOfV2, {{"scoring_func", "sigmoid"}}, "deepseek_v2"),
              HasSubstr("scoring_func must be softmax"));
  EXPECT_THAT(reason(kMixtureOfV2, {{"norm_topk_prob", true}}, "deepseek_v2"),
              HasSubstr("norm_topk_prob must be false"));
  for (const char* key : {"q_lora_rank", "n_shared_experts", "norm_topk_prob", "n_group"}) {
    json config = test::latentConfig(kMixture);
    config.erase(key);
    const auto spec = test::randomSpec(config, test::latentTensors(kMixture));
    ASSERT_FALSE(spec) << key;
    EXPECT_THAT(spec.error().describe(), HasSubstr(std::string(key) + " is missing"));
  }
}

class DeepseekInGguf : public testing::Test {
 protected:
  // As llama.cpp's converter would write it, and with what `change` adds.
  Result<ModelSpec> read(const LatentSizes& sizes, const json& changes, const char* model_type,
                         const std::function<void(test::GgufBuilder&)>& change = {}) {
    json config = test::latentConfig(sizes, model_type);
    config.update(changes);
    test::writeRandomCheckpoint(folder_.path(), config, test::latentTensors(sizes), 0.2f, 1);
    TRY_ASSIGN(const auto hf, Checkpoint::open(folder_.path()));
    test::LatentGguf gguf(*hf, test::KeyValueUp::kTwoTensors);
    if (change) change(gguf.builder());
    test::writeFile(folder_ / "m.gguf", gguf.build());
    TRY_ASSIGN(auto checkpoint, Checkpoint::open(folder_ / "m.gguf"));
    return readModelSpec(checkpoint);
  }

  test::ScratchFolder folder_;
};

TEST_F(DeepseekInGguf, YarnScalesTheScoreOnly) {
  const auto spec = read(kMixture, yarn(0.707, 0.707), "deepseek_v3");
  ASSERT_TRUE(spec) << spec.error().describe();
  const AttentionSpec& attention = attentionOf(*spec);
  EXPECT_EQ(attention.rope->magnitude, 1);
  EXPECT_NEAR(attention.scale, magnitude(0.707) * magnitude(0.707) / std::sqrt(28.0), 1e-6);
  const auto refused = read(kMixture, yarn(0.707, 0.707), "deepseek_v3", [](test::GgufBuilder& builder) {
    builder.set("deepseek2.rope.scaling.attn_factor", 2.0f);
  });
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().describe(), HasSubstr("attn_factor must be 1"));
}

TEST_F(DeepseekInGguf, RoutersOfBothFamilies) {
  const json groups = {{"n_group", 4}, {"topk_group", 2}};
  const auto third = read(kMixture, groups, "deepseek_v3");
  ASSERT_TRUE(third) << third.error().describe();
  EXPECT_EQ(mixtureOf(third->blocks[1])->router.scores, RouterScores::kSigmoid);
  EXPECT_EQ(mixtureOf(third->blocks[1])->router.groups, 4u);
  const auto second = read(kMixtureOfV2, groups, "deepseek_v2");
  ASSERT_TRUE(second) << second.error().describe();
  EXPECT_EQ(mixtureOf(second->blocks[1])->router.scores, RouterScores::kSoftmax);
  EXPECT_EQ(mixtureOf(second->blocks[1])->router.group_score, GroupScore::kMax);
}

TEST_F(DeepseekInGguf, BlocksThatPredictFurtherTokensAreUnread) {
  const auto spec = read(kMixture, json::object(), "deepseek_v3", [](test::GgufBuilder& builder) {
    builder.set("deepseek2.nextn_predict_layers", std::uint32_t{1});
  });
  ASSERT_TRUE(spec) << spec.error().describe();
  EXPECT_EQ(spec->blocks.size(), 3u);
  EXPECT_THAT(spec->unread_tensors, testing::Contains("blk.3.attn_k_b.weight"));
}

TEST_F(DeepseekInGguf, RefusesTemperaturesByPosition) {
  const auto spec = read(kMixture, json::object(), "deepseek_v3", [](test::GgufBuilder& builder) {
    builder.set("deepseek2.attention.temperature_scale", 0.1f);
  });
  ASSERT_FALSE(spec);
  EXPECT_THAT(spec.error().describe(), HasSubstr("temperature_scale must be 0"));
}

}  // namespace
}  // namespace vitrine::core::deepseek_test
