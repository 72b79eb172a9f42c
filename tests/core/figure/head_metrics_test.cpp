#include "core/figure/head_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vitrine::core {
namespace {

constexpr float kM = -1;  // masked

TEST(HeadMetrics, HandComputedHead) {
  // Tokens A B A: the third attends to what followed the first A.
  std::vector<float> p = {1, kM, kM, 0.5f, 0.5f, kM, 0.25f, 0.5f, 0.25f};
  AttentionMatrix head = {3, p};
  std::vector<std::int64_t> ids = {5, 6, 5};
  HeadMetrics m = measureHead(head, ids);
  EXPECT_NEAR(m.entropy, (0 + 1 + 1.5) / 3, 1e-9);
  EXPECT_NEAR(m.first_mass, (1 + 0.5 + 0.25) / 3, 1e-9);
  EXPECT_NEAR(m.local_mass, 1, 1e-9);
  EXPECT_NEAR(m.previous, (0 + 0.5 + 0.5) / 3, 1e-9);
  EXPECT_NEAR(m.induction, 0.5, 1e-9);
  std::vector<float> received = meanReceived(head);
  EXPECT_NEAR(received[0], 1.75 / 3, 1e-6);
  EXPECT_NEAR(received[1], 0.5, 1e-6);
  EXPECT_NEAR(received[2], 0.25, 1e-6);
}

TEST(HeadMetrics, LocalMassIsTheLastEightKeys) {
  constexpr std::size_t kTokens = 12;
  std::vector<float> p(kTokens * kTokens, kM);
  for (std::size_t q = 0; q < kTokens; ++q)
    for (std::size_t k = 0; k <= q; ++k) p[q * kTokens + k] = 1.0f / static_cast<float>(q + 1);
  double expected = 0;
  for (std::size_t q = 0; q < kTokens; ++q)
    expected += std::min(1.0, 8.0 / static_cast<double>(q + 1)) / kTokens;
  EXPECT_NEAR(measureHead({kTokens, p}, {}).local_mass, expected, 1e-6);
  EXPECT_NEAR(rowEntropies({kTokens, p})[7], 3, 1e-6);
}

TEST(HeadMetrics, WhatIsNotDefinedIsNan) {
  std::vector<float> p = {1, kM, 0.5f, 0.5f};
  EXPECT_TRUE(std::isnan(measureHead({2, p}, std::vector<std::int64_t>{1, 2}).induction));  // nothing repeats
  EXPECT_TRUE(
      std::isnan(measureHead({2, p}, std::vector<std::int64_t>{1, 1}).induction));  // it would be itself
  EXPECT_TRUE(std::isnan(measureHead({2, p}, {}).induction));
  EXPECT_TRUE(std::isnan(measureHead({0, {}}, {}).entropy));
  std::vector<float> unseen = {kM, kM, kM, 1};
  EXPECT_TRUE(std::isnan(meanReceived({2, unseen})[0]));
  EXPECT_TRUE(std::isnan(rowEntropies({2, unseen})[0]));
}

TEST(HeadMetrics, NamesFindTheirMetric) {
  for (HeadMetric metric : headMetrics()) EXPECT_EQ(findHeadMetric(headMetricName(metric)).value(), metric);
  EXPECT_FALSE(findHeadMetric("depth"));
}

}  // namespace
}  // namespace vitrine::core
