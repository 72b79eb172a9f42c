// The kernels under an implied map, with decays whose sum passes -1e5 while neighbours differ by thousandths:
// of one float's running sum nothing would be left.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/engine/kernels.h"
#include "engine/state.params.h"
#include "mixers/implied_mass.params.h"
#include "mixers/implied_terms.params.h"
#include "support/gpu_fixture.h"

namespace vitrine::core::implied_sums_test {
namespace {

constexpr std::uint32_t kHeads = 3, kTokens = 1000, kContext = 1024, kSteep = 110, kWidth = 4;
constexpr std::uint32_t kFirstBatch = 333;

class ImpliedSumsTest : public test::GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    std::mt19937 random(3);
    std::uniform_real_distribution<float> gate(5, 7), gain(-2, 2);
    for (std::uint32_t i = 0; i < kTokens * kHeads; ++i) {
      keep_.push_back(i < kSteep * kHeads ? -1000 : gate(random));  // log sigmoid: -1000, then about -0.003
      write_.push_back(gain(random));
    }
    terms_ = bufferOf(std::vector<float>(3 * kHeads * kContext));
    ones_ =
        bufferOf(std::vector<float>(kContext * kHeads * kWidth, 1.0f));  // q and k: each product is kWidth
    summary_ = bufferOf(std::vector<float>(2 * kHeads * kContext));
    lse_ = bufferOf(std::vector<float>(kHeads * kContext));
  }

  void run(const gpu::Kernel& kernel, gpu::Groups groups, const auto& params,
           const std::vector<gpu::Bound>& bound = {}) {
    auto commands = test::expectValue(gpu::Commands::create(device(), "implied"));
    test::expectOk(commands.begin());
    commands.dispatch(kernel, groups, params, {.reads = {}, .writes = {terms_, summary_, lse_}}, bound);
    commands.hostBarrier();
    test::expectOk(commands.end());
    test::expectOk(commands.submitAndWait());
  }

  void addTerms(std::uint32_t first, std::uint32_t count) {
    constexpr std::uint32_t kGates = 2;
    const gpu::Buffer state = bufferOf(std::vector<std::uint32_t>{first, first + count});
    const gpu::Buffer write =
        bufferOf(std::span<const float>(write_).subspan(first * kHeads, count * kHeads));
    const gpu::Buffer keep = bufferOf(std::span<const float>(keep_).subspan(first * kHeads, count * kHeads));
    run(*test::expectValue(kernels_.get("mixers/implied_terms", 1, {{0, kGates}})),
        {gpu::divideUp(kHeads, kernels_.lanes())},
        shader::ImpliedTermsParams{.state = state.address(),
                                   .terms = terms_.address(),
                                   .write = write.address(),
                                   .keep = keep.address(),
                                   .decay = 0,
                                   .bias = 0,
                                   .tokens = count,
                                   .heads = kHeads,
                                   .context = kContext,
                                   .write_stride = kHeads,
                                   .keep_stride = kHeads,
                                   .scale = 1,
                                   .least = 0,
                                   .most = 0});
  }

  // Of the rows from `first` on; `subgroups` share the keys.
  void addMass(std::uint32_t first, std::uint32_t count, std::uint32_t queries, std::uint32_t subgroups) {
    const gpu::Buffer state = bufferOf(std::vector<std::uint32_t>{first, first + count});
    std::vector<gpu::Bound> bound;
    if (kernels_.texel())
      bound.assign(2, test::expectValue(kernels_.view(ones_, VK_FORMAT_R32G32B32A32_SFLOAT)));
    run(*test::expectValue(kernels_.get("mixers/implied_mass", subgroups,
                                        {{0, kWidth}, {1, 1}, {2, queries}, {3, subgroups}})),
        {kHeads, gpu::divideUp(count, queries)},
        shader::ImpliedMassParams{.state = state.address(),
                                  .q = ones_.address(),
                                  .k = ones_.address(),
                                  .terms = terms_.address(),
                                  .lse = lse_.address(),
                                  .summary = summary_.address(),
                                  .tokens = count,
                                  .heads = kHeads,
                                  .groups = kHeads,
                                  .context = kContext,
                                  .q_stride = kHeads * kWidth,
                                  .q_group = kWidth,
                                  .q_quad = 0,
                                  .scale = 1,
                                  .first = 0},
        bound);
  }

  double logSum(std::uint32_t head, std::uint32_t token) const {
    double sum = 0, decay = 0;  // decay: L(token) - L(key)
    for (std::uint32_t key = token + 1; key-- > 0;) {
      sum += kWidth * std::exp(write_[key * kHeads + head] + decay);
      const double gate = keep_[key * kHeads + head];
      decay += gate < -30 ? gate : -std::log1p(std::exp(-gate));
    }
    return std::log(sum);
  }

  void expectSums(std::uint32_t first) {
    const auto lse = contentOf<float>(lse_);
    for (std::uint32_t head = 0; head < kHeads; ++head)
      for (std::uint32_t token = first; token < kTokens; ++token)
        ASSERT_NEAR(lse[head * kContext + token], logSum(head, token), 1e-5)
            << "head " << head << " token " << token;
  }

  std::vector<float> keep_, write_;  // (tokens, heads)
  gpu::Buffer terms_, ones_, summary_, lse_;
  Kernels kernels_{device()};
};

TEST_F(ImpliedSumsTest, KeepTheDigitsOfLatePositions) {
  addTerms(0, kFirstBatch);
  addTerms(kFirstBatch, kTokens - kFirstBatch);
  const auto terms = contentOf<float>(terms_);
  EXPECT_LT(terms[3 * (kTokens - 1)], -1e5);
  addMass(0, kTokens, 4, 1);
  expectSums(0);
}

TEST_F(ImpliedSumsTest, SubgroupsShareTheKeysOfOneToken) {
  addTerms(0, kTokens);
  for (const std::uint32_t subgroups : {1, 4, 8}) {
    lse_ = bufferOf(std::vector<float>(kHeads * kContext));
    addMass(kTokens - 1, 1, 1, subgroups);
    expectSums(kTokens - 1);
  }
}

}  // namespace
}  // namespace vitrine::core::implied_sums_test
