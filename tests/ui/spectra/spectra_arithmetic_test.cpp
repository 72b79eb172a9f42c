#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/figure/spectrum_curves.h"
#include "spectra_reports.h"
#include "ui/views/spectra/layer_profile.h"
#include "ui/views/spectra/matrix_place.h"
#include "ui/views/spectra/metric.h"
#include "ui/views/spectra/series_selection.h"

namespace vitrine::ui::spectra {
namespace {

using Indices = std::vector<std::size_t>;

std::vector<MatrixPlace> placesOf(const core::SpectraSnapshot& snapshot) {
  std::vector<MatrixPlace> places;
  for (const core::MatrixName& matrix : *snapshot.matrices) places.push_back(placeOf(matrix.name));
  return places;
}

Indices matricesIn(const SeriesSelection& selection) {
  Indices matrices;
  for (const Series& series : selection.series()) matrices.push_back(series.matrix);
  return matrices;
}

TEST(MatrixPlaceTest, ReadsLayerAndKindOffNames) {
  const auto expect = [](std::string_view name, std::optional<std::uint32_t> layer, std::string_view kind) {
    const MatrixPlace place = placeOf(name);
    EXPECT_EQ(place.layer, layer) << name;
    EXPECT_EQ(place.kind, kind) << name;
  };
  expect("blk.14.attn_q.weight", 14, "attn_q");
  expect("model.layers.3.self_attn.q_proj.weight", 3, "self_attn.q_proj");
  expect("model.layers.3.mlp.experts.7.down_proj.weight", 3, "mlp.experts.*.down_proj");
  expect("blk.2.ffn_down_exps.weight[5]", 2, "ffn_down_exps[*]");
  expect("transformer.h.0.attn.c_attn.weight", 0, "attn.c_attn");
  expect("token_embd.weight", std::nullopt, "token_embd");
  expect("blk.3", std::nullopt, "blk.3");
  expect("0.weight", std::nullopt, "0");
  expect("", std::nullopt, "");
  EXPECT_EQ(shortName("blk.2.ffn_down_exps.weight[5]"), "blk.2.ffn_down_exps[5]");
  EXPECT_EQ(shortName("a.weight_scale.x"), "a.weight_scale.x");
  EXPECT_EQ(shortName(".weight"), ".weight");
  EXPECT_EQ(rowName("model.layers.3.mlp.up_proj.weight"), "3.mlp.up_proj");
  EXPECT_EQ(rowName("model.layers.3.mlp.experts.12.up_proj.weight"), "3.experts.12.up_proj");
  EXPECT_EQ(rowName("blk.14.attn_q.weight"), "blk.14.attn_q");
  EXPECT_EQ(rowName("model.embed_tokens.weight"), "model.embed_tokens");
  EXPECT_EQ(rowName("model.layers.3"), "model.layers.3");
}

TEST(MetricTest, SortsAndFilters) {
  const auto snapshot = tests::spectraOf(3);
  EXPECT_EQ(orderOf(*snapshot, "", {}).size(), 10u);
  EXPECT_EQ(orderOf(*snapshot, "attn_q", {}), (Indices{0, 3, 6}));
  EXPECT_EQ(orderOf(*snapshot, "blk.*.attn_q", {}), (Indices{0, 3, 6}));
  EXPECT_EQ(orderOf(*snapshot, "blk.0.* token*", {.by = Metric::kName, .descending = true}),
            (Indices{9, 2, 1, 0}));
  EXPECT_EQ(orderOf(*snapshot, "blk.*.att", {}), orderOf(*snapshot, "att", {}));
  EXPECT_EQ(orderOf(*snapshot, "k.?.attn_q", {}), (Indices{0, 3, 6}));
  EXPECT_EQ(orderOf(*snapshot, "nothing", {}), Indices{});
  // What has no number yet stays last, whichever way.
  const Indices down = orderOf(*snapshot, "", {.by = Metric::kSigma1, .descending = true});
  EXPECT_EQ(down, (Indices{6, 7, 8, 3, 4, 5, 0, 1, 2, 9}));
  EXPECT_EQ(orderOf(*snapshot, "", {.by = Metric::kSigma1}).back(), 9u);
  EXPECT_EQ(orderOf(*snapshot, "", {.by = Metric::kShape, .descending = true}).front(), 9u);
}

TEST(MetricTest, WritesNumbers) {
  const auto report = tests::gradedReport("m", 20, 100);
  EXPECT_EQ(textOf(*report, Metric::kSigma1), "20.00");
  EXPECT_EQ(textOf(*report, Metric::kCondition), "100");
  core::SpectrumReport singular = *report;
  singular.metrics.condition = 1.5e8;
  singular.metrics.condition_is_bound = true;
  singular.power_law.reset();
  EXPECT_EQ(textOf(singular, Metric::kCondition), "≥ 1.50e+08");
  EXPECT_EQ(textOf(singular, Metric::kAlpha), "–");
  for (const Metric metric : metricsOf(Subject::kWeights)) {
    EXPECT_FALSE(name(metric).empty());
    EXPECT_FALSE(formula(metric).empty());
    EXPECT_EQ(std::isnan(valueOf(*report, metric)), !isNumber(metric)) << name(metric);
  }
}

TEST(MetricTest, SaysNothingOfAPreviewThatNeedsAllValues) {
  const core::MatrixResult result{.report = nullptr, .error = nullptr, .preview = tests::halvingPreview(10)};
  for (const Metric metric : metricsOf(Subject::kWeights)) {
    SCOPED_TRACE(name(metric));
    const bool known =
        metric == Metric::kSigma1 || metric == Metric::kStableRank || metric == Metric::kFrobenius;
    EXPECT_EQ(std::isfinite(valueOf(result, metric, {})), known);
    EXPECT_EQ(textOf(result, metric, {}) != "–", known);
  }
  const core::MatrixResult zeros{
      .report = nullptr,
      .error = nullptr,
      .preview = std::make_shared<const core::SpectrumPreview>(core::SpectrumPreview{4, 5, {}, {}, 0})};
  EXPECT_EQ(textOf(zeros, Metric::kStableRank, {}), "–");
}

TEST(CurvesTest, OfAPreviewEndWhereItDoes) {
  const auto preview = tests::halvingPreview(10);
  EXPECT_EQ(core::curveOf(*preview, core::PlotMode::kLog).y, preview->sigma);
  EXPECT_TRUE(core::curveOf(*preview, core::PlotMode::kDensity).y.empty());
  const core::Curve energy = core::curveOf(*preview, core::PlotMode::kEnergy);
  ASSERT_EQ(energy.y.size(), 9u);
  EXPECT_DOUBLE_EQ(energy.y[1], 0.25);  // 10^2 of 20^2
}

TEST(SeriesSelectionTest, GivesEachASeriesItsOwnNumber) {
  SeriesSelection selection;
  selection.toggle(5);
  selection.toggle(7);
  selection.toggle(9);
  selection.toggle(7);
  EXPECT_EQ(selection.series(), (std::vector<Series>{{5, 0}, {9, 2}}));
  selection.toggle(1);
  EXPECT_EQ(selection.find(1)->number, 1u);
  for (const std::size_t matrix : {20, 21, 22, 23}) selection.toggle(matrix);
  EXPECT_EQ(matricesIn(selection), (Indices{5, 9, 1, 20, 21, 23}));  // a seventh replaces the newest
  selection.choose(3);
  EXPECT_EQ(selection.series(), (std::vector<Series>{{3, 0}}));
}

TEST(SeriesSelectionTest, MovesAndExtendsInTheShownOrder) {
  const Indices order{4, 2, 8, 6, 0, 1, 3, 5};
  SeriesSelection selection;
  selection.move(1, order);
  EXPECT_EQ(selection.cursor(), 4u);
  selection.move(2, order);
  EXPECT_EQ(selection.cursor(), 8u);
  selection.extendTo(4, order);
  EXPECT_EQ(matricesIn(selection), (Indices{8, 2, 4}));
  selection.extendTo(5, order);
  EXPECT_EQ(matricesIn(selection), (Indices{8, 6, 0, 1, 3, 5}));
  selection.move(-100, order);
  EXPECT_EQ(matricesIn(selection), Indices{4});
  selection.extend(1, order);
  EXPECT_EQ(matricesIn(selection), (Indices{4, 2}));
  selection.chooseAll(order);
  EXPECT_EQ(matricesIn(selection).size(), kMostSeries);
  selection.move(1, {});
  EXPECT_EQ(selection.cursor(), 4u);
  selection.chooseAll({});
  EXPECT_TRUE(selection.empty());
}

TEST(CurvesTest, FollowTheValues) {
  const auto report = tests::gradedReport("m", 10, 1000);
  const core::Curve log = curveOf(*report, core::PlotMode::kLog);
  EXPECT_EQ(log.y, report->spectrum.sigma);
  EXPECT_EQ(log.x.back(), 31);
  EXPECT_EQ(log.certain, 32u);
  const core::Curve energy = curveOf(*report, core::PlotMode::kEnergy);
  EXPECT_EQ(energy.y.front(), 0);
  EXPECT_NEAR(energy.y.back(), 1, 1e-12);
  EXPECT_EQ(energy.x.size(), 33u);
  const core::PlotScales scales = scalesFor(std::array{log}, core::PlotMode::kLog);
  EXPECT_GT(scales.y.position(10), 0.9);
  EXPECT_LT(scales.y.position(10), 1);
  EXPECT_GT(scales.y.position(0.01), 0);
  EXPECT_EQ(scales.x.position(31), 1);
  core::SpectrumReport blurred = *report;
  blurred.spectrum.floor = 1;
  EXPECT_LT(curveOf(blurred, core::PlotMode::kLog).certain, 32u);
}

TEST(CurvesTest, DensitiesIntegrateToTheirShare) {
  const auto report = tests::gradedReport("m", 10, 1000, 400);
  const core::SpectrumReport* const one[] = {report.get()};
  const core::DensityBins bins = binsFor(one);
  const core::Curve density = densityOf(*report, bins);
  double sum = 0;
  for (std::size_t i = 0; i < density.y.size(); i += 2) sum += density.y[i] * bins.width();
  EXPECT_NEAR(sum, 1 - double(valuesBeyond(*report, bins)) / 400, 1e-9);
  const core::Curve noise = noiseDensityOf(*report, bins);
  for (const double y : noise.y) EXPECT_TRUE(std::isfinite(y) && y >= 0) << y;
  EXPECT_TRUE(scalesFor({}, core::PlotMode::kDensity).y.high > 0);
}

TEST(CurvesTest, Thumbnails) {
  const std::vector<double> sigma{100, 10, 1, 0.1, 0};
  const auto heights = core::sparkline(sigma, 5, 2);
  ASSERT_EQ(heights.size(), 5u);
  EXPECT_FLOAT_EQ(heights[0], 1);
  EXPECT_FLOAT_EQ(heights[1], 0.5f);
  EXPECT_FLOAT_EQ(heights[2], 0);
  EXPECT_FLOAT_EQ(heights[4], 0);
  EXPECT_TRUE(core::sparkline({}, 5).empty());
  EXPECT_EQ(core::thinned(9, 3), (Indices{0, 4, 8}));
  EXPECT_EQ(core::thinned(2, 9), (Indices{0, 1}));
  EXPECT_EQ(core::thinned(5, 1), Indices{0});
}

TEST(LayerProfileTest, ASeriesForEachKind) {
  const auto snapshot = tests::spectraOf(4);
  const auto places = placesOf(*snapshot);
  SeriesSelection selection;
  selection.choose(5);  // ffn_down takes the first colour
  const LayerProfile profile = profileOf(*snapshot, places, orderOf(*snapshot, "", {.by = Metric::kSigma1}),
                                         selection, Metric::kSigma1);
  ASSERT_EQ(profile.series.size(), 3u);
  EXPECT_EQ(profile.series[0].kind, "attn_q");
  EXPECT_EQ(profile.series[0].number, 1u);
  EXPECT_EQ(profile.series[2].kind, "ffn_down");
  EXPECT_EQ(profile.series[2].number, 0u);
  EXPECT_EQ(profile.series[1].points.size(), 4u);
  EXPECT_EQ(profile.series[1].points[2].layer, 2u);
  EXPECT_EQ(profile.series[1].points[2].matrix, 7u);
  EXPECT_EQ(profile.last_layer, 3u);
  EXPECT_DOUBLE_EQ(profile.low, 1);
  EXPECT_DOUBLE_EQ(profile.high, 4);
  EXPECT_TRUE(profileOf(*snapshot, places, Indices{12}, selection, Metric::kSigma1).empty());
}

}  // namespace
}  // namespace vitrine::ui::spectra
