#include "ui/window/notable_head.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vitrine::ui {
namespace {

core::Snapshot withHeads(std::vector<core::HeadSummary> heads) {
  core::Snapshot snapshot;
  auto model = std::make_shared<core::ModelSummary>();
  model->heads = 2;
  snapshot.model = model;
  snapshot.heads = std::make_shared<const std::vector<core::HeadSummary>>(std::move(heads));
  return snapshot;
}

core::HeadSummary head(float previous, float induction) {
  return {.entropy = 1, .first_mass = 0, .local_mass = 0, .previous = previous, .induction = induction};
}

TEST(NotableHead, PrefersInductionThenThePreviousToken) {
  const float none = std::nanf("");
  EXPECT_EQ(notableHead(withHeads({head(0.9f, 0.1f), head(0.1f, 0.2f), head(0, 0.6f), head(0, 0.3f)})),
            (Head{1, 0}));
  EXPECT_EQ(notableHead(withHeads({head(0.2f, none), head(0.7f, none), head(0.3f, none), head(0, none)})),
            (Head{0, 1}));
  EXPECT_EQ(notableHead(withHeads({head(0.9f, none), head(0.1f, 0.0f)})), (Head{0, 1}));
  EXPECT_FALSE(notableHead({}).has_value());
  // Layers without attention have no numbers, wherever they stand.
  EXPECT_EQ(notableHead(withHeads({head(none, none), head(none, none), head(0.1f, none), head(0.4f, none),
                                   head(none, none), head(none, none)})),
            (Head{1, 1}));
  EXPECT_FALSE(notableHead(withHeads({head(none, none), head(none, none)})).has_value());
}

}  // namespace
}  // namespace vitrine::ui
