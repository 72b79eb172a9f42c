// Changes that were put into known modules are reported there, with their exact sizes.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/methods/analysis_fixtures.h"

namespace vitrine::test::unipano_test {
namespace {

using core::methods::AnalysisResult;

AnalysisResult resultFor(const std::map<std::string, double>& scales) {
  const auto method = core::methods::findAnalysis("unipano");
  VITRINE_ASSERT(method.has_value());
  AnalysisInput input{.model = "base", .parameters = Parameters((*method)->parameters)};
  FineTune tune{"tuned", {}};
  for (int layer = 0; layer < 2; ++layer)
    for (const auto& [name, scale] : scales) {
      const Columns base = core::toDouble(gaussian(name.find("k_proj") == std::string::npos ? 16 : 8, 16, 3));
      tune.pairs.push_back(
          namedPair("model.layers." + std::to_string(layer) + ".self_attn." + name + ".weight", base,
                    (1 + scale) * base));
    }
  input.tunes = {std::move(tune)};
  auto result = core::methods::runAnalysis(**method, input);
  VITRINE_ASSERT(result.has_value());
  return std::move(*result);
}

double cellOf(const AnalysisResult& result, const std::string& modules, std::size_t column) {
  for (const auto& row : result.tables[0].rows)
    if (std::get<std::string>(row[1]) == modules) return std::get<double>(row[column]);
  ADD_FAILURE() << modules;
  return 0;
}

TEST(Unipano, FindsTheModulesThatChanged) {
  const AnalysisResult result = resultFor({{"q_proj", 0}, {"k_proj", 0}, {"v_proj", 0.3}, {"o_proj", 0.1}});
  EXPECT_NEAR(cellOf(result, "V", 2), 0.3, 1e-12);
  EXPECT_NEAR(cellOf(result, "O", 2), 0.1, 1e-12);
  EXPECT_NEAR(cellOf(result, "V", 3), 0.3, 1e-12);  // all singular values alike
  EXPECT_NEAR(cellOf(result, "V, O", 5), 1, 1e-12);
  EXPECT_EQ(cellOf(result, "Q, K", 5), 0);
  EXPECT_NEAR(cellOf(result, "V", 5), 0.9, 1e-12);
  EXPECT_NEAR(cellOf(result, "K", 6), 8.0 / 56, 1e-12);
}

TEST(Unipano, TakesGgufNamesAndFusedProjections) {
  const AnalysisResult gguf =
      resultFor({{"attn_q", 0.2}, {"attn_k", 0.1}, {"attn_v", 0.1}, {"attn_output", 0.2}, {"attn_qkv", 1}});
  EXPECT_NEAR(cellOf(gguf, "Q", 2), 0.2, 1e-12);
  EXPECT_NEAR(cellOf(gguf, "other", 2), 1, 1e-12);
  EXPECT_TRUE(std::isnan(cellOf(gguf, "other", 5)));
  const AnalysisResult fused = resultFor({{"c_attn", 0.5}});
  EXPECT_EQ(fused.tables[0].rows.size(), 1u);
  EXPECT_NE(fused.notes.front().find("say nothing"), std::string::npos);
}

}  // namespace
}  // namespace vitrine::test::unipano_test
