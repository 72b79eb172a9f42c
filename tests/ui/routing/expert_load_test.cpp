#include "ui/views/routing/expert_load.h"

#include <gtest/gtest.h>

namespace vitrine::ui::routing {
namespace {

core::LayerRouting routing() {
  return {.layer = 3,
          .experts = 4,
          .top_k = 2,
          .chosen = {0, 1, 0, 2, 0, 1, 1, 0},
          .weights = {0.7f, 0.3f, 0.9f, 0.1f, 0.6f, 0.4f, 0.5f, 0.5f}};
}

TEST(ExpertLoad, CountsChoices) {
  const ExpertLoad load = loadOf(routing());
  EXPECT_EQ(load.share, (std::vector{0.5, 0.375, 0.125, 0.0}));
  EXPECT_EQ(load.busiest, 0u);
  EXPECT_DOUBLE_EQ(load.imbalance, 2);
  EXPECT_NEAR(load.entropy, 1.40563906, 1e-8);
  EXPECT_EQ(byLoad(load), (std::vector<std::uint32_t>{0, 1, 2, 3}));
}

TEST(ExpertLoad, IsFlatWhereAllAreUsedAlike) {
  core::LayerRouting layer{.experts = 4, .top_k = 1, .chosen = {3, 1, 0, 2}, .weights = {1, 1, 1, 1}};
  const ExpertLoad load = loadOf(layer);
  EXPECT_DOUBLE_EQ(load.entropy, 2);
  EXPECT_DOUBLE_EQ(load.imbalance, 1);
  layer.chosen.clear();
  EXPECT_EQ(loadOf(layer).entropy, 0);
}

TEST(ExpertLoad, FindsATokensWeight) {
  EXPECT_EQ(weightOf(routing(), 1, 2), 0.1f);
  EXPECT_EQ(weightOf(routing(), 1, 1), std::nullopt);
  EXPECT_EQ(weightOf(routing(), 9, 1), std::nullopt);
}

}  // namespace
}  // namespace vitrine::ui::routing
