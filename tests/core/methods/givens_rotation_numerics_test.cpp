// Each form rotates g away at any magnitude; dividing loses less than multiplying by a reciprocal;
// Rutishauser's form keeps Jacobi's values where c, s drift.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/methods/analysis_fixtures.h"
#include "core/spectra/givens.h"
#include "core/spectra/jacobi_sweeps.h"

namespace vitrine::test::givens_rotation_numerics_test {
namespace {

using core::GivensForm;
using core::RotationForm;

template <typename T>
void expectRotation(T f, T g, GivensForm form) {
  constexpr long double kRounding = std::numeric_limits<T>::epsilon();
  const core::Givens<T> turn = core::givens(f, g, form);
  const long double c = turn.c, s = turn.s, size = hypotl(f, g);
  const auto said = ::testing::Message() << core::name(form) << " of " << f << ", " << g;
  EXPECT_GE(c, 0) << said;
  EXPECT_LE(fabsl(c * c + s * s - 1), 4 * kRounding) << said;
  EXPECT_LE(fabsl(c * f + s * g - turn.r), 4 * kRounding * size + std::numeric_limits<T>::denorm_min())
      << said;
  EXPECT_LE(fabsl(c * g - s * f), 4 * kRounding * size) << said;
}

TEST(Givens, RotatesAtEveryMagnitude) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  for (const GivensForm form : core::kGivensForms) {
    for (int i = 0; i < 2000; ++i) {
      const double f = normal(random), g = normal(random);
      expectRotation<float>(float(f), float(g), form);
      expectRotation<double>(f, g, form);
      // Both huge, both tiny, and one far from the other.
      for (const int exponent : {-148, -120, -70, 70, 120, 124}) {
        expectRotation<float>(std::ldexp(float(f), exponent), std::ldexp(float(g), exponent), form);
        expectRotation<float>(std::ldexp(float(f), exponent), float(g), form);
        expectRotation<float>(float(f), std::ldexp(float(g), exponent), form);
      }
      for (const int exponent : {-1000, 1000})
        expectRotation<double>(std::ldexp(f, exponent), std::ldexp(g, exponent), form);
    }
    for (const float f : {-3.0f, 0.0f, 2.0f})
      for (const float g : {-4.0f, 0.0f, 5.0f}) expectRotation(f, g, form);
    EXPECT_EQ(core::givens(3.0f, 4.0f, form).r, 5.0f);
    EXPECT_EQ(core::givens(-3.0f, 4.0f, form).r, -5.0f);
    EXPECT_EQ(core::givens(0.0f, -4.0f, form).s, -1.0f);
  }
}

double meanDrift(GivensForm form) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  double sum = 0;
  for (int i = 0; i < 200'000; ++i) {
    const core::Givens<float> turn = core::givens(normal(random), normal(random), form);
    sum += std::abs(double(turn.c) * double(turn.c) + double(turn.s) * double(turn.s) - 1);
  }
  return sum / 200'000 / 0x1p-24;
}

TEST(Givens, DividingIsTheMoreAccurate) {
  EXPECT_LT(meanDrift(GivensForm::kDivide), 0.95 * meanDrift(GivensForm::kReciprocal));
}

TEST(RotationForms, OnlyRutishausersKeepsTheValues) {
  const Eigen::MatrixXf a = core::toDouble(gaussian(96, 96, 4)).cast<float>();
  const auto svd = core::fullSvd(Columns(a.cast<double>()));
  ASSERT_TRUE(svd);
  double errors[std::size(core::kRotationForms)] = {};
  for (std::size_t f = 0; f < core::kRotationForms.size(); ++f) {
    const auto history = core::jacobiSweeps<float>(a, {.form = core::kRotationForms[f], .sweeps = 15});
    for (std::size_t k = 0; k < 96; ++k)
      errors[f] =
          std::max(errors[f], std::abs(history.sigma[k] - svd->sigma[Eigen::Index(k)]) / svd->sigma[0]);
  }
  EXPECT_LE(errors[3], 1e-6);
  for (std::size_t f = 0; f < 3; ++f)
    EXPECT_GE(errors[f], 3 * errors[3]) << core::name(core::kRotationForms[f]);
}

}  // namespace
}  // namespace vitrine::test::givens_rotation_numerics_test
