// Products of heads held against the formed products in double precision, and against the attention scores of
// the reference.
#include "core/spectra/head_products.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/reference/reference.h"
#include "core/spectra/dense_product.h"
#include "core/spectra/linear_matrix.h"
#include "core/spectra/spectrum_matrices.h"
#include "support/latent_model.h"
#include "support/small_model.h"

namespace vitrine::core::head_products_test {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using testing::HasSubstr;

MatrixXd random(Index rows, Index columns, std::uint32_t seed) {
  return toDouble(test::gaussian(std::uint64_t(rows), std::uint64_t(columns), seed));
}

double worst(const MatrixXd& a) {
  return a.cwiseAbs().maxCoeff();
}

MatrixXd formed(const LowRankProduct& product) {
  return test::product(product.left, product.right);
}

void expectProduct(const LowRankProduct& product) {
  const auto spectrum = productSpectrum(product);
  ASSERT_TRUE(spectrum) << spectrum.error().describe();
  const auto expected = fullSvd(formed(product));
  ASSERT_TRUE(expected);
  const double s1 = expected->sigma[0];
  for (std::size_t i = 0; i < spectrum->sigma.size(); ++i)
    EXPECT_NEAR(spectrum->sigma[i], expected->sigma[Index(i)], 1e-13 * s1) << i;
  for (Index i = Index(spectrum->sigma.size()); i < expected->sigma.size(); ++i)
    EXPECT_LE(expected->sigma[i], 1e-13 * s1);
  EXPECT_LE(spectrum->certificate.energy, 1e-12);
  EXPECT_LE(spectrum->certificate.fourth, 1e-12);
  EXPECT_GE(spectrum->certificate.upper_bound, s1 * (1 - 1e-12));
  EXPECT_NEAR(spectrum->frobenius, formed(product).norm(), 1e-12 * s1);
  const auto svd = productSvd(product);
  ASSERT_TRUE(svd);
  EXPECT_LE(worst(test::fromSvd(svd->u, svd->sigma, svd->v) - formed(product)), 1e-13 * s1);
  EXPECT_LE(worst(test::gramMinusIdentity(svd->u)), 1e-12);
  EXPECT_LE(worst(test::gramMinusIdentity(svd->v)), 1e-12);
}

TEST(LowRankProduct, HasTheSpectrumOfTheFormedProduct) {
  for (const auto& [m, r, n] :
       {std::tuple<Index, Index, Index>{40, 6, 40}, {30, 8, 51}, {5, 9, 7}, {1, 1, 1}})
    expectProduct({random(m, r, 1), random(r, n, 2)});
}

TEST(LowRankProduct, FindsZeroAndDeficientProducts) {
  const auto zero = productSpectrum({MatrixXd::Zero(6, 2), random(2, 6, 1)});
  ASSERT_TRUE(zero);
  EXPECT_EQ(zero->sigma, std::vector<double>(2));
  // Factors that cancel: what is left is below the floor.
  MatrixXd left = random(20, 4, 1), right = random(4, 20, 2);
  left.rightCols(2) = left.leftCols(2);
  right.bottomRows(2) = -right.topRows(2);
  const auto nothing = productSpectrum({left, right});
  ASSERT_TRUE(nothing);
  EXPECT_LE(nothing->sigma[0], nothing->floor);
  EXPECT_EQ(productSpectrum({MatrixXd::Zero(6, 2), random(3, 6, 1)}).error().code,
            ErrorCode::kInvalidArgument);
}

// Merging by a change of basis (catalogue: mergelock): raw spectra move, the product's does not.
TEST(LowRankProduct, DoesNotMoveWithTheBasisInsideOfAHead) {
  const MatrixXd query = random(8, 32, 1), key = random(8, 32, 2);
  std::mt19937 generator(3);
  const MatrixXd turn = test::orthonormal(8, 8, generator);
  const Eigen::VectorXd scale = Eigen::VectorXd::LinSpaced(8, 0.5, 4);  // a = turn diag(scale)
  const MatrixXd query2 = test::product(turn * scale.asDiagonal(), query),
                 key2 = test::product(turn * scale.cwiseInverse().asDiagonal(), key);
  const auto before = productSpectrum({query.transpose(), key});
  const auto after = productSpectrum({query2.transpose(), key2});
  ASSERT_TRUE(before && after);
  for (std::size_t i = 0; i < before->sigma.size(); ++i)
    EXPECT_NEAR(before->sigma[i], after->sigma[i], 1e-12 * before->sigma[0]);
  EXPECT_GT(std::abs(fullSvd(query)->sigma[0] - fullSvd(query2)->sigma[0]), 0.1);
}

class HeadProductsOf : public testing::Test {
 protected:
  Result<ModelSpec> spec_ = test::smallModel({.layers = 2, .width = 48, .heads = 6, .kv_heads = 2});
};

TEST_F(HeadProductsOf, AModelAreThoseOfItsFoldedWeights) {
  ASSERT_TRUE(spec_);
  const BlockSpec& block = spec_->blocks[1];
  const AttentionSpec& attention = *block.attention();
  const MatrixXd query = *expandLinear(attention.query), key = *expandLinear(attention.key);
  const MatrixXd value = *expandLinear(attention.value), output = *expandLinear(attention.output);
  const MatrixXd gain = expandBase(block.mixer_norm->weight)->col(0).asDiagonal();
  const auto factors = LayerFactors::read(*spec_, 1, {});
  ASSERT_TRUE(factors);
  for (std::uint32_t head = 0; head < 6; ++head) {
    const Index h = head, g = h / 3;
    const MatrixXd qk =
        attention.scale * test::product(test::product(gain, query.middleRows(8 * h, 8).transpose()),
                                        test::product(key.middleRows(8 * g, 8), gain));
    const MatrixXd ov =
        test::product(test::product(output.middleCols(8 * h, 8), value.middleRows(8 * g, 8)), gain);
    EXPECT_LE(worst(formed(*factors->product(ProductKind::kQk, head)) - qk), 1e-13);
    EXPECT_LE(worst(formed(*factors->product(ProductKind::kOv, head)) - ov), 1e-13);
    expectProduct(*factors->product(ProductKind::kQk, head));
    expectProduct(*factors->product(ProductKind::kOv, head));
  }
  EXPECT_EQ(factors->product(ProductKind::kQk, 6).error().code, ErrorCode::kInvalidArgument);
  const auto plain = LayerFactors::read(*spec_, 1, {.fold_gains = false, .score_scale = false});
  ASSERT_TRUE(plain);
  EXPECT_LE(worst(formed(*plain->product(ProductKind::kQk, 5)) -
                  test::product(query.bottomRows(8).transpose(), key.bottomRows(8))),
            1e-13);
}

// Against the rotation that the reference gives a query and a key at their places.
TEST(HeadRotation, IsThatOfQueryAndKeyAtTheirPlaces) {
  for (const RopePairing pairing : {RopePairing::kHalf, RopePairing::kInterleaved})
    for (const std::uint32_t turning : {8u, 4u}) {
      Rope rope{.pairing = pairing, .rotary_dim = turning, .inv_freq = {1.0, 0.3}, .magnitude = 1.25};
      if (turning == 8) rope.inv_freq = {1.0, 0.4, 0.1, 0.02};
      ReferenceMatrix query = random(1, 8, 1).replicate(8, 1), key = random(1, 8, 2).replicate(8, 1);
      const MatrixXd q = query.row(0), k = key.row(0);
      applyRope(rope, 8, query);
      applyRope(rope, 8, key);
      for (const auto& [at, from] : {std::pair<Index, Index>{7, 7}, {7, 2}, {3, 0}, {1, 6}})
        EXPECT_NEAR(query.row(at).dot(key.row(from)),
                    (q * rotation(rope, 8, at - from) * k.transpose())(0, 0), 1e-12)
            << at << " " << from;
    }
}

// The whole way: what the softmax of the reference was given is x_query^T QK x_key at each offset.
TEST_F(HeadProductsOf, AModelAreTheScoresOfTheReference) {
  ASSERT_TRUE(spec_);
  const std::vector<std::int32_t> ids = {3, 17, 5, 44, 9, 28};
  const auto pass = referenceForward(*spec_, ids);
  ASSERT_TRUE(pass);
  MatrixXd x = pass->hidden[1];  // the second layer's input
  for (Index t = 0; t < x.rows(); ++t)
    x.row(t) /= std::sqrt(x.row(t).squaredNorm() / double(x.cols()) + spec_->blocks[1].mixer_norm->epsilon);
  for (Index offset = 0; offset < 5; ++offset) {
    const auto factors = LayerFactors::read(*spec_, 1, {.offset = offset});
    ASSERT_TRUE(factors);
    for (std::uint32_t head = 0; head < 6; ++head) {
      const MatrixXd qk = formed(*factors->product(ProductKind::kQk, head));
      const MatrixXd self = formed(*LayerFactors::read(*spec_, 1, {})->product(ProductKind::kQk, head));
      const MatrixXd weights = pass->layers[1].attention[head];
      for (Index query = offset; query < x.rows(); ++query) {
        const double score = x.row(query) * qk * x.row(query - offset).transpose();
        const double own = x.row(query) * self * x.row(query).transpose();
        EXPECT_NEAR(score - own, std::log(weights(query, query - offset) / weights(query, query)), 1e-9);
      }
    }
  }
}

TEST_F(HeadProductsOf, AModelDependOnTheOffsetInQkOnly) {
  ASSERT_TRUE(spec_);
  const std::vector<ProductKind> both = {ProductKind::kQk, ProductKind::kOv};
  const auto here = headProducts(*spec_, both), there = headProducts(*spec_, both, {.offset = 3});
  ASSERT_TRUE(here && there);
  ASSERT_EQ(here->products.size(), 24u);
  for (std::size_t i = 0; i < 24; ++i) {
    const bool same = here->products[i].spectrum.sigma == there->products[i].spectrum.sigma;
    EXPECT_EQ(same, here->products[i].kind == ProductKind::kOv) << i;
  }
}

TEST_F(HeadProductsOf, AModelSayWhatWasComputed) {
  ASSERT_TRUE(spec_);
  const std::vector<ProductKind> kinds = *parseProductKinds("ov,qk,ov");
  ASSERT_EQ(kinds.size(), 2u);
  const auto all = headProducts(*spec_, kinds, {.offset = 2});
  ASSERT_TRUE(all);
  const auto ov = toJson(all->products[5], *spec_, {.offset = 2});
  EXPECT_EQ(ov["name"], "ov.0.5");
  EXPECT_EQ(ov["kv_head"], 1);
  EXPECT_EQ(ov["shape"], (nlohmann::json{48, 48}));
  EXPECT_EQ(ov["sigma"].size(), 8u);
  EXPECT_GT(ov["nuclear"], ov["frobenius"]);
  EXPECT_FALSE(ov.contains("offset"));
  const auto qk = toJson(all->products[6], *spec_, {.offset = 2});
  EXPECT_EQ(qk["name"], "qk.0.0");
  EXPECT_EQ(qk["offset"], 2);
  EXPECT_EQ(parseProductKinds("qk,kv").error().code, ErrorCode::kInvalidArgument);
}

// Norms of queries and keys, and a latent's: OV stays.
TEST_F(HeadProductsOf, AModelWithNormedQueriesAreOvOnly) {
  ASSERT_TRUE(spec_);
  std::get<AttentionSpec>(spec_->blocks[0].mixers[0]).query_norm = Norm{};
  const auto all = headProducts(*spec_, std::vector{ProductKind::kQk, ProductKind::kOv});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->products.size(), 18u);
  ASSERT_EQ(all->left_out.size(), 1u);
  EXPECT_THAT(all->left_out[0], HasSubstr("layer 0: no qk: it norms queries"));
  for (BlockSpec& block : spec_->blocks) block.mixers.clear();
  const auto none = headProducts(*spec_, std::vector{ProductKind::kQk});
  ASSERT_TRUE(none);
  EXPECT_THAT(none->left_out, testing::ElementsAre(HasSubstr("no layer has attention")));
}

TEST(HeadProductsOfALatent, AreOvThroughTheLatent) {
  const test::LatentSizes sizes;
  const auto spec = test::latentModel(sizes);
  ASSERT_TRUE(spec) << spec.error().describe();
  const auto factors = LayerFactors::read(*spec, 0, {});
  ASSERT_TRUE(factors) << factors.error().describe();
  const AttentionSpec& attention = *spec->blocks[0].attention();
  const LatentSpec& latent = *attention.latent;
  const auto product = factors->product(ProductKind::kOv, 1);
  ASSERT_TRUE(product) << product.error().describe();
  const MatrixXd output = *expandLinear(attention.output), up = *expandLinear(latent.value_up);
  const MatrixXd gain = expandBase(latent.norm.weight)->col(0).asDiagonal();
  const MatrixXd in = expandBase(spec->blocks[0].mixer_norm->weight)->col(0).asDiagonal();
  const Index width = latent.value_dim;
  EXPECT_LE(worst(formed(*product) -
                  test::product(test::product(output.middleCols(width, width), up.middleRows(width, width)),
                                test::product(test::product(gain, *expandLinear(latent.down)), in))),
            1e-12);
  EXPECT_THAT(factors->product(ProductKind::kQk, 0).error().message, HasSubstr("normed latents"));
}

}  // namespace
}  // namespace vitrine::core::head_products_test
