// Copies are alike, independent experts are not, and the order of hidden units matters to cosines alone.
#include "core/spectra/expert_similarity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/methods/analysis_fixtures.h"

namespace vitrine::test::expert_similarity_test {
namespace {

using namespace core;

Columns flatOf(const std::vector<Columns>& experts) {
  Columns flat(experts[0].size(), Eigen::Index(experts.size()));
  for (std::size_t e = 0; e < experts.size(); ++e) flat.col(Eigen::Index(e)) = experts[e].reshaped();
  return flat;
}

TEST(ExpertNames, LoseTheirNumber) {
  EXPECT_EQ(nameWithoutExpert("layers.3.mlp.experts.12.up_proj.weight"),
            "layers.3.mlp.experts.*.up_proj.weight");
  EXPECT_EQ(nameWithoutExpert("blk.3.ffn_up_exps.weight[7]"), "blk.3.ffn_up_exps.weight");
  for (const char* other : {"layers.3.mlp.up_proj.weight", "layers.3.shared_experts.up_proj.weight",
                            "experts.a.b", "a[]", "a[x]", "experts.3"})
    EXPECT_FALSE(nameWithoutExpert(other)) << other;
}

TEST(ExpertCosines, OfCopiesOppositesAndOrthogonalOnes) {
  const Columns a = toDouble(gaussian(6, 5, 1));
  Columns b = toDouble(gaussian(6, 5, 2));
  b -= a * (a.cwiseProduct(b).sum() / a.squaredNorm());
  const ExpertCosines found = expertCosines(flatOf({a, 3 * a, -a, b, Columns::Zero(6, 5)}));
  EXPECT_NEAR(found.cosines(0, 1), 1, 1e-14);
  EXPECT_NEAR(found.cosines(0, 2), -1, 1e-14);
  EXPECT_NEAR(found.cosines(0, 3), 0, 1e-14);
  EXPECT_EQ(found.cosines(0, 4), 0);
  EXPECT_NEAR(expertCosines(flatOf({a, a, a})).common, 1, 1e-14);
  EXPECT_NEAR(expertCosines(flatOf({a, b * (a.norm() / b.norm())})).common, 0.5, 1e-14);
  EXPECT_EQ(expertCosines(Columns::Zero(4, 2)).common, 0);
}

TEST(ExpertCosines, CommonIsTheMeansShare) {
  const std::vector<Columns> experts = {toDouble(gaussian(4, 7, 1)), toDouble(gaussian(4, 7, 2)),
                                        toDouble(gaussian(4, 7, 3))};
  const Columns mean = (experts[0] + experts[1] + experts[2]) / 3;
  const double energy = (experts[0].squaredNorm() + experts[1].squaredNorm() + experts[2].squaredNorm()) / 3;
  EXPECT_NEAR(expertCosines(flatOf(experts)).common, mean.squaredNorm() / energy, 1e-13);
}

TEST(SubspaceOverlaps, OfEqualHalfAndApartSpans) {
  std::mt19937 random(3);
  const Columns basis = orthonormal(20, 8, random);
  const Columns turned = basis.leftCols(4) * orthonormal(4, 4, random);
  Columns half(20, 4);
  half << basis.leftCols(2), basis.rightCols(2);
  const std::vector<Columns> bases = {basis.leftCols(4), turned, half, basis.rightCols(4), Columns(20, 0)};
  const Columns overlaps = subspaceOverlaps(bases);
  EXPECT_NEAR(overlaps(0, 0), 1, 1e-13);
  EXPECT_NEAR(overlaps(0, 1), 1, 1e-13);
  EXPECT_NEAR(overlaps(0, 2), 0.5, 1e-13);
  EXPECT_NEAR(overlaps(3, 0), 0, 1e-13);
  EXPECT_EQ(overlaps(4, 0), 0);
  // Random spans of 4 in 20 dimensions: 4 / 20 on average.
  double mean = 0;
  for (int i = 0; i < 200; ++i) {
    const std::vector<Columns> two = {orthonormal(20, 4, random), orthonormal(20, 4, random)};
    mean += subspaceOverlaps(two)(0, 1) / 200;
  }
  EXPECT_NEAR(mean, 0.2, 0.02);
}

// Gate matrices (hidden, d) of one expert and of the same with its hidden units in another order.
TEST(ExpertSimilarity, SeesThroughTheOrderOfHiddenUnits) {
  const Columns expert = toDouble(gaussian(40, 24, 1));
  std::vector<Eigen::Index> order(40);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(4));
  const auto method = core::methods::findAnalysis("expert-similarity");
  ASSERT_TRUE(method);
  AnalysisInput input{.model = "mixture", .parameters = Parameters((*method)->parameters)};
  input.matrices = {namedMatrix("blk.1.ffn_gate_exps.weight[0]", toDense(expert)),
                    namedMatrix("blk.1.ffn_gate_exps.weight[1]", toDense(expert(order, Eigen::all))),
                    namedMatrix("blk.1.attn_q.weight", gaussian(8, 8, 1)),
                    namedMatrix("model.layers.0.mlp.experts.0.up_proj.weight", gaussian(40, 24, 2)),
                    namedMatrix("model.layers.0.mlp.experts.10.up_proj.weight", gaussian(40, 24, 3)),
                    namedMatrix("model.layers.0.mlp.shared_experts.up_proj.weight", gaussian(40, 24, 3))};
  const auto result = core::methods::runAnalysis(**method, input);
  ASSERT_TRUE(result) << result.error().describe();
  const auto& rows = result->tables[0].rows;
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(std::get<std::string>(rows[0][0]), "blk.1.ffn_gate_exps.weight");
  EXPECT_EQ(std::get<std::string>(rows[1][0]), "model.layers.0.mlp.experts.*.up_proj.weight");
  EXPECT_LT(std::abs(std::get<double>(rows[0][2])), 0.2);  // cosine
  EXPECT_NEAR(std::get<double>(rows[0][7]), 1, 1e-9);      // right overlap
  EXPECT_LT(std::get<double>(rows[0][5]), 0.4);            // left overlap: 8 / 40 of random ones
  EXPECT_LT(std::get<double>(rows[1][7]), 0.6);            // 8 / 24
  EXPECT_EQ(result->tables[1].rows.size(), 4u);
}

TEST(ExpertSimilarity, RefusesAModelWithoutExperts) {
  const auto method = core::methods::findAnalysis("expert-similarity");
  AnalysisInput input{.model = "dense", .parameters = Parameters((*method)->parameters)};
  input.matrices = {namedMatrix("layers.0.a.weight", gaussian(4, 4, 1)),
                    namedMatrix("layers.1.a.weight", gaussian(4, 4, 2))};
  const auto result = core::methods::runAnalysis(**method, input);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().describe().find("no experts"), std::string::npos);
}

}  // namespace
}  // namespace vitrine::test::expert_similarity_test
