#include "core/spectra/spectra_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/adapter/attach_adapter.h"
#include "core/spectra/comparison_source.h"
#include "core/spectra/lapack_spectrum.h"
#include "core/spectra/matrix_catalogue.h"
#include "core/spectra/null_source.h"
#include "core/spectra/product_source.h"
#include "core/spectra/shuffled.h"
#include "core/spectra/spectra_worker.h"
#include "support/random_adapter.h"
#include "support/scratch_folder.h"
#include "support/small_model.h"

namespace vitrine::core::spectra_source_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::shared_ptr<const SpectraSnapshot> endOf(const SpectraWorker& worker) {
  for (const auto start = Clock::now(); secondsSince(start) < 60;) {
    auto snapshot = worker.snapshot();
    if (snapshot->state != SpectraState::kRunning && snapshot->state != SpectraState::kIdle) return snapshot;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ADD_FAILURE() << "nothing happened within a minute";
  return worker.snapshot();
}

std::shared_ptr<const SpectraSnapshot> computed(std::shared_ptr<SpectraSource> source) {
  SpectraWorker worker(nullptr, [] {});
  worker.start(std::move(source));
  return endOf(worker);
}

TEST(ProductSourceTest, ARowForEachHead) {
  const test::ScratchFolder folder;
  test::writeSmallModel(folder.path(), {.layers = 2, .width = 48, .heads = 6, .kv_heads = 2});
  const auto snapshot = computed(productSource({.model = folder.path(), .kind = ProductKind::kOv}));
  ASSERT_EQ(snapshot->state, SpectraState::kDone);
  ASSERT_EQ(snapshot->total(), 12u);
  EXPECT_EQ(snapshot->done, 12u);
  EXPECT_TRUE(snapshot->left_out.empty());
  const MatrixName& name = (*snapshot->matrices)[9];
  EXPECT_EQ(name.name, "ov.1.3");
  EXPECT_EQ(name.rows, 48u);
  ASSERT_TRUE(name.product);
  EXPECT_EQ(name.product->layer, 1u);
  EXPECT_EQ(name.product->kv_head, 1u);
  EXPECT_EQ(name.product->rank, 8u);
  const auto spec = readModelSpec(*Checkpoint::open(folder.path()));
  const auto expected = headProducts(*spec, std::vector{ProductKind::kOv});
  ASSERT_TRUE(expected);
  for (std::size_t i = 0; i < 12; ++i) {
    ASSERT_TRUE(snapshot->results[i].report) << i;
    EXPECT_EQ(snapshot->results[i].report->name, (*snapshot->matrices)[i].name);
    EXPECT_EQ(snapshot->results[i].report->spectrum.sigma, expected->products[i].spectrum.sigma);
  }
}

TEST(ProductSourceTest, SaysWhyALayerHasNone) {
  auto spec = test::smallModel({.layers = 2, .width = 48, .heads = 6, .kv_heads = 2});
  ASSERT_TRUE(spec);
  std::get<AttentionSpec>(spec->blocks[1].mixers[0]).key_norm = Norm{};
  const auto shared = std::make_shared<const ModelSpec>(*spec);
  const auto snapshot = computed(productSource(shared, {.kind = ProductKind::kQk}));
  EXPECT_EQ(snapshot->total(), 6u);
  EXPECT_THAT(snapshot->left_out, ElementsAre("Layer 1: it norms queries or keys"));
  EXPECT_EQ(computed(productSource(shared, {.kind = ProductKind::kOv}))->total(), 12u);
}

TEST(ProductSourceTest, SaysWhatWasFolded) {
  const auto spec = test::smallModel({.layers = 1, .width = 48, .heads = 6, .kv_heads = 2});
  ASSERT_TRUE(spec);
  using Fact = std::pair<std::string, std::string>;
  EXPECT_THAT(foldedInto(spec->blocks[0], ProductKind::kQk, {}),
              ElementsAre(Fact{"Input norm", "RMS norm: its gain"}, Fact{"Rotary", "identity (offset 0)"},
                          Fact{"Scale of the scores", "0.3536"}, Fact{"Left out", "nothing"}));
  BlockSpec block = spec->blocks[0];
  std::get<AttentionSpec>(block.mixers[0]).soft_cap = 50;
  block.mixer_post_norm = Norm{};
  const ProductOptions raw{.fold_gains = false, .score_scale = false, .offset = 3};
  EXPECT_THAT(foldedInto(block, ProductKind::kQk, raw),
              ElementsAre(Fact{"Input norm", "left out"}, Fact{"Rotary", "turned by offset 3"},
                          Fact{"Scale of the scores", "left out"}, Fact{"Left out", "soft cap"}));
  EXPECT_EQ(foldedInto(block, ProductKind::kOv, {}).back().second, "norm behind the layer");
}

TEST(NullSourceTest, ShufflesTheNamedMatricesAlone) {
  const test::ScratchFolder folder;
  test::writeRandomCheckpoint(folder.path(), nlohmann::json::object(), {{"a", {6, 9}}, {"b", {8, 4}}}, 1, 3);
  const auto snapshot = computed(nullSource({.model = folder.path(), .names = {"b", "gone"}, .seed = 5}));
  ASSERT_EQ(snapshot->state, SpectraState::kDone);
  ASSERT_EQ(snapshot->total(), 1u);
  EXPECT_THAT(snapshot->left_out, ElementsAre("gone is no matrix of the model"));
  const auto checkpoint = Checkpoint::open(folder.path());
  const auto dense = readMatrix(matricesOf(**checkpoint, "b")[0]);
  const auto expected = lapackSpectrum(shuffled(*dense, 5)), plain = lapackSpectrum(*dense);
  ASSERT_TRUE(snapshot->results[0].report);
  EXPECT_EQ(snapshot->results[0].report->spectrum.sigma, expected->sigma);
  EXPECT_NE(snapshot->results[0].report->spectrum.sigma, plain->sigma);
  EXPECT_NEAR(snapshot->results[0].report->metrics.frobenius, plain->frobenius, 1e-10);
}

TEST(ComparisonSourceTest, ComparesWhatBothHave) {
  const test::ScratchFolder base, tuned;
  test::writeRandomCheckpoint(base.path(), nlohmann::json::object(),
                              {{"h.0.x", {9, 6}}, {"h.1.x", {6, 6}}, {"c", {4, 6}}}, 1, 1);
  test::writeRandomCheckpoint(tuned.path(), nlohmann::json::object(), {{"h.0.x", {9, 6}}, {"h.1.x", {6, 6}}},
                              1, 2);
  const auto snapshot = computed(comparisonSource({.base = base.path(), .tuned = tuned.path()}));
  ASSERT_EQ(snapshot->state, SpectraState::kDone);
  ASSERT_EQ(snapshot->total(), 2u);
  EXPECT_THAT(snapshot->left_out, ElementsAre("c is in the base only"));
  const auto pairs = pairsOf(*Checkpoint::open(base.path()), *Checkpoint::open(tuned.path()));
  const auto expected = runComparisons(pairs.pairs);
  for (std::size_t i = 0; i < 2; ++i) {
    const MatrixResult& result = snapshot->results[i];
    ASSERT_TRUE(result.report && result.compared) << i;
    const MatrixComparison& found = result.compared->comparison;
    EXPECT_EQ(found.name, (*expected)[i].name);
    EXPECT_EQ(found.change_norm, (*expected)[i].change_norm);
    EXPECT_EQ(found.phi, (*expected)[i].phi);
    EXPECT_EQ(found.change.cells, 6u);
    EXPECT_EQ(result.compared->base.metrics.s1, (*expected)[i].base_sigma[0]);
    EXPECT_EQ(result.report->metrics.s1, (*expected)[i].tuned_sigma[0]);
  }
}

TEST(ComparisonSourceTest, ComparesAnAdapterAndRefusesStrangers) {
  const test::ScratchFolder base, lora, other;
  test::writeSmallModel(base.path(), {.layers = 1});
  const auto checkpoint = Checkpoint::open(base.path());
  ASSERT_EQ(
      test::writeRandomAdapter(lora.path(), **checkpoint, {.targets = {"q_proj"}, .rank = 3, .alpha = 9}), 1);
  const auto snapshot =
      computed(comparisonSource({.base = base.path(), .adapters = {{.folder = lora.path(), .scale = 2}}}));
  ASSERT_EQ(snapshot->total(), 1u);
  ASSERT_TRUE(snapshot->results[0].compared);
  EXPECT_EQ(snapshot->results[0].compared->comparison.adapter->nominal, 3u);
  test::writeRandomCheckpoint(other.path(), nlohmann::json::object(), {{"z", {4, 6}}}, 1, 1);
  const auto refused = computed(comparisonSource({.base = base.path(), .tuned = other.path()}));
  EXPECT_EQ(refused->state, SpectraState::kFailed);
  EXPECT_EQ(refused->error->code, ErrorCode::kNotFound);
  const auto gone = computed(comparisonSource({.base = base.path() / "gone", .tuned = other.path()}));
  EXPECT_EQ(gone->state, SpectraState::kFailed);
}

TEST(ForRowsTest, StopsBetweenRows) {
  std::stop_source stop;
  std::atomic<int> called = 0;
  const auto ran = forRows({0, 1, 2, 3}, 1, stop.get_token(), [&](std::size_t row) {
    ++called;
    if (row == 1) stop.request_stop();
  });
  EXPECT_EQ(called, 2);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace vitrine::core::spectra_source_test
