#include "core/figure/trace_figures.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "core/checkpoint/safetensors_writer.h"
#include "core/figure/figure_fixtures.h"
#include "support/shared_files.h"

namespace vitrine::core {
namespace {

namespace fs = std::filesystem;

// Two layers (0 and 2: layer 1 of this hybrid has no attention) of two heads over four tokens.
class TraceFigures : public ::testing::Test {
 protected:
  static constexpr std::size_t kTokens = 4;

  void SetUp() override {
    path_ = fs::path(::testing::TempDir()) / ("vitrine-trace-" + std::to_string(::getpid()) + ".safetensors");
    for (std::size_t i = 0; i < 4; ++i) {
      std::vector<float> head = testing::causalAttention(kTokens, static_cast<double>(i));
      for (float p : head) values_.push_back(std::max(p, 0.0f));  // a trace has zeros above the diagonal
    }
    std::span<const float> all(values_);
    const std::vector<std::uint64_t> shape = {2, kTokens, kTokens};
    const std::vector<SafetensorsItem> items = {
        safetensorsItem("attention.0", shape, all.first(2 * kTokens * kTokens)),
        safetensorsItem("attention.2", shape, all.last(2 * kTokens * kTokens)),
        safetensorsItem("input_ids", {kTokens}, std::span<const std::int32_t>(ids_)),
        safetensorsItem("hidden.0", {2, 2}, all.first(4))};
    ASSERT_TRUE(writeSafetensors(path_, items));
    auto trace = Checkpoint::open(path_);
    ASSERT_TRUE(trace) << trace.error().describe();
    trace_ = *trace;
  }
  void TearDown() override { fs::remove(path_); }

  Result<Figure> figure(std::string_view name, const AttentionFigureOptions& options,
                        std::vector<std::string> labels = {}) const {
    return figureFromTrace(*trace_, name, options, labels);
  }

  fs::path path_;
  std::vector<float> values_;
  std::vector<std::int32_t> ids_ = {11, 12, 11, 13};
  std::shared_ptr<const Checkpoint> trace_;
};

TEST_F(TraceFigures, MapHasTheHeadsValuesAndTheCausalMask) {
  AttentionFigureOptions options;
  options.layer = 2;
  options.head = 1;
  Figure map = figure("attention-map", options, testing::tokenLabels(kTokens)).value();
  const HeatMap& cells = map.panels[0].heat_map.value();
  for (std::size_t q = 0; q < kTokens; ++q)
    for (std::size_t k = 0; k < kTokens; ++k) {
      EXPECT_EQ(cells.mask[q * kTokens + k], k > q);
      if (k <= q) {
        EXPECT_EQ(cells.values[q * kTokens + k], values_[(3 * kTokens + q) * kTokens + k]);
      }
    }
  EXPECT_EQ(map.panels[0].x.categories[1], "·upon");
  EXPECT_EQ(map.summary.size(), 5u);
}

TEST_F(TraceFigures, IdsStandInForLabels) {
  Figure row = figure("attention-row", {}).value();
  EXPECT_EQ(row.panels[0].x.categories, (std::vector<std::string>{"11", "12", "11", "13"}));
  EXPECT_EQ(row.panels[0].bars[0].values.size(), kTokens);
}

TEST_F(TraceFigures, OverviewAndMetricsSkipLayersWithoutAttention) {
  Figure overview = figure("attention-overview", {}).value();
  EXPECT_EQ(overview.panels[0].thumbnails->row_names, (std::vector<std::string>{"0", "2"}));
  Figure metrics = figure("head-metrics", {}).value();
  ASSERT_EQ(metrics.panels.size(), 5u);
  EXPECT_EQ(metrics.panels[0].y.categories, (std::vector<std::string>{"0", "2"}));
  // The induction score of layer 2, head 1: the third token repeats the first and may look at the second.
  EXPECT_EQ(metrics.panels[4].heat_map->values[3], values_[(3 * kTokens + 2) * kTokens + 1]);
}

TEST_F(TraceFigures, WhatIsNotThereIsSaid) {
  auto message = [&](std::string_view name, std::uint32_t layer, std::uint32_t head,
                     std::vector<std::string> labels = {}) {
    AttentionFigureOptions options;
    options.layer = layer;
    options.head = head;
    Result<Figure> result = figure(name, options, std::move(labels));
    return result ? std::string("accepted") : result.error().message;
  };
  EXPECT_NE(message("attention-map", 1, 0).find("no attention of layer 1; it has 2 layers from 0 to 2"),
            std::string::npos);
  EXPECT_NE(message("attention-map", 0, 2).find("head 2 does not exist: layer 0 has 2 heads"),
            std::string::npos);
  EXPECT_NE(message("histogram", 0, 0).find("choose one of attention-map"), std::string::npos);
  EXPECT_NE(message("attention-map", 0, 0, {"one"}).find("1 token labels"), std::string::npos);
  AttentionFigureOptions options;
  options.query = 4;
  EXPECT_NE(figure("attention-row", options).error().message.find("query 4 does not exist"),
            std::string::npos);
}

TEST_F(TraceFigures, TensorsOfAnotherShapeAndFilesWithoutAttentionAreRefused) {
  const std::vector<SafetensorsItem> flat = {
      safetensorsItem("attention.0", {2, 8}, std::span<const float>(values_).first(16))};
  ASSERT_TRUE(writeSafetensors(path_, flat));
  auto odd = Checkpoint::open(path_).value();
  for (std::string_view name : traceFigureNames()) {
    Result<Figure> result = figureFromTrace(*odd, name, {}, {});
    ASSERT_FALSE(result) << name;
    EXPECT_NE(result.error().message.find("expected floats of shape (heads, T, T)"), std::string::npos)
        << result.error().message;
  }
  const std::vector<SafetensorsItem> none = {
      safetensorsItem("hidden.0", {2}, std::span<const float>(values_).first(2))};
  ASSERT_TRUE(writeSafetensors(path_, none));
  auto empty = Checkpoint::open(path_).value();
  for (std::string_view name : traceFigureNames())
    EXPECT_NE(figureFromTrace(*empty, name, {}, {}).error().message.find("holds no attention"),
              std::string::npos)
        << name;
}

TEST(TraceFiguresOfAModel, RealHeadsSumToOne) {
  auto path = vitrine::test::sharedFile("models/smollm2-135m-instruct/golden.safetensors");
  if (!path) GTEST_SKIP() << "shared/models/smollm2-135m-instruct is not here";
  auto trace = Checkpoint::open(*path).value();
  AttentionFigureOptions options;
  options.layer = 17;
  options.head = 5;
  Figure map = figureFromTrace(*trace, "attention-map", options, {}).value();
  const HeatMap& cells = map.panels[0].heat_map.value();
  ASSERT_EQ(cells.rows, 24u);
  for (std::size_t q = 0; q < 24; ++q) {
    double sum = 0;
    for (std::size_t k = 0; k <= q; ++k) sum += cells.values[q * 24 + k];
    EXPECT_NEAR(sum, 1, 1e-5);
  }
  EXPECT_EQ(figureFromTrace(*trace, "head-metrics", options, {}).value().panels[0].heat_map->values.size(),
            270u);
}

}  // namespace
}  // namespace vitrine::core
