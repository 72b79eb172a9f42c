#include "ui/views/spectra/live_content.h"

#include <gtest/gtest.h>

#include "support/content_fixture.h"
#include "ui/views/spectra/plot_frame.h"

namespace vitrine::ui::spectra {
namespace {

using core::SpectraOf;

std::shared_ptr<const core::SpectraPicture> pictureOf(SpectraOf of, std::uint32_t tokens, std::size_t rows,
                                                      std::size_t heads, double rank = 2) {
  core::SpectraPicture picture{.request = {.of = of, .earlier = 8}, .tokens = tokens, .layers = {}};
  for (std::uint32_t row = 0; row < rows; ++row) {
    core::LayerSpectra layer{.layer = row, .first = 0, .end = tokens, .width = 16, .heads = {}};
    for (std::size_t head = 0; head < heads; ++head)
      layer.heads.push_back({.sigma = {8, 4, 2, 1},
                             .stable_rank = 1.25,
                             .effective_rank = rank + double(row) + 0.25 * double(head),
                             .energy_rank = {2, 3, 4}});
    picture.layers.push_back(std::move(layer));
  }
  return std::make_shared<const core::SpectraPicture>(std::move(picture));
}

TEST(LiveSeries, GrowsAndStartsOver) {
  LiveSeries series;
  series.take(pictureOf(SpectraOf::kKeys, 5, 3, 2));
  series.take(pictureOf(SpectraOf::kKeys, 9, 3, 2, 4));
  series.take(pictureOf(SpectraOf::kKeys, 9, 3, 2, 6));  // the same length: replaced
  auto points = series.points(1, 1);
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].tokens, 5u);
  EXPECT_DOUBLE_EQ(points[0].effective, 3.25);
  EXPECT_EQ(points[1].tokens, 9u);
  EXPECT_DOUBLE_EQ(points[1].effective, 7.25);
  EXPECT_TRUE(series.points(3, 0).empty());
  EXPECT_TRUE(series.points(0, 2).empty());

  core::SpectraPicture longer = *pictureOf(SpectraOf::kKeys, 15, 3, 2);
  longer.earlier = {*pictureOf(SpectraOf::kKeys, 11, 3, 2), *pictureOf(SpectraOf::kKeys, 13, 3, 2)};
  series.take(std::make_shared<const core::SpectraPicture>(longer));
  ASSERT_EQ(series.points(0, 0).size(), 5u);
  EXPECT_EQ(series.points(0, 0)[2].tokens, 11u);
  longer.tokens = 20;
  longer.stream = {1, 0};  // another sequence
  series.take(std::make_shared<const core::SpectraPicture>(longer));
  EXPECT_EQ(series.points(0, 0).size(), 3u);
  series.take(pictureOf(SpectraOf::kKeys, 7, 3, 2));  // a shorter sequence is another one
  EXPECT_EQ(series.points(0, 0).size(), 1u);
  series.take(pictureOf(SpectraOf::kValues, 8, 3, 2));
  EXPECT_EQ(series.points(0, 0).size(), 1u);
  series.take(pictureOf(SpectraOf::kValues, 9, 2, 2));
  EXPECT_EQ(series.points(0, 0).size(), 1u);
  EXPECT_TRUE(series.points(2, 0).empty());
}

TEST(LiveSeries, TakesEarlierLengthsAndLeavesOutWhatIsRefused) {
  core::SpectraPicture picture = *pictureOf(SpectraOf::kKeys, 12, 2, 1);
  picture.earlier = {*pictureOf(SpectraOf::kKeys, 3, 2, 1, 1), *pictureOf(SpectraOf::kKeys, 7, 2, 1, 1.5)};
  picture.layers[1].heads[0].refused = "number 3 of token 11 is nan";
  LiveSeries series;
  series.take(std::make_shared<const core::SpectraPicture>(std::move(picture)));
  ASSERT_EQ(series.points(0, 0).size(), 3u);
  EXPECT_EQ(series.points(0, 0)[1].tokens, 7u);
  EXPECT_EQ(series.points(1, 0).size(), 2u);
}

TEST(LiveSeries, ThinsOutLongOnes) {
  LiveSeries series;
  for (std::uint32_t tokens = 1; tokens <= 3'000; ++tokens)
    series.take(pictureOf(SpectraOf::kKeys, tokens, 1, 1));
  const auto points = series.points(0, 0);
  EXPECT_LE(points.size(), LiveSeries::kMostPoints);
  EXPECT_GT(points.size(), LiveSeries::kMostPoints / 3);
  EXPECT_EQ(points.front().tokens, 1u);
  EXPECT_EQ(points.back().tokens, 3'000u);
  EXPECT_TRUE(std::ranges::is_sorted(points, {}, &LivePoint::tokens));
}

TEST(LiveSeries, NamesRows) {
  const auto activations = pictureOf(SpectraOf::kActivations, 4, 4, 1);
  EXPECT_EQ(rowName(*activations, 0), "embedding");
  EXPECT_EQ(rowName(*activations, 1), "0");
  EXPECT_EQ(rowName(*activations, 3), "final norm");
  EXPECT_EQ(rowName(*pictureOf(SpectraOf::kKeys, 4, 4, 1), 3), "3");
  EXPECT_EQ(rowOfLayer(SpectraOf::kActivations, 2), 3u);
  EXPECT_EQ(layerOfRow(SpectraOf::kActivations, 3), 2u);
  EXPECT_EQ(layerOfRow(SpectraOf::kActivations, 0), 0u);
  EXPECT_EQ(layerOfRow(SpectraOf::kValues, 3), 3u);
}

TEST(LiveLayout, ShowsWhatThereIsRoomFor) {
  const LiveLayout whole = liveLayoutOf({0, 0, 1100, 700});
  EXPECT_FALSE(whole.values.empty());
  EXPECT_EQ(whole.ranks.y1, whole.values.y0);
  EXPECT_TRUE(liveLayoutOf({0, 0, 1100, 300}).values.empty());
  EXPECT_TRUE(liveLayoutOf({0, 0, 500, 700}).ranks.empty());
  EXPECT_EQ(liveLayoutOf({0, 0, 500, 700}).rows.width(), 500);
}

class LiveContentTest : public tests::ContentTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    auto content = std::make_unique<LiveContent>(selection_, settings_);
    live_ = content.get();
    show(std::move(content));
  }
  // A model of three layers with four heads, two of which share their keys.
  std::shared_ptr<core::Snapshot> snapshot(std::shared_ptr<const core::SpectraPicture> picture) {
    const core::LayerSummary layer{.mixer = "attention", .heads = 4, .kv_heads = 2, .row_width = 32};
    auto made = snapshotOf({layer, layer, layer}, picture ? picture->tokens : 9);
    if (model_) made->model = model_;
    model_ = made->model;
    selection_.setExtent(3, 4, 9);
    made->spectra = std::move(picture);
    return made;
  }
  static constexpr double kFirstRow = 44 + 26 + 13, kRow = 26;

  LiveContent* live_ = nullptr;
  std::shared_ptr<const core::ModelSummary> model_;
};

TEST_F(LiveContentTest, AsksForWhatItShows) {
  draw();
  EXPECT_EQ(content_->probes(), core::ProbeRequest{});
  content_->setSnapshot(snapshot(nullptr));
  draw();
  ASSERT_TRUE(content_->probes().spectra);
  EXPECT_EQ(content_->probes().spectra->of, SpectraOf::kActivations);
  EXPECT_EQ(content_->probes().spectra->window, 0u);
  EXPECT_FALSE(content_->probes().overview);
  live_->setOf(SpectraOf::kValues);
  live_->setWindow(64);
  draw();
  EXPECT_EQ(content_->probes().spectra->of, SpectraOf::kValues);
  EXPECT_EQ(content_->probes().spectra->window, 64u);
}

TEST_F(LiveContentTest, SharesTheSelectionOfOtherViews) {
  live_->setOf(SpectraOf::kKeys);
  content_->setSnapshot(snapshot(pictureOf(SpectraOf::kKeys, 9, 3, 2)));
  draw();
  click({40, kFirstRow + 2 * kRow});
  EXPECT_EQ(selection_.head(), (Head{2, 0}));
  press(Qt::Key_Up);
  EXPECT_EQ(selection_.head().layer, 1u);
  press(Qt::Key_Right);
  EXPECT_EQ(selection_.head(), (Head{1, 2}));  // the first that reads the second kv head
  EXPECT_EQ(live_->selectedHead(), 1u);
  press(Qt::Key_Right);
  EXPECT_EQ(selection_.head(), (Head{1, 2}));
  press(Qt::Key_Left);
  EXPECT_EQ(selection_.head(), (Head{1, 0}));
  SpectraOf told = SpectraOf::kKeys;
  live_->onOfChanged([&](SpectraOf of) { told = of; });
  press(Qt::Key_O);
  EXPECT_EQ(told, SpectraOf::kValues);
  EXPECT_EQ(live_->of(), SpectraOf::kValues);
}

TEST_F(LiveContentTest, TellsTheEmbeddingFromTheLayerBehindIt) {
  content_->setSnapshot(snapshot(pictureOf(SpectraOf::kActivations, 9, 4, 1)));
  draw();
  EXPECT_EQ(live_->selectedRow(), 1u);
  click({40, kFirstRow});
  EXPECT_EQ(live_->selectedRow(), 0u);
  EXPECT_EQ(selection_.head().layer, 0u);
  press(Qt::Key_Down);
  EXPECT_EQ(live_->selectedRow(), 1u);
  press(Qt::Key_End);
  EXPECT_EQ(live_->selectedRow(), 3u);
  EXPECT_EQ(selection_.head().layer, 2u);
}

TEST_F(LiveContentTest, LocksATokenOfTheRanks) {
  live_->setOf(SpectraOf::kKeys);
  for (const std::uint32_t tokens : {2u, 4u, 6u}) {
    content_->setSnapshot(snapshot(pictureOf(SpectraOf::kKeys, tokens, 3, 2)));
    draw();
  }
  const LiveLayout layout = liveLayoutOf({0, 0, double(kSize.width()), double(kSize.height())});
  const Rect plot = plotRect(layout.ranks, 1);
  click({plot.center().x, plot.center().y});
  EXPECT_EQ(selection_.query(), 3u);  // the query of the 4th token
  EXPECT_TRUE(selection_.isLocked());
}

// A refused head, a sketch, a layer without rows and a picture of something else are all drawn.
TEST_F(LiveContentTest, DrawsEveryState) {
  live_->setOf(SpectraOf::kKeys);
  core::SpectraPicture picture = *pictureOf(SpectraOf::kKeys, 9, 3, 2);
  content_->setSnapshot(snapshot(std::make_shared<const core::SpectraPicture>(picture)));
  const QImage plain = draw();
  picture.layers[0].heads[0] = {.sigma = {}, .refused = "number 3 of token 8 is nan"};
  content_->setSnapshot(snapshot(std::make_shared<const core::SpectraPicture>(picture)));
  const QImage refused = draw();
  EXPECT_NE(plain, refused);
  picture.layers[0].heads[0] = {
      .sigma = {8, 4}, .stable_rank = 1.2, .effective_rank = 2, .sketch = true, .slack = 30};
  content_->setSnapshot(snapshot(std::make_shared<const core::SpectraPicture>(picture)));
  EXPECT_NE(draw(), refused);
  picture.layers[0].heads.clear();
  picture.layers[0].none = "mamba2 carries a state from token to token, not keys and values.";
  content_->setSnapshot(snapshot(std::make_shared<const core::SpectraPicture>(picture)));
  const QImage none = draw();
  live_->setOf(SpectraOf::kValues);
  EXPECT_NE(draw(), none);
}

}  // namespace
}  // namespace vitrine::ui::spectra
