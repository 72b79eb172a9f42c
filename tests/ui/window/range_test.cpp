#include <cmath>

#include "ui/docks/inspector_dock.h"
#include "ui/view_settings.h"
#include "ui/widgets/format.h"
#include "ui/widgets/range_histogram.h"
#include "ui/window/settings_history.h"

#include <gtest/gtest.h>

namespace vitrine::ui {
namespace {

TEST(Range, PositionAndProbabilityAreInverse) {
  for (const Scale scale : {Scale::kLinear, Scale::kLog}) {
    const Range range = scale == Scale::kLog ? Range{1e-4, 0.5} : Range{0.1, 0.9};
    for (const double t : {0.0, 0.25, 0.5, 1.0})
      EXPECT_NEAR(position(probabilityAt(t, range, scale), range, scale), t, 1e-12);
    EXPECT_EQ(position(0.0, range, scale), 0.0);
    EXPECT_EQ(position(1.0, range, scale), 1.0);
    EXPECT_EQ(position(-1.0, range, scale), 0.0);
  }
  EXPECT_NEAR(position(1e-2, {1e-4, 1}, Scale::kLog), 0.5, 1e-12);
}

TEST(Range, EachScaleKeepsItsOwnAndBadOnesAreCorrected) {
  ViewSettings settings;
  settings.setRange({1.0, 1e-3});
  EXPECT_EQ(settings.range(), (Range{1e-3, 1.0}));
  settings.setScale(Scale::kLinear);
  EXPECT_EQ(settings.range(), (Range{0.0, 1.0}));
  settings.setRange({-3.0, 0.25});
  EXPECT_EQ(settings.range(), (Range{0.0, 0.25}));
  settings.setRange({std::nan(""), 1.0});
  EXPECT_EQ(settings.range(), (Range{0.0, 0.25}));
  settings.setScale(Scale::kLog);
  EXPECT_EQ(settings.range(), (Range{1e-3, 1.0}));
  settings.setRange({0.0, 0.0});
  EXPECT_GE(settings.range().low, kLowestProbability);
  EXPECT_LT(settings.range().low, settings.range().high);
  settings.resetRange();
  EXPECT_EQ(settings.range(), (Range{1e-4, 1.0}));
}

TEST(Range, TheHistogramsAxisCoversEightDecades) {
  EXPECT_EQ(axisPosition(1.0, Scale::kLog), 1.0);
  EXPECT_NEAR(axisPosition(1e-4, Scale::kLog), 0.5, 1e-12);
  EXPECT_EQ(axisPosition(0.0, Scale::kLog), 0.0);
  EXPECT_NEAR(axisProbability(axisPosition(0.03, Scale::kLog), Scale::kLog), 0.03, 1e-9);
  EXPECT_EQ(axisProbability(2.0, Scale::kLinear), 1.0);
}

TEST(SettingsHistory, UndoesAndRedoesChangesOneByOne) {
  ViewSettings settings;
  SettingsHistory history(settings, 0);
  settings.setColormap(core::ColormapId::kMagma);
  settings.setRange({1e-3, 0.5});
  settings.setScale(Scale::kLinear);
  ASSERT_EQ(history.stack().count(), 3);
  history.stack().undo();
  EXPECT_EQ(settings.scale(), Scale::kLog);
  history.stack().undo();
  EXPECT_EQ(settings.range(), (Range{1e-4, 1.0}));
  EXPECT_EQ(settings.colormap(), core::ColormapId::kMagma);
  history.stack().redo();
  EXPECT_EQ(settings.range(), (Range{1e-3, 0.5}));
  history.stack().undo();
  history.stack().undo();
  EXPECT_EQ(settings.colormap(), core::ColormapId::kViridis);
  EXPECT_FALSE(history.stack().canUndo());
}

TEST(SettingsHistory, ADraggedHandleIsOneStep) {
  ViewSettings settings;
  SettingsHistory history(settings, 60'000);
  for (int i = 1; i <= 20; ++i) settings.setRange({1e-4 * i, 1.0});
  EXPECT_EQ(history.stack().count(), 1);
  history.stack().undo();
  EXPECT_EQ(settings.range(), (Range{1e-4, 1.0}));
}

TEST(Format, WritesNumbersAsTheWindowShowsThem) {
  EXPECT_EQ(significant(0.30051), "0.301");
  EXPECT_EQ(significant(1.274), "1.27");
  EXPECT_EQ(significant(112.44), "112");
  EXPECT_EQ(significant(3.21e-5), "3.2e-5");
  EXPECT_EQ(significant(0), "0");
  EXPECT_EQ(significant(std::nan("")), "–");
  EXPECT_EQ(shortNumber(1e-4), "1e-4");
  EXPECT_EQ(shortNumber(1.0), "1");
  EXPECT_EQ(shortNumber(0.25), "0.25");
  EXPECT_EQ(bytesText(999'999), QString("1.00\u00a0MB"));
  EXPECT_EQ(bytesText(512), QString("512\u00a0B"));
  EXPECT_EQ(countText(134'515'008), QString("135\u00a0M"));
  EXPECT_EQ(groupedText(1'234'567), QString("1\u202f234\u202f567"));
  EXPECT_EQ(probabilityText(-1), "masked");
}

TEST(Inspector, RanksKeysAndMeasuresARow) {
  const std::vector<float> row = {0.25f, 0.5f, 0.25f, 0.0f, -1.0f};
  EXPECT_NEAR(entropyBits(row), 1.5, 1e-6);
  const auto keys = topKeys(row, 10);
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_EQ(keys[0], (RankedKey{1, 0.5f}));
  EXPECT_EQ(keys[1].key, 0u);  // of two equal ones the earlier
  EXPECT_EQ(topKeys(row, 2).size(), 2u);
  EXPECT_TRUE(topKeys({}, 3).empty());
}

}  // namespace
}  // namespace vitrine::ui
