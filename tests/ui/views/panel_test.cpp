#include "ui/views/panel.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vitrine::ui {
namespace {

TEST(Number, HasThreeOrFourSignificantDigits) {
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(1), "1.000");
  EXPECT_EQ(number(0.59449), "0.594");
  EXPECT_EQ(number(0.05), "0.0500");
  EXPECT_EQ(number(0.00126), "0.00126");
  EXPECT_EQ(number(3.214e-5), "3.21e-5");
  EXPECT_EQ(number(-4.8149), "-4.815");
  EXPECT_EQ(number(12.34), "12.3");
  EXPECT_EQ(number(NAN), "–");
}

TEST(HeadName, NamesTheKeyValueHeadWhereSeveralShareOne) {
  core::ModelSummary model;
  model.layer_kinds.assign(18, {.mixer = "attention", .heads = 9, .kv_heads = 3});
  EXPECT_EQ(headName(model, {17, 5}), "Layer 17 · Head 5 (kv 1)");
  model.layer_kinds[17].kv_heads = 9;
  EXPECT_EQ(headName(model, {17, 5}), "Layer 17 · Head 5");
}

}  // namespace
}  // namespace vitrine::ui
