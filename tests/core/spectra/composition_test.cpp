// Composition scores held against the formed products in double precision.
#include "core/spectra/composition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/spectra/spectrum_matrices.h"
#include "support/small_model.h"

namespace vitrine::core::composition_test {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

MatrixXd random(Index rows, Index columns, std::uint32_t seed) {
  return toDouble(test::gaussian(std::uint64_t(rows), std::uint64_t(columns), seed));
}

MatrixXd formed(const LowRankProduct& product) {
  return test::product(product.left, product.right);
}

double scoreOf(const MatrixXd& later, const MatrixXd& earlier) {
  return test::product(later, earlier).norm() / (later.norm() * earlier.norm());
}

TEST(Composition, OfAModelIsThatOfTheFormedProducts) {
  const auto spec = test::smallModel({.layers = 3, .width = 24, .heads = 4, .kv_heads = 2, .head_dim = 6});
  ASSERT_TRUE(spec);
  const auto graph = compositionGraph(*spec);
  ASSERT_TRUE(graph) << graph.error().describe();
  EXPECT_EQ(graph->edges.size(), 3u * 3 * 16);
  std::vector<LayerFactors> layers;
  for (std::uint32_t layer = 0; layer < 3; ++layer) layers.push_back(*LayerFactors::read(*spec, layer, {}));
  for (const CompositionEdge& edge : graph->edges) {
    const MatrixXd ov1 = formed(*layers[edge.from_layer].product(ProductKind::kOv, edge.from_head));
    const MatrixXd ov2 = formed(*layers[edge.to_layer].product(ProductKind::kOv, edge.to_head));
    const MatrixXd qk2 = formed(*layers[edge.to_layer].product(ProductKind::kQk, edge.to_head));
    EXPECT_LT(edge.from_layer, edge.to_layer);
    const double expected = edge.through == CompositionThrough::kQuery ? scoreOf(qk2.transpose(), ov1)
                            : edge.through == CompositionThrough::kKey ? scoreOf(qk2, ov1)
                                                                       : scoreOf(ov2, ov1);
    EXPECT_NEAR(edge.score.score, expected, 1e-13);
  }
  EXPECT_TRUE(
      std::ranges::is_sorted(graph->edges, std::greater<>(), [](const auto& e) { return e.score.z; }));
  // The components' energies add up to the whole score.
  for (std::size_t i = 0; i < kDetailedEdges; ++i) {
    const CompositionEdge& edge = graph->edges[i];
    const auto svd = productSvd(*layers[edge.from_layer].product(ProductKind::kOv, edge.from_head));
    ASSERT_TRUE(svd);
    double energy = 0;
    for (Index c = 0; c < svd->sigma.size(); ++c)
      energy += std::pow(edge.components[std::size_t(c)] * svd->sigma[c], 2);
    EXPECT_NEAR(std::sqrt(energy) / svd->sigma.norm(), edge.score.score, 1e-12);
  }
  EXPECT_TRUE(graph->edges[kDetailedEdges].components.empty());
  const auto json = toJson(*graph);
  EXPECT_NEAR(json["expected"], 1 / std::sqrt(24.0), 1e-15);
  EXPECT_EQ(json["edges"].size(), graph->edges.size());
}

// A head that writes where another one reads, and one that writes everywhere else.
TEST(Composition, FindsAPlantedChannelAndItsComponent) {
  std::mt19937 generator(1);
  const MatrixXd basis = test::orthonormal(40, 12, generator);
  const LowRankProduct reader{random(40, 4, 2), basis.leftCols(4).transpose()};
  MatrixXd written(40, 4);
  written << basis.col(2), basis.rightCols(3);
  const LowRankProduct writer{written, random(4, 40, 3)};
  const LowRankProduct apart{basis.rightCols(4), random(4, 40, 3)};
  const auto from = readerOf(reader);
  ASSERT_TRUE(from);
  const CompositionScore hit = compose(*from, *writerOf(writer)), miss = compose(*from, *writerOf(apart));
  EXPECT_NEAR(hit.score, scoreOf(formed(reader), formed(writer)), 1e-14);
  EXPECT_NEAR(miss.score, 0, 1e-14);
  EXPECT_GT(hit.z, 3);
  EXPECT_LT(miss.z, 0);
  const auto components = productSvd(writer);
  ASSERT_TRUE(components);
  const Eigen::VectorXd each = composeComponents(*from, components->u);
  double energy = 0;
  for (Index i = 0; i < each.size(); ++i) {
    EXPECT_NEAR(each[i], (formed(reader) * components->u.col(i)).norm() / formed(reader).norm(), 1e-13);
    energy += std::pow(each[i] * components->sigma[i], 2);
  }
  EXPECT_NEAR(std::sqrt(energy) / formed(writer).norm(), hit.score, 1e-13);
}

// The law of score^2 between rotated products: 4,000 rotations against the closed forms.
TEST(Composition, HasTheMeanAndSpreadOfRandomRotations) {
  std::mt19937 generator(7);
  const Index d = 8;
  const LowRankProduct later{random(d, 3, 1), random(3, d, 2)}, earlier{random(d, 2, 3), random(2, d, 4)};
  const auto reader = readerOf(later);
  ASSERT_TRUE(reader);
  double sum = 0, squares = 0;
  constexpr int kRotations = 4'000;
  for (int i = 0; i < kRotations; ++i) {
    // Signs of the QR factors do not matter to norms.
    const LowRankProduct turned{test::orthonormal(d, d, generator) * earlier.left, earlier.right};
    const double z = compose(*reader, *writerOf(turned)).z;
    sum += z;
    squares += z * z;
  }
  EXPECT_NEAR(sum / kRotations, 0, 4 / std::sqrt(double(kRotations)));
  EXPECT_NEAR(squares / kRotations, 1, 0.1);
}

TEST(Composition, OfAZeroHeadIsZero) {
  const auto reader = readerOf({MatrixXd::Zero(6, 2), random(2, 6, 1)});
  const auto writer = writerOf({random(6, 2, 1), random(2, 6, 2)});
  ASSERT_TRUE(reader && writer);
  EXPECT_EQ(compose(*reader, *writer).score, 0);
  EXPECT_EQ(compose(*reader, *writer).z, 0);
  EXPECT_EQ(composeComponents(*reader, random(6, 2, 3)).norm(), 0);
}

}  // namespace
}  // namespace vitrine::core::composition_test
