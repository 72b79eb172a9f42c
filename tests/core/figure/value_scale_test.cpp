#include "core/figure/value_scale.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace vitrine::core {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(ResolveColors, MaskedAndNotFiniteCellsTakeNoPartInTheRange) {
  std::vector<float> values = {0.25f, 99, kNaN, 0.75f, kInfinity, -5};
  std::vector<std::uint8_t> mask = {0, 1, 0, 0, 0, 1};
  ResolvedColors colors = resolveColors({}, values, mask).value();
  EXPECT_EQ(colors.scale.low, 0.25);
  EXPECT_EQ(colors.scale.high, 0.75);
  EXPECT_EQ(colors.masked, 2u);
  EXPECT_EQ(colors.not_finite, 2u);
  EXPECT_EQ(colors.below + colors.above, 0u);
}

TEST(ResolveColors, ZerosOnALogScaleAreBelowTheRangeNotMasked) {
  ColorScale color;
  color.scale = AxisScale::kLog;
  color.minimum = 1e-4;
  color.maximum = 1;
  ResolvedColors colors = resolveColors(color, std::vector<float>{0, 1e-5f, 0.5f, 1, 2}, {}).value();
  EXPECT_EQ(colors.below, 2u);
  EXPECT_EQ(colors.above, 1u);
  EXPECT_EQ(colors.masked + colors.not_finite, 0u);
  EXPECT_NEAR(colors.scale.position(1e-2), 0.5, 1e-12);
  EXPECT_LT(colors.scale.position(0), 0);
}

TEST(ResolveColors, DivergingRangeIsSymmetric) {
  ColorScale color;
  color.map = ColormapId::kDiverging;
  ResolvedColors colors = resolveColors(color, std::vector<float>{-0.25f, 0, 1.5f}, {}).value();
  EXPECT_EQ(colors.scale.low, -1.5);
  EXPECT_EQ(colors.scale.high, 1.5);
  EXPECT_EQ(colors.scale.position(0), 0.5);
}

TEST(ResolveColors, ConstantEmptyAndAllMaskedDataStillHaveARange) {
  for (AxisScale scale : {AxisScale::kLinear, AxisScale::kLog})
    for (float value : {0.0f, 0.5f, -2.0f, 3e30f}) {
      ColorScale color;
      color.scale = scale;
      for (const std::vector<std::uint8_t>& mask :
           {std::vector<std::uint8_t>{}, std::vector<std::uint8_t>{1, 1}}) {
        Result<ResolvedColors> colors = resolveColors(color, std::vector<float>{value, value}, mask);
        ASSERT_TRUE(colors) << colors.error().message;
        EXPECT_LT(colors->scale.low, colors->scale.high);
      }
      EXPECT_TRUE(resolveColors(color, {}, {}));
    }
}

TEST(ResolveColors, ImpossibleRangesAreRefused) {
  ColorScale color;
  color.minimum = 2;
  color.maximum = 1;
  EXPECT_FALSE(resolveColors(color, std::vector<float>{1}, {}));
  color = {};
  color.scale = AxisScale::kLog;
  color.minimum = 0;
  EXPECT_FALSE(resolveColors(color, std::vector<float>{1}, {}));
  color.minimum = std::nan("");
  EXPECT_FALSE(resolveColors(color, std::vector<float>{1}, {}));
}

TEST(ResolveAxis, BarsStartAtZeroAndLinesGetAMargin) {
  ValueScale bars = resolveAxis({}, 3, 5, true).value();
  EXPECT_EQ(bars.low, 0);
  EXPECT_GT(bars.high, 5);
  ValueScale lines = resolveAxis({}, 3, 5, false).value();
  EXPECT_LT(lines.low, 3);
  EXPECT_GT(lines.low, 2.5);
}

}  // namespace
}  // namespace vitrine::core
