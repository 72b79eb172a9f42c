// Maps that recurrent mixers imply: the linear form is what the mixers compute, and the map its weights'
// sizes.
#include "core/reference/implied_map.h"

#include <gtest/gtest.h>

#include <random>

#include "support/golden.h"
#include "support/numeric.h"
#include "support/shared_files.h"

namespace vitrine::core::implied_map_test {
namespace {

std::vector<double> valuesOf(const ReferenceMatrix& matrix) {
  return {matrix.data(), matrix.data() + matrix.size()};
}

class ImpliedMap : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + GetParam());
    const auto checkpoint = Checkpoint::open(folder);
    ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
    const auto spec = readModelSpec(*checkpoint);
    ASSERT_TRUE(spec) << spec.error().describe();
    std::mt19937 random(11);
    std::vector<std::int32_t> ids(70);
    for (std::int32_t& id : ids) id = static_cast<std::int32_t>(random() % spec->vocab_size);
    auto pass = referenceForward(*spec, ids, 1);
    ASSERT_TRUE(pass) << pass.error().describe();
    for (ReferenceLayer& layer : pass->layers)
      if (layer.linear.heads > 0) forms_.push_back(std::move(layer.linear));
    ASSERT_FALSE(forms_.empty());
  }

  std::vector<ReferenceLinearForm> forms_;
};

TEST_P(ImpliedMap, ItsSignedWeightsGiveTheScansOutputs) {
  for (const ReferenceLinearForm& form : forms_)
    for (std::uint32_t head = 0; head < form.heads; ++head) {
      SCOPED_TRACE(fmt::format("head {}", head));
      const Eigen::Index width = form.values.cols() / form.heads, first = head * width;
      const ReferenceMatrix found = impliedWeights(form, head) * form.values.middleCols(first, width);
      const ReferenceMatrix scanned = form.outputs.middleCols(first, width);
      EXPECT_CLOSE(valuesOf(found), valuesOf(scanned), 1e-12);
    }
}

TEST_P(ImpliedMap, RowsSumToOneAndNothingLooksAhead) {
  for (const ReferenceLinearForm& form : forms_)
    for (std::uint32_t head = 0; head < form.heads; ++head) {
      const ReferenceMatrix map = impliedMap(form, head);
      EXPECT_GE(map.minCoeff(), 0);
      for (Eigen::Index t = 0; t < map.rows(); ++t) {
        EXPECT_NEAR(map.row(t).sum(), 1, 1e-12);
        EXPECT_EQ(map.row(t).tail(map.cols() - t - 1).sum(), 0);
      }
    }
}

INSTANTIATE_TEST_SUITE_P(Reference, ImpliedMap,
                         testing::Values("mamba2", "bamba", "nemotron-h", "falcon-h1", "minimax", "xlstm"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace vitrine::core::implied_map_test
