// LoRA adapters merged into weights: against plain loops, and the one that ships against transformers.
#include "core/model/adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>

#include "core/assets/asset_paths.h"
#include "core/checkpoint/safetensors_writer.h"
#include "core/engine/session.h"
#include "support/gguf_builder.h"
#include "support/golden.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/scratch_folder.h"

namespace vitrine::core {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::uint64_t kOut = 7, kIn = 5, kRank = 2;

std::vector<float> randomValues(std::uint64_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

// A base of one linear layer, "layers.0.proj", and an adapter for it; tests change what they want to break.
class AdapterTest : public ::testing::Test {
 protected:
  Result<std::shared_ptr<const Checkpoint>> merged(double scale = 1) {
    const auto weight = safetensorsItem("layers.0.proj.weight", shape_, weight_);
    TRY(writeSafetensors(base_.path() / "model.safetensors", std::span(&weight, 1)));
    std::vector<SafetensorsItem> items = {safetensorsItem(a_name_, {kRank, kIn}, a_)};
    if (!b_name_.empty()) items.push_back(safetensorsItem(b_name_, {b_rows_, kRank}, b_));
    TRY(writeSafetensors(adapter_.path() / "adapter_model.safetensors", items));
    const std::string text = config_.dump();
    test::writeFile(adapter_.path() / "adapter_config.json", std::as_bytes(std::span(text)));
    TRY_ASSIGN(const auto base, Checkpoint::open(base_.path() / "model.safetensors"));
    return mergeAdapter(*base, {.folder = adapter_.path(), .scale = scale});
  }

  std::string reason() {
    auto result = merged();
    return result ? "no error" : result.error().describe();
  }

  // W + factor B A; the layer's weight transposed where `transposed`.
  void expectMerged(double factor, double scale = 1, bool transposed = false) {
    const auto result = merged(scale);
    ASSERT_TRUE(result) << result.error().describe();
    std::vector<double> expected;
    for (std::uint64_t i = 0; i < shape_[0]; ++i)
      for (std::uint64_t j = 0; j < shape_[1]; ++j) {
        const std::uint64_t o = transposed ? j : i, in = transposed ? i : j;
        double sum = 0;
        for (std::uint64_t r = 0; r < kRank; ++r) sum += double{b_[o * kRank + r]} * a_[r * kIn + in];
        expected.push_back(weight_[i * shape_[1] + j] + factor * sum);
      }
    EXPECT_CLOSE(test::goldenFloats(**result, "layers.0.proj.weight"), expected, 1e-6);
  }

  test::ScratchFolder base_, adapter_;
  std::vector<std::uint64_t> shape_ = {kOut, kIn};
  std::uint64_t b_rows_ = kOut;
  std::vector<float> weight_ = randomValues(kOut * kIn, 1), a_ = randomValues(kRank * kIn, 2),
                     b_ = randomValues(kOut * kRank, 3);
  std::string a_name_ = "base_model.model.model.layers.0.proj.lora_A.weight",
              b_name_ = "base_model.model.model.layers.0.proj.lora_B.weight";
  json config_ = {
      {"peft_type", "LORA"}, {"r", kRank}, {"lora_alpha", 6}, {"bias", "none"}, {"use_dora", false}};
};

TEST_F(AdapterTest, AddsTheScaledProduct) {
  expectMerged(3);
  expectMerged(0.75, 0.25);
  expectMerged(0, 0);
  config_["use_rslora"] = true;
  expectMerged(6 / std::sqrt(2.0));
  config_["alpha_pattern"] = {{"proj", 2}};
  expectMerged(2 / std::sqrt(2.0));
  config_["r"] = 4;
  config_["rank_pattern"] = {{"0.proj", kRank}};
  expectMerged(2 / std::sqrt(2.0));
}

TEST_F(AdapterTest, WeightsStoredTheOtherWayRound) {
  shape_ = {kIn, kOut};
  config_["fan_in_fan_out"] = true;
  expectMerged(3, 1, true);
}

TEST_F(AdapterTest, WhatIsNotReadIsRefused) {
  for (const char* key : {"use_dora", "modules_to_save", "trainable_token_indices", "bias"}) {
    const json kept = config_;
    config_[key] = json::array({"lm_head"});
    EXPECT_THAT(reason(), HasSubstr(std::string("adapter_config.json: ") + key));
    config_ = kept;
  }
  config_["rank_pattern"] = {{".*proj", 4}};
  EXPECT_THAT(reason(), HasSubstr("is a pattern"));
  config_.erase("rank_pattern");
  config_["peft_type"] = "IA3";
  EXPECT_THAT(reason(), HasSubstr("peft_type must be LORA"));
}

TEST_F(AdapterTest, WhatLiesIsRefused) {
  config_["r"] = 3;
  EXPECT_THAT(reason(), HasSubstr("lora_A.weight must have shape [3, 5], found [2, 5]"));
  config_["r"] = -1;
  EXPECT_THAT(reason(), HasSubstr("r must be a number greater than 0"));
  config_["r"] = kRank;
  config_.erase("lora_alpha");
  EXPECT_THAT(reason(), HasSubstr("lora_alpha"));
  config_["lora_alpha"] = 6;
  b_rows_ = kOut - 1;
  b_.resize(b_rows_ * kRank);
  EXPECT_THAT(reason(), HasSubstr("lora_B.weight must have shape [7, 2], found [6, 2]"));
  b_name_ = "";
  EXPECT_THAT(reason(), HasSubstr("has no lora_B.weight"));
  b_name_ = "base_model.model.model.layers.1.proj.lora_B.weight";
  a_name_ = "base_model.model.model.layers.1.proj.lora_A.weight";
  EXPECT_THAT(reason(), HasSubstr("module model.layers.1.proj is not in"));
  a_name_ = "base_model.model.model.embed_tokens.lora_embedding_A";
  EXPECT_THAT(reason(), HasSubstr("only base_model.model."));
}

TEST(AdapterChoices, FolderAndScale) {
  EXPECT_EQ(test::expectValue(parseAdapterChoice("a/b")).scale, 1);
  EXPECT_EQ(test::expectValue(parseAdapterChoice("a/b:0.5")).scale, 0.5);
  EXPECT_EQ(test::expectValue(parseAdapterChoice("a/b:-2")).folder, "a/b");
  EXPECT_EQ(test::expectValue(parseAdapterChoice("a:b/c")).folder, "a:b/c");
  EXPECT_FALSE(parseAdapterChoice("a/b:x"));
  EXPECT_FALSE(parseAdapterChoice("a/b:inf"));
}

class ShippedAdapterTest : public test::GpuTest {};

TEST_F(ShippedAdapterTest, GivesWhatTransformersGives) {
  const AdapterChoice adapter{.folder = modelPath("demo-dense-shakespeare-lora")};
  const auto checkpoint =
      test::expectValue(openWithAdapters(modelPath("demo-dense"), std::span(&adapter, 1)));
  const auto model = test::expectValue(Model::load(device(), test::expectValue(readModelSpec(checkpoint))));
  const auto golden =
      test::expectValue(Checkpoint::open(std::filesystem::path(VITRINE_SOURCE_DIR) /
                                         "tests/data/demo-dense-shakespeare-lora-golden.safetensors"));
  auto session = test::expectValue(Session::create(model, {.context = 64, .cache = CacheType::kF32}));
  Capture capture{.logits = true, .hidden_states = {}, .logit_rows = {}};
  test::expectOk(session->prefill(test::goldenIds(*golden), {}, {}, &capture));
  EXPECT_CLOSE(capture.logit_rows, test::goldenFloats(*golden, "logits"), 1e-4);
}

}  // namespace
}  // namespace vitrine::core
