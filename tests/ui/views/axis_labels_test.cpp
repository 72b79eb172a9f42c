#include "ui/views/axis_labels.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vitrine::ui {
namespace {

AxisRequest axisOf(double cell, std::uint32_t count) {
  return {.first_at = 20 + cell / 2,
          .cell = cell,
          .from = 20,
          .to = 620,
          .count = count,
          .spacing = 10,
          .marked = {}};
}

TEST(LabelStep, IsTheSmallestNiceNumber) {
  EXPECT_EQ(labelStep(10, 10), 1u);
  EXPECT_EQ(labelStep(9.9, 10), 2u);
  EXPECT_EQ(labelStep(1.9, 10), 10u);
  EXPECT_EQ(labelStep(0.04, 10), 500u);
}

TEST(AxisLabels, EveryTokenWhereThereIsRoom) {
  const auto labels = axisLabels(axisOf(12, 30));
  ASSERT_EQ(labels.size(), 30u);
  EXPECT_EQ(labels[29].index, 29u);
  EXPECT_DOUBLE_EQ(labels[29].at, 26 + 29 * 12);
}

TEST(AxisLabels, NeverOverlapNorLeaveTheAxis) {
  for (double cell : {0.03, 0.4, 1.0, 3.3, 9.58, 25.0, 120.0})
    for (double shift : {0.0, -3.7, -1234.5}) {
      for (std::uint32_t marked : {0u, 3u, 77u, 5000u}) {
        AxisRequest request = axisOf(cell, 6000);
        request.first_at += shift;
        request.marked = marked;
        const auto labels = axisLabels(request);
        EXPECT_EQ(labels.empty(), request.first_at + 6000 * cell < request.from);
        for (std::size_t i = 0; i < labels.size(); ++i) {
          EXPECT_GE(labels[i].at, request.from);
          EXPECT_LE(labels[i].at, request.to);
          EXPECT_GE(labels[i].at - (i > 0 ? labels[i - 1].at : -1e9), request.spacing - 1e-9) << cell;
        }
      }
    }
}

TEST(AxisLabels, TheMarkedTokenIsAlwaysThereOnce) {
  AxisRequest request = axisOf(2, 200);
  for (std::uint32_t marked : {0u, 4u, 5u, 99u, 199u}) {
    request.marked = marked;
    int found = 0;
    for (const AxisLabel& label : axisLabels(request)) {
      if (label.index == marked) {
        ++found;
        EXPECT_TRUE(label.marked);
      }
    }
    EXPECT_EQ(found, 1) << marked;
  }
}

TEST(AxisLabels, NothingToLabel) {
  EXPECT_TRUE(axisLabels(axisOf(12, 0)).empty());
  AxisRequest request = axisOf(12, 10);
  request.to = request.from;
  EXPECT_TRUE(axisLabels(request).empty());
}

}  // namespace
}  // namespace vitrine::ui
