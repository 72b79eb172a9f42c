#include "ui/views/memory/memory_content.h"

#include <gtest/gtest.h>

#include "support/content_fixture.h"

namespace vitrine::ui::memory {
namespace {

core::LayerSummary attentionLayer() {
  return {.mixer = "attention", .heads = 2, .kv_heads = 1, .row_width = 64, .token_bytes = 128};
}
core::LayerSummary recurrentLayer() {
  return {.mixer = "mamba2", .heads = 0, .state_bytes = 4096};
}

TEST(MemoryTexts, SayWhatIsKept) {
  EXPECT_EQ(keptText(attentionLayer(), nullptr), "1 kv head × 32, k and v");
  core::LayerSummary latent = attentionLayer();
  latent.latent = 48;
  EXPECT_EQ(keptText(latent, nullptr), "latent of 48 + 16 rotary");
  const core::LayerState state{.layer = 0, .shape = {8, 64, 16}, .norms = {}};
  EXPECT_EQ(keptText(recurrentLayer(), &state), "state 8 × 64 × 16");
  EXPECT_EQ(keptText(attentionLayer(), &state), "1 kv head × 32, k and v + state 8 × 64 × 16");
  EXPECT_EQ(keptText({}, nullptr), "nothing");
}

TEST(MemoryTexts, SayWhatAStepKeeps) {
  core::LayerState state{.layer = 0, .shape = {2, 8, 64}, .norms = {1, 2}};
  EXPECT_EQ(decaysText(state), "");
  EXPECT_EQ(decayMeanText(state), "");
  state.decays = {0.99941f, 0.9124f};
  state.decay_shape = {2};
  EXPECT_EQ(decaysText(state), "0.912 – 0.999");
  EXPECT_EQ(decayMeanText(state), "");
  state.decay_shape = {2, 64};
  EXPECT_EQ(decayMeanText(state), "mean over 64 keys");
  state.decays = {0.5f};
  state.shape = {512, 16};
  EXPECT_EQ(decaysText(state), "0.500");
  state.decay_shape = {512};
  EXPECT_EQ(decayMeanText(state), "mean over 512 channels");
  state.decay_shape = {512, 16};
  EXPECT_EQ(decayMeanText(state), "mean over 512 channels × 16");
}

TEST(MemoryTexts, WriteBytesWithTheirUnit) {
  EXPECT_EQ(bytesText(0), "0 B");
  EXPECT_EQ(bytesText(999), "999 B");
  EXPECT_EQ(bytesText(12'345), "12.3 kB");
  EXPECT_EQ(bytesText(2'000'000'000), "2.000 GB");
}

class MemoryContentTest : public tests::ContentTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    show(std::make_unique<MemoryContent>(selection_, settings_));
  }
  // Of a colour in the first layer's row.
  static int barPixels(const QImage& image, Rgba bar) {
    int count = 0;
    for (int y = 78; y < 104; ++y)
      for (int x = 0; x < image.width(); ++x) count += image.pixelColor(x, y) == QColor(bar.r, bar.g, bar.b);
    return count;
  }
};

TEST_F(MemoryContentTest, AsksForStatesAndChoosesLayers) {
  draw();
  EXPECT_EQ(content_->probes(), core::ProbeRequest{});
  const auto snapshot = snapshotOf({attentionLayer(), recurrentLayer(), attentionLayer()}, 9);
  core::StatePicture states{.tokens = 9, .layers = {{.layer = 1, .shape = {2, 4, 4}, .norms = {1, 3}}}};
  snapshot->states = std::make_shared<const core::StatePicture>(std::move(states));
  content_->setSnapshot(snapshot);
  draw();
  EXPECT_TRUE(content_->probes().states);
  EXPECT_FALSE(content_->probes().overview);
  click({300, 52 + 26 + 26 * 2 + 13});
  EXPECT_EQ(selection_.head().layer, 2u);
  press(Qt::Key_Up);
  EXPECT_EQ(selection_.head().layer, 1u);
}

TEST_F(MemoryContentTest, DrawsABarForEachHead) {
  const auto snapshot = snapshotOf({recurrentLayer()}, 9);
  content_->setSnapshot(snapshot);
  draw();
  const QImage without = draw();
  core::StatePicture states{.tokens = 9, .layers = {{.layer = 0, .shape = {2, 4, 4}, .norms = {1, 3}}}};
  snapshot->states = std::make_shared<const core::StatePicture>(std::move(states));
  const QImage with = draw();
  EXPECT_EQ(barPixels(without, kDarkTheme.colors.second_series), 0);
  EXPECT_NEAR(barPixels(with, kDarkTheme.colors.second_series), 9 * (18 + 6), 20);
}

TEST_F(MemoryContentTest, DrawsWhatAStepKeepsWhereThereIsRoom) {
  const auto snapshot = snapshotOf({recurrentLayer()}, 9);
  content_->setSnapshot(snapshot);
  core::StatePicture states{.tokens = 9, .layers = {{.layer = 0, .shape = {2, 4, 4}, .norms = {1, 3}}}};
  states.layers[0].decays = {1, 0.5f};
  states.layers[0].decay_shape = {2};
  snapshot->states = std::make_shared<const core::StatePicture>(states);
  draw();
  const Rgba accent = kDarkTheme.colors.accent;
  EXPECT_NEAR(barPixels(draw(), accent), 9 * (18 + 9), 20);
  EXPECT_NEAR(barPixels(draw(), kDarkTheme.colors.field), 9 * 9, 20);
  EXPECT_NEAR(barPixels(draw(), kDarkTheme.colors.second_series), 9 * (18 + 6), 20);
  const auto at = [&](int width) { return test::expectValue(canvas_->image(QSize(width, 400), 1)); };
  EXPECT_GT(barPixels(at(1000), accent), 0);
  EXPECT_EQ(barPixels(at(800), accent), 0);
  states.layers[0].decays.clear();
  snapshot->states = std::make_shared<const core::StatePicture>(states);
  EXPECT_EQ(barPixels(draw(), accent), 0);
}

TEST_F(MemoryContentTest, SurvivesSmallSizes) {
  content_->setSnapshot(snapshotOf({attentionLayer(), recurrentLayer()}, 9));
  for (const QSize size : {QSize(1, 1), QSize(30, 40), QSize(200, 30), QSize(640, 260)})
    EXPECT_TRUE(canvas_->image(size, 1)) << size.width() << " x " << size.height();
}

}  // namespace
}  // namespace vitrine::ui::memory
