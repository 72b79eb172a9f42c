// Changes that were made of one basis give it back, with their own singular values and without loss.
#include "core/spectra/shared_basis.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/methods/analysis_fixtures.h"

namespace vitrine::test::fairlora_test {
namespace {

using namespace core;

TEST(SharedBasis, IsThatOfWhichTheChangesWereMade) {
  for (const auto& [m, n] : {std::pair{18, 18}, {12, 25}, {30, 9}}) {
    std::mt19937 random(6);
    const Columns u = orthonormal(m, 4, random), v = orthonormal(n, 4, random);
    const std::vector<Eigen::Vector4d> spectra = {{5, -3, 2, 1}, {1, 4, -2, 0.5}, {0, 2, 6, -1}};
    std::vector<Columns> changes;
    for (const Eigen::Vector4d& s : spectra) changes.push_back(fromSvd(u, s, v));
    const auto found = sharedBasis(changes, 4);
    ASSERT_TRUE(found) << found.error().describe();
    for (std::size_t g = 0; g < changes.size(); ++g) {
      EXPECT_NEAR(found->kept_shared[g] / found->energy[g], 1, 1e-10) << g;
      EXPECT_NEAR(found->kept_stacked[g] / found->energy[g], 1, 1e-10) << g;
      EXPECT_LT((fromSvd(found->u, found->sigma[g], found->v) - changes[g]).norm(), 1e-5);
      for (std::size_t h = 0; h < g; ++h)
        EXPECT_NEAR((found->sigma[g] - found->sigma[h]).norm(), (changes[g] - changes[h]).norm(), 1e-5);
    }
    // Ordered by energy: directions 0 .. 3 have 26, 29, 44, 2.25.
    Eigen::Vector4d energy = Eigen::Vector4d::Zero();
    for (const Eigen::VectorXd& s : found->sigma) energy += s.cwiseAbs2();
    EXPECT_LT((energy - Eigen::Vector4d(44, 29, 26, 2.25)).norm(), 1e-4);
  }
}

TEST(SharedBasis, OfOneChangeIsItsSvd) {
  const Columns change = toDouble(gaussian(14, 10, 3));
  const auto svd = fullSvd(change);
  const auto found = sharedBasis(std::span(&change, 1), 5);
  ASSERT_TRUE(svd && found);
  EXPECT_LT((found->sigma[0].cwiseAbs() - svd->sigma.head(5)).norm(), 1e-9);
  EXPECT_NEAR(found->kept_shared[0], found->kept_own[0], 1e-9);
}

TEST(SharedBasis, KeepsNoMoreThanItCan) {
  const std::vector<Columns> changes = {toDouble(gaussian(16, 12, 1)), toDouble(gaussian(16, 12, 2))};
  const auto found = sharedBasis(changes, 6), rough = sharedBasis(changes, 6, 0);
  ASSERT_TRUE(found && rough);
  EXPECT_GT(found->steps, 0);
  double kept = 0, before = 0;
  for (std::size_t g = 0; g < 2; ++g) {
    EXPECT_LE(found->kept_shared[g], found->kept_own[g] * (1 + 1e-12));
    EXPECT_LE(found->kept_stacked[g], found->kept_own[g] * (1 + 1e-12));
    kept += found->kept_shared[g];
    before += rough->kept_shared[g];
    EXPECT_LT(gramMinusIdentity(found->u).norm(), 1e-12);
    EXPECT_LT(gramMinusIdentity(found->v).norm(), 1e-12);
  }
  EXPECT_GT(kept, before);
}

TEST(SharedBasis, TakesZerosAndRefusesOtherShapes) {
  const std::vector<Columns> zeros = {Columns::Zero(5, 3), Columns::Zero(5, 3)};
  const auto found = sharedBasis(zeros, 8);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->u.cols(), 3);
  EXPECT_EQ(found->kept_shared[0], 0);
  const std::vector<Columns> other = {Columns::Zero(5, 3), Columns::Zero(3, 5)};
  EXPECT_EQ(sharedBasis(other, 2).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(sharedBasis({}, 2).error().code, ErrorCode::kInvalidArgument);
}

// Lost shares of two fine-tunes, the second of which is scaled; counting alike or by size.
std::pair<double, double> lostFor(double scale, double equal) {
  const auto method = core::methods::findAnalysis("fairlora");
  VITRINE_ASSERT(method.has_value());
  AnalysisInput input{.model = "base", .parameters = Parameters((*method)->parameters)};
  VITRINE_ASSERT(input.parameters.set("rank", 3) && input.parameters.set("equal", equal));
  const Columns base = toDouble(gaussian(15, 12, 1));
  input.tunes = {{"a", {namedPair("layers.0.a.weight", base, base + toDouble(gaussian(15, 12, 2)))}},
                 {"b", {namedPair("layers.0.a.weight", base, base + scale * toDouble(gaussian(15, 12, 3)))}}};
  const auto result = core::methods::runAnalysis(**method, input);
  VITRINE_ASSERT(result.has_value());
  const auto& rows = result->tables[0].rows;
  return {std::get<double>(rows[0][3]), std::get<double>(rows[1][3])};
}

TEST(Fairlora, CountsFineTunesAlikeOrBySize) {
  const auto [a, b] = lostFor(1, 1);
  const auto [alike_a, alike_b] = lostFor(64, 1);
  EXPECT_NEAR(alike_a, a, 1e-6);
  EXPECT_NEAR(alike_b, b, 1e-6);
  const auto [by_size_a, by_size_b] = lostFor(64, 0);
  EXPECT_GT(by_size_a, a + 0.05);
  EXPECT_LT(by_size_b, b - 0.05);
}

}  // namespace
}  // namespace vitrine::test::fairlora_test
