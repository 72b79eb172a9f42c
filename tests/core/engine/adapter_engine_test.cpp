// Adapters in the engine, beside the weights and merged into them, against the reference.
#include <gtest/gtest.h>

#include "core/adapter/attach_adapter.h"
#include "core/engine/session.h"
#include "core/model/model.h"
#include "core/reference/reference.h"
#include "support/golden.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/random_adapter.h"
#include "support/shared_files.h"

namespace vitrine::core::adapter_engine_test {
namespace {

struct AdapterCase {
  const char* zoo;
  test::AdapterPlan plan;
};

class AdapterEngine : public test::GpuTest, public testing::WithParamInterface<AdapterCase> {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    const auto shared = test::sharedDir();
    if (!shared) GTEST_SKIP() << "no ../shared";
    const auto folder = *shared / "zoo" / GetParam().zoo;
    base_ = test::expectValue(Checkpoint::open(folder));
    ids_ = test::goldenIds(*test::expectValue(Checkpoint::open(folder / "golden.safetensors")));
    ids_.resize(std::min<std::size_t>(ids_.size(), 12));
    test::AdapterPlan second = GetParam().plan;
    second.seed = 2;
    second.rank = 3;
    second.targets.resize(1);
    ASSERT_GT(test::writeRandomAdapter(scratch_ / "first", *base_, GetParam().plan), 0);
    ASSERT_GT(test::writeRandomAdapter(scratch_ / "second", *base_, second), 0);
  }

  ModelSpec specOf(std::vector<float> scales, bool merge = false) {
    ModelSpec spec = test::expectValue(readModelSpec(base_));
    for (std::size_t i = 0; i < scales.size(); ++i)
      test::expectOk(attachAdapter(spec, {scratch_ / (i == 0 ? "first" : "second"), scales[i]}));
    spec.merge_adapters = merge;
    return spec;
  }
  std::unique_ptr<Session> sessionOf(ModelSpec spec) {
    auto model = test::expectValue(Model::load(device(), std::move(spec)));
    return test::expectValue(Session::create(model, {.context = 64, .cache = CacheType::kF32}));
  }
  std::vector<float> logitRows(Session& session, std::uint32_t chunk = 512) {
    test::expectOk(session.truncate(0));
    session.setPrefillChunk(chunk);
    Capture capture{.logits = true};
    test::expectOk(session.prefill(ids_, {}, {}, &capture));
    return capture.logit_rows;
  }
  std::vector<double> referenceRows(const ModelSpec& spec) {
    const ReferencePass pass = test::expectValue(referenceForward(spec, ids_));
    return {pass.logits.data(), pass.logits.data() + pass.logits.size()};
  }

  std::shared_ptr<const Checkpoint> base_;
  std::vector<std::int32_t> ids_;
  test::ScratchFolder scratch_;
};

TEST_P(AdapterEngine, GivesWhatTheReferenceGives) {
  const std::vector<double> expected = referenceRows(specOf({0.8f}));
  const std::vector<double> both = referenceRows(specOf({0.8f, -0.5f}));
  ASSERT_GT(test::compare(both, expected).relative, 1e-3);

  const auto live = sessionOf(specOf({0.8f})), merged = sessionOf(specOf({0.8f}, true));
  const std::vector<float> merged_rows = logitRows(*merged);
  EXPECT_CLOSE(merged_rows, expected, 1e-4);
  for (const std::uint32_t chunk : {512u, 5u, 1u}) {
    SCOPED_TRACE(fmt::format("chunks of {}", chunk));
    const std::vector<float> rows = logitRows(*live, chunk);
    EXPECT_CLOSE(rows, expected, 1e-4);
    EXPECT_CLOSE(rows, merged_rows, 1e-5);
  }
  const auto live_both = sessionOf(specOf({0.8f, -0.5f})),
             merged_both = sessionOf(specOf({0.8f, -0.5f}, true));
  EXPECT_CLOSE(logitRows(*live_both), both, 1e-4);
  EXPECT_CLOSE(logitRows(*merged_both), both, 1e-4);
  EXPECT_CLOSE(logitRows(*live_both), logitRows(*merged_both), 1e-5);
}

TEST_P(AdapterEngine, FollowsAScaleThatChanges) {
  const auto base = sessionOf(specOf({})), live = sessionOf(specOf({0.8f, -0.5f}));
  const std::vector<float> at_first = logitRows(*live);
  for (const std::uint32_t adapter : {0u, 1u}) test::expectOk(live->setAdapterScale(adapter, 0));
  EXPECT_EQ(logitRows(*live), logitRows(*base));
  EXPECT_EQ(logitRows(*live, 1), logitRows(*base, 1));
  test::expectOk(live->setAdapterScale(0, 0.3f));
  EXPECT_CLOSE(logitRows(*live), referenceRows(specOf({0.3f, 0})), 1e-4);
  test::expectOk(live->setAdapterScale(0, 0.8f));
  test::expectOk(live->setAdapterScale(1, -0.5f));
  EXPECT_EQ(logitRows(*live), at_first);
}

// A decode step is recorded once: its scales are read when it runs.
TEST_P(AdapterEngine, ChangesBetweenTwoDecodedTokens) {
  const auto live = sessionOf(specOf({0.8f})), fixed = sessionOf(specOf({0.0f}));
  for (Session* session : {live.get(), fixed.get()}) {
    test::expectOk(session->prefill(ids_));
    ASSERT_TRUE(session->decode(2, {}, {}, {}));
  }
  const std::vector<float> with = test::expectValue(live->logits());
  test::expectOk(live->setAdapterScale(0, 0));
  EXPECT_EQ(test::expectValue(live->logits()), with);
  ASSERT_TRUE(live->decode(2, {}, {}, {}));
  const std::vector<TokenId> tokens(live->tokens().begin(), live->tokens().end());
  test::expectOk(live->truncate(0));
  test::expectOk(live->prefill(tokens));
  test::expectOk(fixed->truncate(0));
  test::expectOk(fixed->prefill(tokens));
  EXPECT_EQ(test::expectValue(live->logits()), test::expectValue(fixed->logits()));
}

TEST_P(AdapterEngine, RefusesScalesThatCannotBe) {
  const auto live = sessionOf(specOf({1.0f})), merged = sessionOf(specOf({1.0f}, true));
  EXPECT_FALSE(live->setAdapterScale(1, 1));
  EXPECT_FALSE(live->setAdapterScale(0, NAN));
  const auto done = merged->setAdapterScale(0, 1);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("merged"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Zoo, AdapterEngine,
    testing::Values(
        AdapterCase{"llama",
                    {.targets = {"q_proj", "v_proj", "o_proj", "gate_proj", "down_proj", "lm_head"}}},
        AdapterCase{"gpt2", {.targets = {"c_attn", "c_proj", "c_fc"}, .transposed = true}},
        AdapterCase{"phi3", {.targets = {"qkv_proj", "gate_up_proj", "o_proj", "down_proj"}}},
        AdapterCase{"qwen3-moe",
                    {.targets = {"q_proj", "k_proj", "v_proj", "o_proj"}, .rank_stabilized = true}},
        AdapterCase{"mamba", {.targets = {"in_proj", "x_proj", "dt_proj", "out_proj"}}},
        AdapterCase{"mamba2", {.targets = {"in_proj", "out_proj"}}},
        AdapterCase{"qwen3-next", {.targets = {"out_proj", "q_proj", "in_proj_qkvz"}}},
        AdapterCase{"deepseek-v2", {.targets = {"q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "o_proj"}}}),
    [](const auto& info) {
      std::string name = info.param.zoo;
      std::erase(name, '-');
      return name;
    });

using AdapterMergedOnly = AdapterEngine;
TEST_P(AdapterMergedOnly, RunMergedAndAreRefusedBesideTheWeights) {
  const std::vector<double> expected = referenceRows(specOf({1.0f}));
  const auto merged = sessionOf(specOf({1.0f}, true));
  EXPECT_CLOSE(logitRows(*merged), expected, 1e-4);
  const auto live = Model::load(device(), specOf({1.0f}));
  ASSERT_FALSE(live);
  EXPECT_NE(live.error().describe().find("only when they are merged"), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(
    Zoo, AdapterMergedOnly,
    testing::Values(AdapterCase{"qwen3-moe", {.targets = {"up_proj", "gate_proj", "down_proj", "q_proj"}}},
                    AdapterCase{"deepseek-v3", {.targets = {"kv_b_proj", "kv_a_proj_with_mqa", "o_proj"}}}),
    [](const auto& info) { return std::string(info.index == 0 ? "experts" : "latent"); });

}  // namespace
}  // namespace vitrine::core::adapter_engine_test
