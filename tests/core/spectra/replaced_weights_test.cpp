// Replaced weights are what was put in, where it was put, and run as the model that they describe.
#include "core/spectra/replaced_weights.h"

#include <gtest/gtest.h>

#include "core/adapter/attach_adapter.h"
#include "core/engine/session.h"
#include "core/model/linears.h"
#include "core/spectra/head_lock.h"
#include "core/spectra/linear_matrix.h"
#include "core/spectra/spectrum_matrices.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/random_adapter.h"
#include "support/small_model.h"

namespace vitrine::core::replaced_weights_test {
namespace {

using Eigen::MatrixXd;
using test::expectOk;
using test::expectValue;

MatrixXd gaussianMatrix(std::uint64_t rows, std::uint64_t columns, std::uint32_t seed) {
  return toDouble(test::gaussian(rows, columns, seed));
}

TEST(ReplacedWeights, AreWhereTheyWerePut) {
  const ModelSpec spec = expectValue(test::smallModel());
  const TensorEntry* tensor = spec.checkpoint->find("model.layers.0.mlp.down_proj.weight");  // (48, 40)
  ASSERT_NE(tensor, nullptr);
  const WeightRef places[] = {
      {.tensor = tensor, .rows = 48, .columns = 40},
      {.tensor = tensor, .first_row = 5, .rows = 7, .columns = 40},
      {.tensor = tensor, .first_row = 2, .rows = 12, .columns = 40, .run = 3, .stride = 9},
      {.tensor = tensor, .rows = 40, .columns = 48, .transposed = true},
      {.tensor = tensor,
       .rows = 6,
       .columns = 48,
       .run = 2,
       .stride = 8,
       .transposed = true,
       .first_column = 4},
  };
  const MatrixXd before = expectValue(expandBase(places[0]));
  for (const WeightRef& place : places) {
    const MatrixXd values = gaussianMatrix(place.rows, place.columns, 3);
    ReplacedWeights weights(spec.checkpoint);
    expectOk(weights.set(place, values));
    const ModelSpec changed = expectValue(weights.spec());
    const auto in_changed = [&](WeightRef at) {
      at.tensor = changed.checkpoint->find(tensor->name);
      return expectValue(expandBase(at));
    };
    EXPECT_EQ(in_changed(place), values);
    const auto replaced = (in_changed(places[0]).array() != before.array()).count();
    EXPECT_EQ(std::uint64_t(replaced), place.rows * place.columns);
    EXPECT_EQ(expectValue(expandBase(places[0])), before);
  }
}

TEST(ReplacedWeights, BlendEveryTensor) {
  const ModelSpec a = expectValue(test::smallModel({}, 1)), b = expectValue(test::smallModel({}, 2));
  for (const double share : {0.0, 0.25, 1.0}) {
    ReplacedWeights weights(a.checkpoint);
    expectOk(weights.blend(*b.checkpoint, share));
    const ModelSpec mean = expectValue(weights.spec());
    for (const TensorEntry& tensor : mean.checkpoint->tensors()) {
      const auto x = test::valuesOf(*a.checkpoint->find(tensor.name)),
                 y = test::valuesOf(*b.checkpoint->find(tensor.name)), found = test::valuesOf(tensor);
      for (std::size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(found[i], float((1 - share) * double{x[i]} + share * double{y[i]})) << tensor.name;
    }
  }
  ReplacedWeights weights(a.checkpoint);
  const auto refused = weights.blend(*expectValue(test::smallModel({.layers = 1})).checkpoint, 0.5);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().describe().find("model.layers.1."), std::string::npos);
}

TEST(ReplacedWeights, AreOfTheTensorsSize) {
  const ModelSpec spec = expectValue(test::smallModel());
  const auto few = std::make_shared<const std::vector<float>>(3);
  const std::string name = "model.norm.weight";
  EXPECT_EQ(Checkpoint::withTensors(*spec.checkpoint, std::vector<ReplacedTensor>{{name, few}}).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(Checkpoint::withTensors(*spec.checkpoint, std::vector<ReplacedTensor>{{"no", few}}).error().code,
            ErrorCode::kNotFound);
}

class ReplacedWeightsRun : public test::GpuTest {
 protected:
  std::vector<float> logitsOf(ModelSpec spec) {
    const auto model = expectValue(Model::load(device(), std::move(spec)));
    const auto session = expectValue(Session::create(model, {.context = 32, .cache = CacheType::kF32}));
    Capture capture{.logits = true};
    expectOk(session->prefill(std::vector<TokenId>{3, 1, 4, 1, 5, 9, 2, 6, 5, 35, 8, 57}, {}, {}, &capture));
    return capture.logit_rows;
  }
};

TEST_F(ReplacedWeightsRun, UnchangedTheyGiveTheSameBits) {
  ModelSpec spec = expectValue(test::smallModel());
  ReplacedWeights weights(spec.checkpoint);
  forEachLinear(spec, [&](Linear& linear) {
    expectOk(weights.set(linear.weight, expectValue(expandBase(linear.weight))));
  });
  EXPECT_EQ(logitsOf(expectValue(weights.spec())), logitsOf(spec));
}

TEST_F(ReplacedWeightsRun, HoldAdapters) {
  ModelSpec spec = expectValue(test::smallModel());
  const test::ScratchFolder scratch;
  test::writeRandomAdapter(scratch / "noise", *spec.checkpoint, {.targets = {"q_proj", "down_proj"}});
  expectOk(attachAdapter(spec, {scratch / "noise", 0.7f}));
  const auto weights = expectValue(ReplacedWeights::of(spec));
  ModelSpec merged = expectValue(weights.spec());
  EXPECT_TRUE(merged.adapters.empty());
  EXPECT_CLOSE(logitsOf(std::move(merged)), logitsOf(spec), 1e-5);
}

// Biases of queries, keys and values turn with the rows that they are added to.
TEST_F(ReplacedWeightsRun, LockedHeadsKeepTheLogits) {
  auto config = test::smallConfig({});
  config["attention_bias"] = true;
  auto tensors = test::smallTensors({});
  for (const char* layer : {"0", "1"})
    for (const auto& [part, rows] : {std::pair{"q", 48}, {"k", 16}, {"v", 16}, {"o", 48}})
      tensors.push_back(
          {fmt::format("model.layers.{}.self_attn.{}_proj.bias", layer, part), {std::uint64_t(rows)}});
  const ModelSpec spec = expectValue(test::randomSpec(config, tensors, 0.25f, 1));
  ReplacedWeights locked(spec.checkpoint), kept(spec.checkpoint);
  std::mt19937_64 random(5);
  for (const BlockSpec& block : spec.blocks) {
    ASSERT_TRUE(block.attention()->query.bias);
    expectOk(setLocked(*block.attention(), {}, kept));
    expectOk(setLocked(*block.attention(), randomLocks(*block.attention(), 0.5, random), locked));
  }
  const std::vector<float> original = logitsOf(spec);
  EXPECT_EQ(logitsOf(expectValue(kept.spec())), original);
  const std::vector<float> after = logitsOf(expectValue(locked.spec()));
  EXPECT_NE(after, original);
  EXPECT_CLOSE(after, original, 1e-5);
}

}  // namespace
}  // namespace vitrine::core::replaced_weights_test
