#include "core/figure/ticks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

namespace vitrine::core {
namespace {

std::vector<std::string> labels(const std::vector<Tick>& ticks) {
  std::vector<std::string> named;
  for (const Tick& t : ticks)
    if (!t.label.empty()) named.push_back(t.label);
  return named;
}

TEST(Ticks, LinearStepsAreOneTwoFiveAndStayInside) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> mantissa(-10, 10), exponent(-8, 8);
  for (int i = 0; i < 2000; ++i) {
    double low = mantissa(random) * std::pow(10, exponent(random));
    double high = low + std::abs(mantissa(random)) * std::pow(10, exponent(random)) + std::abs(low) * 1e-3;
    std::size_t most = 2 + random() % 7;
    std::vector<Tick> ticks = linearTicks(low, high, most);
    ASSERT_LE(ticks.size(), most) << low << " .. " << high;
    std::set<std::string> distinct;
    double slack = 1e-6 * (high - low);
    for (const Tick& t : ticks) {
      EXPECT_GE(t.value, low - slack);
      EXPECT_LE(t.value, high + slack);
      EXPECT_TRUE(distinct.insert(t.label).second) << t.label << " twice in " << low << " .. " << high;
    }
    if (ticks.size() < 2) continue;
    double step = ticks[1].value - ticks[0].value;
    double leading = step / std::pow(10, std::floor(std::log10(step) + 1e-9));
    bool nice = std::abs(leading - 1) < 1e-3 || std::abs(leading - 2) < 1e-3 || std::abs(leading - 5) < 1e-3;
    EXPECT_TRUE(nice) << "step " << step << " in " << low << " .. " << high;
  }
}

TEST(Ticks, LabelsHaveTheDigitsOfTheStep) {
  EXPECT_EQ(labels(linearTicks(0, 1, 6)), (std::vector<std::string>{"0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(labels(linearTicks(-1.2, 1.2, 3)), (std::vector<std::string>{"−1", "0", "1"}));
  EXPECT_EQ(labels(linearTicks(0, 6e5, 4)), (std::vector<std::string>{"0", "2×10⁵", "4×10⁵", "6×10⁵"}));
}

TEST(Ticks, IntegersForPlacesThatAreCounted) {
  EXPECT_EQ(labels(integerTicks(-0.5, 2.5, 7)), (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(labels(integerTicks(-0.5, 0.5, 7)), (std::vector<std::string>{"0"}));
  EXPECT_EQ(labels(integerTicks(-0.5, 1999.5, 5)), (std::vector<std::string>{"0", "500", "1000", "1500"}));
}

TEST(Ticks, LogarithmicDecadesWithMinorTicks) {
  std::vector<Tick> ticks = logTicks(1e-4, 1, 7);
  EXPECT_EQ(labels(ticks), (std::vector<std::string>{"10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"}));
  EXPECT_EQ(ticks.size(), 5u + 4 * 8);
  EXPECT_EQ(labels(logTicks(1e-9, 1, 4)), (std::vector<std::string>{"10⁻⁹", "10⁻⁶", "10⁻³", "10⁰"}));
  EXPECT_EQ(labels(logTicks(250, 33000, 7)),
            (std::vector<std::string>{"500", "1000", "2000", "5000", "10000", "20000"}));
}

}  // namespace
}  // namespace vitrine::core
