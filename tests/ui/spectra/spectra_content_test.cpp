#include "ui/views/spectra/spectra_content.h"

#include <gtest/gtest.h>

#include "spectra_reports.h"
#include "support/content_fixture.h"
#include "ui/views/spectra/plot_frame.h"
#include "ui/views/spectra/spectra_facts.h"
#include "ui/views/spectra/spectra_figures.h"
#include "ui/views/spectra/spectra_view.h"

namespace vitrine::ui::spectra {
namespace {

class SpectraContentTest : public tests::ContentTest {
 protected:
  static constexpr double kFirstRow = MatrixTable::kHeader + MatrixTable::kRow / 2;

  void SetUp() override {
    GpuTest::SetUp();
    show(std::make_unique<SpectraContent>(device(), state_, selection_, settings_));
  }
  void publish(std::uint32_t layers = 12) { state_.setSnapshot(tests::spectraOf(layers)); }
  static Point row(int index) { return {60, kFirstRow + MatrixTable::kRow * index}; }

  int pixels(const QImage& image, const Rect& where, Rgba color) const {
    int count = 0;
    for (int y = int(where.y0); y < std::min(int(where.y1), image.height()); ++y)
      for (int x = int(where.x0); x < std::min(int(where.x1), image.width()); ++x)
        count += image.pixelColor(x, y) == QColor(color.r, color.g, color.b);
    return count;
  }
  static SpectraLayout layout() { return layoutOf({0, 0, double(kSize.width()), double(kSize.height())}); }

  SpectraState state_;
};

TEST_F(SpectraContentTest, SaysWhyThereIsNothing) {
  bool asked = false;
  QObject::connect(&state_, &SpectraState::computeRequested, [&] { asked = true; });
  draw();
  click({kSize.width() / 2.0, kSize.height() / 2.0 - 44 + 48 + 14});
  EXPECT_TRUE(asked);
  auto failed = std::make_shared<core::SpectraSnapshot>();
  failed->state = core::SpectraState::kFailed;
  failed->error = Error{ErrorCode::kNotFound, "gone", nullptr};
  state_.setSnapshot(failed);
  EXPECT_GT(pixels(draw(), {0, 0, 1100, 700}, kDarkTheme.colors.error), 20);
}

TEST_F(SpectraContentTest, DrawsTheCurvesOfTheSelectedMatrices) {
  publish();
  state_.select([](SeriesSelection& selection) { selection.clear(); });
  const Rgba blue = seriesColor(kDarkTheme, 0), amber = seriesColor(kDarkTheme, 1);
  draw();
  EXPECT_EQ(pixels(draw(), layout().spectrum, blue), 0);
  click(row(0));
  moveTo({1, 1});
  draw();
  EXPECT_GT(pixels(draw(), layout().spectrum, blue), 200);
  EXPECT_EQ(pixels(draw(), layout().spectrum, amber), 0);
  click(row(1), Qt::ControlModifier);
  for (const core::PlotMode mode : core::kPlotModes) {
    state_.setMode(mode);
    draw();
    const QImage image = draw();
    EXPECT_GT(pixels(image, layout().spectrum, blue), 100) << name(mode);
    EXPECT_GT(pixels(image, layout().spectrum, amber), 100) << name(mode);
  }
  EXPECT_GT(pixels(draw(), layout().profile, blue), 50);
}

TEST_F(SpectraContentTest, ARefusedMatrixSaysSo) {
  auto snapshot = tests::spectraOf(3);
  snapshot->results[1] = {nullptr, std::make_shared<const std::string>("blk.0.attn_v.weight: NaN at (3, 4)")};
  snapshot->failed = 1;
  state_.setSnapshot(snapshot);
  moveTo(row(1));
  draw();
  const Rect place{0, MatrixTable::kHeader + MatrixTable::kRow, layout().table.x1,
                   MatrixTable::kHeader + 2 * MatrixTable::kRow};
  EXPECT_GT(pixels(draw(), place, kDarkTheme.colors.error), 20);
}

TEST_F(SpectraContentTest, DrawsPreviewsUntilTheExactValuesCome) {
  auto snapshot = tests::spectraOf(3);
  snapshot->results[0] = {.report = nullptr, .error = nullptr, .preview = tests::halvingPreview(10)};
  state_.setSnapshot(snapshot);
  state_.select([](SeriesSelection& selection) { selection.choose(0); });
  moveTo({1, 1});
  const Rgba blue = seriesColor(kDarkTheme, 0);
  for (const core::PlotMode mode : core::kPlotModes) {
    SCOPED_TRACE(name(mode));
    state_.setMode(mode);
    draw();
    const Rect inside = plotRect(layout().spectrum, 1);
    const int drawn = pixels(draw(), inside, blue);
    if (mode == core::PlotMode::kDensity)
      EXPECT_EQ(drawn, 0);
    else
      EXPECT_GT(drawn, 20);
  }
  EXPECT_TRUE(canvas_->image({300, 200}, 1));
}

TEST_F(SpectraContentTest, AClickOnAHeaderSorts) {
  publish();
  draw();
  const auto columns = tableColumns(layout().table, Metric::kName);
  const auto stable = std::ranges::find(columns, std::optional(Metric::kStableRank), &TableColumn::metric);
  ASSERT_NE(stable, columns.end());
  const Point header{(stable->x0 + stable->x1) / 2, MatrixTable::kHeader / 2};
  click(header);
  EXPECT_EQ(state_.sorting(), (Sorting{Metric::kStableRank, false}));
  click(header);
  EXPECT_EQ(state_.sorting(), (Sorting{Metric::kStableRank, true}));
  EXPECT_EQ(state_.order().back(), 36u);  // has no number
  click({30, MatrixTable::kHeader / 2});
  EXPECT_EQ(state_.sorting().by, Metric::kName);
  EXPECT_EQ(state_.profileMetric(), Metric::kStableRank);
}

TEST_F(SpectraContentTest, ClicksAndKeysSelect) {
  publish();
  draw();
  click(row(2));
  EXPECT_EQ(state_.inspected(), 2u);
  click(row(5), Qt::ShiftModifier);
  EXPECT_EQ(state_.selection().series().size(), 4u);
  press(Qt::Key_Down);
  EXPECT_EQ(state_.inspected(), 6u);
  press(Qt::Key_Up, Qt::ShiftModifier);
  EXPECT_EQ(state_.selection().series().size(), 2u);
  press(Qt::Key_End);
  EXPECT_EQ(state_.inspected(), 36u);
  press(Qt::Key_Home);
  EXPECT_EQ(state_.inspected(), 0u);
  press(Qt::Key_PageDown);
  EXPECT_GT(*state_.inspected(), 10u);
  press(Qt::Key_A, Qt::ControlModifier);
  EXPECT_EQ(state_.selection().series().size(), kMostSeries);
  press(Qt::Key_D);
  EXPECT_EQ(state_.mode(), core::PlotMode::kLinear);
  press(Qt::Key_S);
  EXPECT_EQ(state_.sorting().by, Metric::kShape);
  press(Qt::Key_R);
  EXPECT_FALSE(state_.sorting().descending);
  bool cancelled = false;
  QObject::connect(&state_, &SpectraState::cancelRequested, [&] { cancelled = true; });
  press(Qt::Key_Escape);
  EXPECT_TRUE(cancelled);
}

TEST_F(SpectraContentTest, RowsHoldStillUnderThePointerWhileResultsCome) {
  publish();
  state_.setSorting({Metric::kSigma1, true});
  const auto before = state_.order();
  moveTo(row(3));
  draw();
  draw();
  auto next = tests::spectraOf(12);
  next->matrices = state_.snapshot().matrices;
  next->results[4].report = tests::gradedReport("x", 1000, 10);
  state_.setSnapshot(next);
  EXPECT_EQ(state_.order(), before);
  moveTo({900, 600});
  draw();
  draw();
  EXPECT_EQ(state_.order().front(), 4u);
}

TEST_F(SpectraContentTest, APointOfTheProfileChoosesItsMatrix) {
  publish();
  state_.setSorting({Metric::kSigma1, false});
  state_.select([](SeriesSelection& selection) { selection.choose(0); });
  draw();
  const Rect rect = plotRect(layout().profile, 1);
  PlotArea plot{rect, {core::AxisScale::kLinear, 0, 11}, profileScale(1, 12)};
  click(plot.at(7, 8));
  ASSERT_TRUE(state_.inspected());
  EXPECT_EQ(state_.places()[*state_.inspected()].layer, 7u);
}

TEST_F(SpectraContentTest, SurvivesSmallSizesAndManyMatrices) {
  publish(2000);
  state_.select([&](SeriesSelection& selection) { selection.chooseAll(state_.order()); });
  for (const QSize size : {QSize(1, 1), QSize(30, 40), QSize(200, 30), QSize(640, 260), QSize(1600, 900)})
    for (const core::PlotMode mode : core::kPlotModes) {
      state_.setMode(mode);
      EXPECT_TRUE(canvas_->image(size, 1)) << size.width() << " x " << size.height();
    }
  state_.setGlob("nothing of the kind");
  EXPECT_FALSE(draw().isNull());
}

TEST(SpectraTexts, SayHowFarItIs) {
  auto snapshot = *tests::spectraOf(3);
  EXPECT_EQ(progressText(snapshot), "9 of 10 · 1 s left");
  snapshot.failed = 1;
  snapshot.state = core::SpectraState::kDone;
  EXPECT_EQ(progressText(snapshot), "9 of 10 in 2.0 s · 1 refused");
  snapshot.state = core::SpectraState::kCancelled;
  snapshot.failed = 0;
  EXPECT_EQ(progressText(snapshot), "9 of 10 · cancelled");
}

TEST(SpectraFactsTest, ListsNumbersAndCertificates) {
  const auto snapshot = tests::spectraOf(2);
  const auto sections = matrixFacts((*snapshot->matrices)[1], snapshot->results[1]);
  ASSERT_EQ(sections.size(), 2u);
  EXPECT_EQ(sections[0].facts[0].value, "blk.0.attn_v");
  EXPECT_EQ(sections[0].facts[1].value, "32 × 64 F32");
  EXPECT_EQ(sections[1].title, "Certificate");
  EXPECT_EQ(sections[1].facts[2].value, "32 of 32");
  const auto refused = std::make_shared<const std::string>("a NaN at (3, 4)");
  EXPECT_EQ(matrixFacts((*snapshot->matrices)[1], {nullptr, refused})[0].facts[1].tooltip, "a NaN at (3, 4)");
  EXPECT_FALSE(noFacts().empty());
}

TEST(SpectraFactsTest, TellsAPreviewFromASpectrum) {
  auto snapshot = tests::spectraOf(2);
  snapshot->results[1] = {.report = nullptr, .error = nullptr, .preview = tests::halvingPreview(10)};
  SpectraState state;
  state.setSnapshot(snapshot);
  state.select([](SeriesSelection& selection) { selection.choose(1); });
  const auto sections = factsOf(state);
  ASSERT_EQ(sections.size(), 2u);
  EXPECT_EQ(sections[0].facts[2].value, "20.00");  // the norm is exact
  EXPECT_EQ(sections[0].facts[3].value, "≥ 10.00");
  EXPECT_EQ(sections[0].facts[4].value, "≤ 4.00");
  EXPECT_EQ(sections[1].title, "Preview");
  EXPECT_EQ(sections[1].facts[0].value, "first 8 of 4096");
  EXPECT_EQ(sections[1].facts.back().value, "follow");
  snapshot->state = core::SpectraState::kCancelled;
  state.setSnapshot(snapshot);
  EXPECT_EQ(factsOf(state)[1].facts.back().value, "not computed");
  const Tooltip tooltip = matrixTooltip(state, 1, kDarkTheme.colors);
  EXPECT_EQ(tooltip.hint, "preview: first 8 of 4096 values, ± 0.08");
}

TEST(SpectraFiguresTest, HaveNothingOfPreviews) {
  auto snapshot = tests::spectraOf(2);
  for (core::MatrixResult& result : snapshot->results)
    result = {.report = nullptr, .error = nullptr, .preview = tests::halvingPreview(10)};
  SpectraState state;
  state.setSnapshot(snapshot);
  EXPECT_FALSE(state.profile().empty());
  for (const FigureContent content :
       {FigureContent::kSpectrum, FigureContent::kProfile, FigureContent::kBoth})
    EXPECT_FALSE(figureOf(state, content, ""));
  snapshot->results[0] = {tests::gradedReport("blk.0.attn_q.weight", 1, 10), nullptr};
  state.setSnapshot(snapshot);
  const auto made = figureOf(state, FigureContent::kBoth, "");
  ASSERT_TRUE(made);
  ASSERT_EQ(made->figure.panels.size(), 2u);
  EXPECT_EQ(made->figure.panels[0].lines.size(), 1u);
  ASSERT_EQ(made->figure.panels[1].lines.size(), 1u);
  EXPECT_EQ(made->figure.panels[1].lines[0].x, std::vector<double>{0});
}

TEST(SpectraFiguresTest, ShowWhatThePlotsShow) {
  SpectraState state;
  EXPECT_FALSE(figureOf(state, FigureContent::kBoth, ""));
  state.setSnapshot(tests::spectraOf(4));
  state.select([](SeriesSelection& selection) { selection.chooseAll(std::vector<std::size_t>{2, 5}); });
  auto made = figureOf(state, FigureContent::kSpectrum, "test-model");
  ASSERT_TRUE(made);
  ASSERT_EQ(made->figure.panels.size(), 1u);
  EXPECT_EQ(made->figure.panels[0].lines.size(), 2u);
  EXPECT_EQ(made->figure.panels[0].lines[1].label, "blk.1.ffn_down");
  EXPECT_EQ(made->figure.panels[0].y.scale, core::AxisScale::kLog);
  EXPECT_EQ(made->base_name, "spectrum-blk.0.ffn_down");
  EXPECT_NE(made->figure.caption.find("test-model"), std::string::npos);
  made = figureOf(state, FigureContent::kBoth, "");
  ASSERT_EQ(made->figure.panels.size(), 2u);
  EXPECT_EQ(made->figure.panels[1].lines.size(), 3u);
  EXPECT_EQ(made->figure.panels[1].y.label, "stable rank");
  EXPECT_TRUE(made->figure.panels[1].lines[0].low.empty());
  state.setMode(core::PlotMode::kDensity);
  EXPECT_GE(figureOf(state, FigureContent::kSpectrum, "")->figure.panels[0].lines.size(), 2u);
  EXPECT_EQ(figureOf(state, FigureContent::kProfile, "")->base_name, "layer-profile-stable-rank");
}

TEST(SpectraFiguresTest, ExpertsOfALayerAreABand) {
  auto snapshot = tests::spectraOf(2);
  auto names = *snapshot->matrices;
  for (std::size_t i = 0; i < 6; ++i)
    names[i].name = fmt::format("layers.{}.experts.{}.up.weight", i / 3, i % 3);
  snapshot->matrices = std::make_shared<const std::vector<core::MatrixName>>(names);
  SpectraState state;
  state.setSnapshot(snapshot);
  const auto made = figureOf(state, FigureContent::kProfile, "");
  ASSERT_TRUE(made);
  ASSERT_EQ(made->figure.panels[0].lines.size(), 1u);
  const core::LineSeries& line = made->figure.panels[0].lines[0];
  EXPECT_EQ(line.label, "experts.*.up");
  ASSERT_EQ(line.x, (std::vector<double>{0, 1}));
  EXPECT_LT(line.low[0], line.y[0]);
  EXPECT_GT(line.high[0], line.y[0]);
}

}  // namespace
}  // namespace vitrine::ui::spectra
