#include "core/figure/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "core/figure/attention_figures.h"
#include "core/figure/figure_fixtures.h"
#include "core/figure/ink.h"

namespace vitrine::core {
namespace {

using testing::attentionMap;
using testing::barFigure;
using testing::figureOf;
using testing::FixedMeasure;
using testing::heatMap;
using testing::lineFigure;
using testing::metricsFigure;
using testing::overviewFigure;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Drawing layout(const Figure& figure, std::string_view preset = "icml-column") {
  Result<Drawing> drawing = layoutFigure(figure, findFigurePreset(preset).value(), FixedMeasure());
  if (!drawing) ADD_FAILURE() << drawing.error().describe();
  return drawing ? *drawing : Drawing{};
}

std::vector<Text> texts(const Drawing& drawing) {
  std::vector<Text> found;
  for (const Primitive& item : drawing.items)
    if (const auto* text = std::get_if<Text>(&item)) found.push_back(*text);
  return found;
}

std::vector<Raster> rasters(const Drawing& drawing) {
  std::vector<Raster> found;
  for (const Primitive& item : drawing.items)
    if (const auto* raster = std::get_if<Raster>(&item)) found.push_back(*raster);
  return found;
}

bool hasText(const Drawing& drawing, std::string_view wanted) {
  std::vector<Text> all = texts(drawing);
  return std::any_of(all.begin(), all.end(), [&](const Text& t) { return t.utf8 == wanted; });
}

std::size_t count(const Drawing& drawing, std::string_view wanted) {
  std::vector<Text> all = texts(drawing);
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const Text& t) { return t.utf8 == wanted; }));
}

// What the eye sees of a text: capital letters on the baseline, without the empty room above and below.
Rect inkOf(const Text& text) {
  TextExtent e = FixedMeasure().measure(text.utf8, text.font);
  double height = e.cap_height;
  if (text.rotation == 0) return {text.origin.x, text.origin.y - height, e.width, height};
  return {text.origin.x - height, text.origin.y - e.width, height, e.width};
}

bool overlap(const Rect& a, const Rect& b) {
  constexpr double kTouch = 0.01;
  return a.x < b.right() - kTouch && b.x < a.right() - kTouch && a.y < b.bottom() - kTouch &&
         b.y < a.bottom() - kTouch;
}

void expectTidy(const Drawing& drawing, const FigurePreset& preset, const std::string& what) {
  EXPECT_NEAR(drawing.width, preset.width_in * 72, 1e-9) << what;
  EXPECT_GT(drawing.height, 10) << what;
  EXPECT_LE(drawing.height, preset.max_height_in * 72 + 1) << what;
  for (const Primitive& item : drawing.items) {
    Rect box = boundsOf(item, FixedMeasure());
    EXPECT_GE(box.x, -0.01) << what;
    EXPECT_GE(box.y, -0.01) << what;
    EXPECT_LE(box.right(), drawing.width + 0.01) << what;
    EXPECT_LE(box.bottom(), drawing.height + 0.01) << what;
    if (::testing::Test::HasFailure()) return;
  }
  std::vector<Text> all = texts(drawing);
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      ASSERT_FALSE(overlap(inkOf(all[i]), inkOf(all[j])))
          << what << ": \"" << all[i].utf8 << "\" on \"" << all[j].utf8 << "\"";
}

TEST(Layout, EverythingIsOnThePageAndNoTextTouchesAnotherInAnyPreset) {
  const std::vector<std::pair<std::string, Figure>> figures = {
      {"map of 1", attentionMap(1)},
      {"map of 2", attentionMap(2)},
      {"map of 24", attentionMap(24)},
      {"map of 67", attentionMap(67)},
      {"map of 300", attentionMap(300)},
      {"overview 30 x 9", overviewFigure(30, 9, 24)},
      {"overview 1 x 1", overviewFigure(1, 1, 3)},
      {"overview 80 x 64", overviewFigure(80, 64, 5)},
      {"metrics 30 x 9", metricsFigure(30, 9)},
      {"metrics 2 x 2", metricsFigure(2, 2)},
      {"lines", lineFigure()},
      {"bars", barFigure()}};
  for (const FigurePreset& preset : figurePresets())
    for (const auto& [name, figure] : figures) {
      expectTidy(layout(figure, preset.name), preset, preset.name + ", " + name);
      if (::testing::Test::HasFailure()) return;
    }
}

TEST(Layout, TokenNamesShrinkThenThinThenGiveWayToPositions) {
  EXPECT_EQ(count(layout(attentionMap(8)), "·skyscrapers"), 2u);  // one on each axis
  Drawing many = layout(attentionMap(40), "icml-column");
  std::size_t named = 0;
  for (const Text& text : texts(many)) named += text.font.role == FontRole::kMono;
  EXPECT_GE(named, 2 * 40u / 3);
  EXPECT_LT(named, 2 * 40u);
  Drawing positions = layout(attentionMap(300), "icml-column");
  for (const Text& text : texts(positions)) EXPECT_EQ(text.font.role, FontRole::kSans) << text.utf8;
  EXPECT_EQ(count(positions, "100"), 2u);
}

TEST(Layout, AMapIsOneRasterWithAPixelACell) {
  Drawing drawing = layout(attentionMap(24));
  std::vector<Raster> found = rasters(drawing);
  ASSERT_EQ(found.size(), 2u);  // the map and its colour bar
  EXPECT_EQ(found[0].width, 24u);
  EXPECT_EQ(found[0].height, 24u);
  EXPECT_NEAR(found[0].box.width, found[0].box.height, 1e-9);
  EXPECT_EQ(found[0].pixels[1], ink::kMasked);
  EXPECT_NE(found[0].pixels[24], ink::kMasked);
  EXPECT_EQ(found[1].pixels.size(), 256u);
}

TEST(Layout, ZeroOnALogScaleHasTheLowestColourAndNanTheMasksWithANote) {
  Panel panel;
  HeatMap map = heatMap(1, 4, {0, kNaN, 1e-4f, 1});
  map.color.scale = AxisScale::kLog;
  map.color.minimum = 1e-4;
  panel.heat_map = map;
  Drawing drawing = layout(figureOf(panel));
  const std::vector<Rgb8> pixels = rasters(drawing).at(0).pixels;
  std::span<const Rgb8> viridis = colormap(ColormapId::kViridis);
  EXPECT_EQ(pixels[0], viridis.front());
  EXPECT_EQ(pixels[1], ink::kMasked);
  EXPECT_EQ(pixels[2], viridis.front());
  EXPECT_EQ(pixels[3], viridis.back());
  ASSERT_EQ(drawing.notes.size(), 1u);
  EXPECT_EQ(drawing.notes[0], "1 cell is not a finite number (drawn as masked)");
  EXPECT_TRUE(hasText(drawing, drawing.notes[0]));
  EXPECT_TRUE(hasText(drawing, "masked"));
}

TEST(Layout, HatchingStaysOnMaskedCells) {
  Panel panel;
  HeatMap map = heatMap(2, 2, {1, 2, 3, 4});
  map.mask = {0, 1, 0, 0};
  panel.heat_map = map;
  Drawing drawing = layout(figureOf(panel));
  Rect box = rasters(drawing).at(0).box;
  std::size_t strokes = 0;
  for (const Primitive& item : drawing.items) {
    const auto* line = std::get_if<Polyline>(&item);
    if (line == nullptr || !(line->stroke.color == ink::kHatch) || line->points[0].y > box.bottom()) continue;
    ++strokes;
    for (Point p : line->points) {
      EXPECT_GE(p.x, box.x + box.width / 2 - 0.01);
      EXPECT_LE(p.y, box.y + box.height / 2 + 0.01);
    }
  }
  EXPECT_GT(strokes, 5u);
}

TEST(Layout, ColourBarSaysQuantityUnitScaleAndNormalization) {
  Drawing drawing = layout(attentionMap(24), "neurips");
  EXPECT_TRUE(hasText(drawing, "attention probability, log scale, softmax over keys"));
  EXPECT_TRUE(hasText(drawing, "10⁻⁴"));
  EXPECT_TRUE(hasText(drawing, "10⁰"));
}

TEST(Layout, VectorCellsUpToTheLimit) {
  AttentionFigureOptions options;
  options.rendering = HeatMapRendering::kVectorCells;
  Drawing drawing = layout(attentionMap(20, options));
  EXPECT_EQ(rasters(drawing).size(), 1u);  // only the colour bar
  std::size_t polygons = 0;
  for (const Primitive& item : drawing.items) polygons += std::holds_alternative<Polygon>(item);
  EXPECT_GE(polygons, 400u);
  Result<Drawing> large = layoutFigure(attentionMap(71, options), figurePresets()[0], FixedMeasure());
  ASSERT_FALSE(large);
  EXPECT_NE(large.error().message.find("5041 cells"), std::string::npos);
}

TEST(Layout, NothingToShowIsSaid) {
  EXPECT_TRUE(hasText(layout(figureOf({})), "no data"));
  Panel panel;
  panel.heat_map = heatMap(0, 0, {});
  EXPECT_TRUE(hasText(layout(figureOf(panel)), "no data"));
  EXPECT_FALSE(layoutFigure({}, figurePresets()[0], FixedMeasure()));
}

TEST(Layout, LengthsThatDoNotFitAreRefusedByName) {
  auto message = [](Panel panel) {
    Result<Drawing> drawing = layoutFigure(figureOf(std::move(panel)), figurePresets()[0], FixedMeasure());
    return drawing ? std::string("accepted") : drawing.error().message;
  };
  Panel panel;
  panel.heat_map = heatMap(2, 3, {1, 2, 3});
  EXPECT_NE(message(panel).find("the heat map has 3 entries, expected 6"), std::string::npos);
  panel.heat_map = heatMap(1, 2, {1, 2});
  panel.x.categories = {"a", "b", "c"};
  EXPECT_NE(message(panel).find("column labels has 3"), std::string::npos);
  Panel lines;
  LineSeries series;
  series.label = "run";
  series.x = {1, 2};
  series.y = {1};
  lines.lines.push_back(series);
  EXPECT_NE(message(lines).find("y of line \"run\" has 1"), std::string::npos);
}

TEST(Layout, SeriesStayInsideTheAxesAndSayWhatALogAxisLeavesOut) {
  Figure figure = lineFigure();
  figure.panels[0].y.maximum = 60;  // the lines go beyond
  figure.panels[0].lines[0].x[0] = 0;
  Drawing drawing = layout(figure);
  ASSERT_EQ(drawing.notes.size(), 1u);
  EXPECT_EQ(drawing.notes[0], "1 point is at or below zero and left out of the log axis");
  expectTidy(drawing, findFigurePreset("icml-column").value(), "clipped lines");
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(hasText(drawing, figure.panels[0].lines[i].label));
}

TEST(Layout, PanelsHaveLettersAndAlignedPlots) {
  Figure figure = lineFigure();
  figure.panels.push_back(barFigure().panels[0]);
  Drawing drawing = layout(figure, "neurips");
  EXPECT_TRUE(hasText(drawing, "(a)"));
  EXPECT_TRUE(hasText(drawing, "(b)"));
  std::vector<double> baselines;  // the horizontal axis lines
  for (const Primitive& item : drawing.items)
    if (const auto* line = std::get_if<Polyline>(&item);
        line != nullptr && line->points.size() == 2 && line->points[0].y == line->points[1].y &&
        line->points[1].x - line->points[0].x > 80 && line->stroke.color == ink::kText)
      baselines.push_back(line->points[0].y);
  ASSERT_EQ(baselines.size(), 2u);
  EXPECT_NEAR(baselines[0], baselines[1], 1e-6);
}

// A map that a recurrent mixer implies is never called an attention's probabilities.
TEST(AttentionFigures, SayWhatImpliesTheMap) {
  const std::vector<float> values = {1, -1, 0.25f, 0.75f};
  const AttentionMatrix matrix{2, values};
  const std::vector<std::string> labels = {"a", "b"};
  for (const auto& make : {std::function([&](const AttentionFigureOptions& options) {
                             return attentionMapFigure(matrix, labels, {}, options).value();
                           }),
                           std::function([&](const AttentionFigureOptions& options) {
                             return attentionRowFigure(matrix, labels, options).value();
                           })}) {
    const Figure own = make({}), implied = make({.implied_by = "mamba2"});
    EXPECT_NE(own.caption.find("Attention probabilities"), std::string::npos) << own.caption;
    EXPECT_NE(implied.caption.find("implied by mamba2"), std::string::npos) << implied.caption;
    EXPECT_EQ(implied.caption.find("robabilit"), std::string::npos) << implied.caption;
    EXPECT_EQ(implied.summary_caption.find("Attention of"), std::string::npos);
    if (implied.panels[0].heat_map) {
      EXPECT_EQ(implied.panels[0].heat_map->color.quantity, "implied attention");
    }
  }
}

}  // namespace
}  // namespace vitrine::core
