#include "core/spectra/model_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/adapter/attach_adapter.h"
#include "core/spectra/fine_tunes.h"
#include "core/spectra/layer_name.h"
#include "core/spectra/spectrum_matrices.h"
#include "support/random_adapter.h"
#include "support/shared_files.h"
#include "support/small_model.h"

namespace vitrine::core::model_comparison_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::shared_ptr<const Checkpoint> written(const test::ScratchFolder& folder, const test::NamedShapes& tensors,
                                          std::uint64_t seed = 1) {
  test::writeRandomCheckpoint(folder.path(), nlohmann::json::object(), tensors, 0.1f, seed);
  const auto checkpoint = Checkpoint::open(folder.path());
  VITRINE_ASSERT(checkpoint.has_value());
  return *checkpoint;
}

TEST(ModelComparison, PairsByNameAndSaysWhatItLeavesOut) {
  const test::ScratchFolder base, tuned;
  const auto before =
      written(base, {{"a", {4, 6}}, {"b", {4, 6}}, {"c", {4, 6}}, {"h.2.x", {3, 3}}, {"n", {4}}});
  const auto after =
      written(tuned, {{"a", {4, 6}}, {"b", {6, 4}}, {"d", {4, 6}}, {"h.2.x", {3, 3}}, {"n", {4}}}, 2);
  const MatrixPairs pairs = pairsOf(before, after);
  ASSERT_THAT(pairs.pairs, SizeIs(2));
  EXPECT_EQ(pairs.pairs[0].name, "a");
  EXPECT_THAT(pairs.left_out, ElementsAre("b is 4 x 6 in the base, 6 x 4 in the fine-tune",
                                          "c is in the base only", "d is in the fine-tune only"));
  std::size_t last = 0;
  const auto all = runComparisons(pairs.pairs, {.progress = [&](std::size_t done) { last = done; }});
  ASSERT_TRUE(all) << all.error().describe();
  ASSERT_THAT(*all, SizeIs(2));
  EXPECT_EQ((*all)[1].name, "h.2.x");
  EXPECT_EQ((*all)[0].columns, 6u);
  EXPECT_GT((*all)[0].change_norm, 0);
  EXPECT_FALSE((*all)[0].adapter);
  EXPECT_EQ(last, 2u);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(runComparisons(pairs.pairs, {.stop = stop.get_token()}).error().code, ErrorCode::kCancelled);
}

TEST(FineTunes, AreOpenedByTheirPaths) {
  const test::ScratchFolder base, tuned, stranger;
  written(base, {{"a", {4, 6}}, {"b", {4, 6}}});
  written(tuned, {{"a", {4, 6}}, {"c", {4, 6}}}, 2);
  written(stranger, {{"z", {4, 6}}}, 3);
  const auto tune = openFineTune(base.path(), tuned.path());
  ASSERT_TRUE(tune) << tune.error().describe();
  EXPECT_EQ(tune->name, tuned.path().filename().string());
  EXPECT_EQ(tune->base, base.path().filename().string());
  EXPECT_THAT(tune->matrices.pairs, SizeIs(1));
  EXPECT_THAT(tune->matrices.left_out, SizeIs(2));
  EXPECT_EQ(openFineTune(base.path(), stranger.path()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(openFineTune(base.path(), tuned.path(), "c").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(openFineTune(base.path(), base.path() / "missing"));
}

// Against B A added by hand.
TEST(ModelComparison, ComparesAnAdapterWithItsBase) {
  const test::ScratchFolder base, lora;
  test::writeSmallModel(base.path(), {.layers = 1});
  const auto checkpoint = Checkpoint::open(base.path());
  ASSERT_TRUE(checkpoint);
  const test::AdapterPlan plan{.targets = {"q_proj", "down_proj"}, .rank = 3, .alpha = 9};
  ASSERT_EQ(test::writeRandomAdapter(lora.path(), **checkpoint, plan), 2);
  auto spec = readModelSpec(*checkpoint);
  ASSERT_TRUE(spec);
  ASSERT_TRUE(attachAdapter(*spec, {.folder = lora.path(), .scale = 0.5f}));
  const MatrixPairs pairs = pairsOf(std::make_shared<ModelSpec>(std::move(*spec)));
  ASSERT_THAT(pairs.pairs, SizeIs(2));
  EXPECT_EQ(pairs.pairs[1].name, "model.layers.0.self_attn.q_proj.weight");
  const auto matrix = pairs.pairs[1].load();
  ASSERT_TRUE(matrix) << matrix.error().describe();
  const auto adapter = readAdapter(lora.path());
  ASSERT_TRUE(adapter);
  for (const AdapterModule& module : adapter->modules) {
    if (!module.name.ends_with("q_proj")) continue;
    const DenseMatrix a{3, 48, test::valuesOf(*module.a)}, b{48, 3, test::valuesOf(*module.b)};
    EXPECT_LE((matrix->base + 0.5 * 3 * toDouble(b) * toDouble(a) - matrix->tuned).cwiseAbs().maxCoeff(),
              1e-14);
  }
  const auto all = runComparisons(pairs.pairs);
  ASSERT_TRUE(all) << all.error().describe();
  ASSERT_TRUE((*all)[1].adapter);
  EXPECT_EQ((*all)[1].adapter->nominal, 3u);
  EXPECT_EQ((*all)[1].adapter->rank, 3u);
  EXPECT_NEAR((*all)[1].adapter->sigma[0], (*all)[1].change_s1, 1e-12 * (*all)[1].change_s1);
  EXPECT_NEAR((*all)[1].adapter->effective, (*all)[1].change_effective_rank, 1e-9);
}

// The demonstration models: the adapter has rank 8 everywhere, and changes less than the whole fine-tune.
TEST(ModelComparison, ReadsTheDemonstrationFineTunes) {
  const auto models = test::sourceDir() / "assets/models";
  const auto base = Checkpoint::open(models / "demo-dense");
  const auto tuned = Checkpoint::open(models / "demo-dense-shakespeare");
  ASSERT_TRUE(base && tuned);
  const std::string_view glob = "*.3.self_attn.?_proj.weight";
  const MatrixPairs full = pairsOf(*base, *tuned, glob);
  EXPECT_THAT(full.pairs, SizeIs(4));
  EXPECT_TRUE(full.left_out.empty());
  auto spec = readModelSpec(*base);
  ASSERT_TRUE(spec);
  ASSERT_TRUE(attachAdapter(*spec, {.folder = models / "demo-dense-shakespeare-lora"}));
  const MatrixPairs lora = pairsOf(std::make_shared<ModelSpec>(std::move(*spec)), glob);
  ASSERT_THAT(lora.pairs, SizeIs(4));
  const auto all = runComparisons(std::span(lora.pairs).first(1));
  ASSERT_TRUE(all) << all.error().describe();
  EXPECT_EQ((*all)[0].adapter->nominal, 8u);
  EXPECT_EQ((*all)[0].adapter->rank, 8u);
  EXPECT_LE((*all)[0].adapter->effective, 8);
}

TEST(LayerName, IsTheFirstNumberBetweenDots) {
  const auto name = layerNameOf("model.layers.13.mlp.experts.2.w1.weight");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->layer, 13u);
  EXPECT_EQ(name->kind, "model.layers.*.mlp.experts.2.w1.weight");
  EXPECT_EQ(layerNameOf("qk.4.7")->kind, "qk.*.7");
  EXPECT_FALSE(layerNameOf("model.embed_tokens.weight"));
  EXPECT_FALSE(layerNameOf("h1.x"));
  EXPECT_FALSE(layerNameOf("h.4000000000.x"));
  EXPECT_FALSE(layerNameOf(""));
  EXPECT_THAT(shortLabels({"h.*.attn.q.weight", "h.*.mlp.up.weight"}), ElementsAre("q", "up"));
  EXPECT_THAT(shortLabels({"h.*.a.q.weight", "h.*.b.q.weight"}), ElementsAre("a.q", "b.q"));
  EXPECT_THAT(shortLabels({"ov.*.0", "ov.*.1", "embed"}), ElementsAre("ov.0", "ov.1", "embed"));
  EXPECT_THAT(shortLabels({"h.*.experts.7.weight"}), ElementsAre("experts.7"));
}

}  // namespace
}  // namespace vitrine::core::model_comparison_test
