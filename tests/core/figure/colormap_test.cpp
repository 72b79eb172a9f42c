#include "core/figure/colormap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace vitrine::core {
namespace {

// CIE L* of an sRGB entry, 0 (black) to 100 (white).
double lightness(Rgb8 c) {
  auto linear = [](double v) {
    v /= 255;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  double y = 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b);
  return y > 0.008856 ? 116 * std::cbrt(y) - 16 : 903.3 * y;
}

TEST(Colormap, SequentialMapsRiseInLightness) {
  for (ColormapId id : {ColormapId::kViridis, ColormapId::kCividis, ColormapId::kMagma, ColormapId::kGrey}) {
    std::span<const Rgb8> entries = colormap(id);
    ASSERT_EQ(entries.size(), 256u);
    // Rounding to 8 bits may cost a fraction of a unit of L* between neighbours; over eight entries it must
    // rise.
    for (std::size_t i = 0; i + 8 < entries.size(); ++i)
      EXPECT_GT(lightness(entries[i + 8]), lightness(entries[i])) << colormapName(id) << " entry " << i;
    EXPECT_GT(lightness(entries.back()) - lightness(entries.front()), 60) << colormapName(id);
  }
}

TEST(Colormap, DivergingArmsAreEquallyDarkAndMeetNearWhite) {
  std::span<const Rgb8> entries = colormap(ColormapId::kDiverging);
  for (std::size_t i = 0; i < 128; ++i)
    EXPECT_NEAR(lightness(entries[i]), lightness(entries[255 - i]), 4.5) << "entry " << i;
  EXPECT_GT(lightness(entries[127]), 95);
  EXPECT_GT(lightness(entries[128]), 95);
  for (std::size_t i = 8; i < 128; ++i) EXPECT_GT(lightness(entries[i]), lightness(entries[i - 8]));
}

TEST(Colormap, SampleClampsAndSurvivesNan) {
  EXPECT_EQ(sampleColormap(ColormapId::kMagma, -3), colormap(ColormapId::kMagma).front());
  EXPECT_EQ(sampleColormap(ColormapId::kMagma, 1), colormap(ColormapId::kMagma).back());
  EXPECT_EQ(sampleColormap(ColormapId::kMagma, 7), colormap(ColormapId::kMagma).back());
  EXPECT_EQ(sampleColormap(ColormapId::kMagma, std::numeric_limits<double>::quiet_NaN()),
            colormap(ColormapId::kMagma).front());
  EXPECT_EQ(sampleColormap(ColormapId::kMagma, 0.5), colormap(ColormapId::kMagma)[128]);
}

TEST(Colormap, NamesFindTheirMapAndOthersAreRefused) {
  for (ColormapId id : colormaps()) EXPECT_EQ(findColormap(colormapName(id)).value(), id);
  Result<ColormapId> jet = findColormap("jet");
  ASSERT_FALSE(jet);
  EXPECT_NE(jet.error().message.find("viridis, cividis"), std::string::npos);
}

}  // namespace
}  // namespace vitrine::core
