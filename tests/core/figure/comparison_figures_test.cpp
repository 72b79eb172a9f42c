#include "core/figure/comparison_figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Core>

#include "core/figure/spectra_figures.h"

namespace vitrine::core::comparison_figures_test {
namespace {

using Eigen::MatrixXd;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

MatrixComparison compared(std::string name, double change) {
  const MatrixXd base = MatrixXd::NullaryExpr(40, 40, [](Eigen::Index i, Eigen::Index j) {
    return std::sin(1.7 * double(i) + 0.3 * double(j * j)) + (i == j ? 3 : 0);
  });
  MatrixXd tuned = base;
  tuned.row(2).array() += change;
  auto result = compareMatrices(base, tuned);
  VITRINE_ASSERT(result.has_value());
  result->name = std::move(name);
  return std::move(*result);
}

TEST(ComparisonFigures, ShowOneMatrixOfTwoTunes) {
  const std::vector<ComparedTune> tunes = {{"full", {compared("h.0.a", 1)}},
                                           {"lora", {compared("h.0.a", 30)}}};
  for (const std::string_view name : comparisonFigureNames()) {
    SCOPED_TRACE(name);
    const auto figure = comparisonFigure(name, tunes, {.base = "base"});
    ASSERT_TRUE(figure) << figure.error().describe();
    EXPECT_EQ(figure->name, name);
    ASSERT_THAT(figure->panels, SizeIs(3));
    EXPECT_EQ(figure->panels[1].title, "lora");
    ASSERT_TRUE(figure->panels[0].heat_map);
    EXPECT_EQ(figure->panels[0].heat_map->rows, 40u);
    EXPECT_EQ(figure->panels[0].x.categories.back(), "40");
    EXPECT_THAT(figure->caption, HasSubstr("h.0.a of full and lora against base"));
    EXPECT_FALSE(figure->summary.empty());
  }
  const auto phi = comparisonFigure("phi", tunes, {});
  EXPECT_THAT(phi->panels[2].lines, SizeIs(3));  // the random one
  EXPECT_NEAR(phi->panels[2].lines[2].y[9], 10 / 40.0, 1e-12);
  const auto delta = comparisonFigure("delta", tunes, {});
  EXPECT_THAT(delta->panels[2].bars, SizeIs(3));
  EXPECT_THAT(delta->caption, HasSubstr("an even spread has 2.5 %"));
}

TEST(ComparisonFigures, ShowSeveralMatricesAsKindsByLayers) {
  const std::vector<ComparedTune> tunes = {
      {"full", {compared("h.0.a.weight", 1), compared("h.2.a.weight", 2), compared("h.2.b.weight", 3)}}};
  const auto figure = comparisonFigure("intruders", tunes, {});
  ASSERT_TRUE(figure) << figure.error().describe();
  ASSERT_THAT(figure->panels, SizeIs(2));
  EXPECT_EQ(figure->panels[0].title, "");
  const auto& grid = figure->panels[0].thumbnails;
  ASSERT_TRUE(grid);
  EXPECT_THAT(grid->row_names, ElementsAre("a", "b"));
  EXPECT_EQ(grid->columns, 3u);
  EXPECT_EQ(grid->mask[32 * 32], 1);  // a's layer 1
  EXPECT_EQ(grid->mask[2 * 32 * 32], 0);
  EXPECT_NEAR(grid->values[2 * 32 * 32], tunes[0].matrices[1].similarity(0, 0), 1e-6);
  EXPECT_THAT(figure->caption, HasSubstr("Of each matrix the first 32 directions."));
}

TEST(ComparisonFigures, RefuseWhatTheyCannotShow) {
  const std::vector<ComparedTune> nameless = {{"full", {compared("x", 1), compared("y", 1)}}};
  EXPECT_THAT(comparisonFigure("phi", nameless, {}).error().message, HasSubstr("--tensors"));
  EXPECT_EQ(comparisonFigure("phi", {}, {}).error().code, ErrorCode::kInvalidArgument);
  const std::vector<ComparedTune> one = {{"full", {compared("x", 1)}}};
  EXPECT_THAT(comparisonFigure("psi", one, {}).error().message, HasSubstr("intruders, phi, delta"));
}

SpectrumReport report(std::string name, double scale) {
  Spectrum spectrum{.rows = 4, .columns = 4, .sigma = {4 * scale, 2 * scale, scale, 0}, .certificate = {}};
  return reportOf(std::move(name), "F32", spectrum, {.replicates = 0});
}

TEST(SpectraFigures, DrawValuesAboveTheFloor) {
  const std::vector<SpectrumReport> reports = {report("h.0.a", 1), report("h.1.a", 2)};
  const auto figure = spectrumFigure(reports, "model");
  ASSERT_TRUE(figure);
  ASSERT_THAT(figure->panels[0].lines, SizeIs(2));
  EXPECT_EQ(figure->panels[0].lines[1].label, "layer 1");
  EXPECT_THAT(figure->panels[0].lines[1].y, ElementsAre(8, 4, 2));
  EXPECT_EQ(spectrumFigure({}, "").error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(spectrumFigure(std::vector(15, reports[0]), "").error().message, HasSubstr("15 spectra"));
}

TEST(SpectraFigures, DrawShuffledValuesDashedBesideTheOthers) {
  std::vector<SpectrumReport> reports = {report("h.0.a", 1), report("h.1.a", 2)};
  reports[1].shuffled = {3, 2.5, 2, 1e-12};
  const auto figure = spectrumFigure(reports, "model");
  ASSERT_TRUE(figure);
  ASSERT_THAT(figure->panels[0].lines, SizeIs(3));
  const LineSeries& line = figure->panels[0].lines[2];
  EXPECT_EQ(line.label, "layer 1, shuffled");
  EXPECT_THAT(line.y, ElementsAre(3, 2.5, 2));
  EXPECT_FALSE(line.style->dash.empty());
  EXPECT_TRUE(figure->panels[0].lines[1].style->dash.empty());
}

TEST(SpectraFigures, SeveralValuesOfALayerAreAMeanInABand) {
  const std::vector<LayerValue> values = {{2, 1}, {2, 4}, {2, 7}, {5, 3}};
  const LineSeries line = layerLine("heads", values, 1);
  EXPECT_THAT(line.x, ElementsAre(2, 5));
  EXPECT_THAT(line.y, ElementsAre(4, 3));
  EXPECT_THAT(line.low, ElementsAre(1, 3));
  EXPECT_THAT(line.high, ElementsAre(7, 3));
  EXPECT_TRUE(layerLine("one", std::span(values).last(1), 0).low.empty());
  EXPECT_TRUE(layerSpans({}).empty());
}

TEST(SpectraFigures, ABaseIsDottedInTheColourOfItsFineTune) {
  const SpectrumReport tuned = report("h.0.a", 2), base = report("h.0.a", 1);
  const std::vector<DrawnSpectrum> drawn = {
      {.label = "a", .report = &tuned, .beside = &base, .beside_label = "base"},
      {.label = "b", .report = &base}};
  for (const PlotMode mode : kPlotModes) {
    const Panel panel = spectrumPanel(drawn, mode);
    ASSERT_GE(panel.lines.size(), 3u) << name(mode);
    EXPECT_EQ(panel.lines[1].label, "a, base");
    EXPECT_EQ(panel.lines[1].style->color, panel.lines[0].style->color);
    EXPECT_TRUE(panel.lines[0].style->dash.empty());
    EXPECT_FALSE(panel.lines[1].style->dash.empty());
  }
  EXPECT_THAT(spectrumPanel(drawn, PlotMode::kLinear).lines[1].y, ElementsAre(4, 2, 1));
  EXPECT_EQ(spectrumPanel(drawn, PlotMode::kLinear).lines[1].x.front(), 0);
}

TEST(SpectraFigures, DrawAMetricOverLayers) {
  const std::vector<SpectrumReport> reports = {report("h.0.a", 1), report("h.1.a", 2), report("h.1.b", 3),
                                               report("x", 9)};
  const auto figure = profileFigure(reports, "nuclear", "model");
  ASSERT_TRUE(figure);
  ASSERT_THAT(figure->panels[0].lines, SizeIs(2));
  EXPECT_THAT(figure->panels[0].lines[0].y, ElementsAre(7, 14));
  EXPECT_THAT(figure->panels[0].lines[1].x, ElementsAre(1));
  for (const std::string_view metric : profileMetrics())
    EXPECT_TRUE(profileFigure(reports, metric, "")) << metric;
  EXPECT_THAT(profileFigure(reports, "size", "").error().message, HasSubstr("stable_rank"));
  EXPECT_EQ(profileFigure(std::span(reports).last(1), "s1", "").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine::core::comparison_figures_test
