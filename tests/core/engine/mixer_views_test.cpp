// Routing and states as views read them, against what a capture and a download of the same session give.
#include "core/engine/mixer_views.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/golden.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/shared_files.h"

namespace vitrine::core::mixer_views_test {
namespace {

class MixerViewsTest : public test::GpuTest {
 protected:
  void open(const std::string& zoo) {
    const auto shared = test::sharedDir();
    if (!shared) GTEST_SKIP() << "no ../shared";
    const auto folder = *shared / "zoo" / zoo;
    const auto checkpoint = test::expectValue(Checkpoint::open(folder));
    model_ = test::expectValue(Model::load(device(), test::expectValue(readModelSpec(checkpoint))));
    ids_ = test::goldenIds(*test::expectValue(Checkpoint::open(folder / "golden.safetensors")));
    session_ =
        test::expectValue(Session::create(model_, {.context = 64, .cache = CacheType::kF32, .probes = true}));
    views_ = test::expectValue(MixerViews::create(device()));
  }

  std::shared_ptr<const Model> model_;
  std::vector<std::int32_t> ids_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<MixerViews> views_;
};

TEST_F(MixerViewsTest, ShowEveryTokensExperts) {
  open("qwen3-moe");
  if (!model_) return;
  session_->setPrefillChunk(5);
  Capture capture{.hidden_states = {}, .logit_rows = {}, .router = true};
  test::expectOk(session_->prefill(ids_, {}, {}, &capture));
  const auto picture = test::expectValue(views_->routing(*session_));
  EXPECT_EQ(picture.tokens, ids_.size());
  ASSERT_EQ(picture.layers.size(), capture.routers.size());
  for (std::size_t i = 0; i < picture.layers.size(); ++i) {
    const LayerRouting& layer = picture.layers[i];
    const RouterCapture& expected = capture.routers[i];
    EXPECT_EQ(layer.layer, expected.layer);
    EXPECT_EQ(layer.experts, expected.experts);
    EXPECT_EQ(layer.chosen, std::vector<std::uint32_t>(expected.chosen.begin(), expected.chosen.end()));
    EXPECT_EQ(layer.weights, expected.weights);
  }
}

// A decode step is recorded once; where its choices go follows the position.
TEST_F(MixerViewsTest, FollowDecodedTokens) {
  open("qwen3-moe");
  if (!model_) return;
  test::expectOk(session_->prefill(ids_));
  ASSERT_TRUE(session_->decode(6, {}, {}, {}));
  const std::vector<TokenId> all(session_->tokens().begin(), session_->tokens().end());
  const auto decoded = test::expectValue(views_->routing(*session_));
  ASSERT_EQ(decoded.tokens, all.size());
  test::expectOk(session_->truncate(0));
  test::expectOk(session_->prefill(all));
  const auto read = test::expectValue(views_->routing(*session_));
  for (std::size_t i = 0; i < read.layers.size(); ++i) {
    EXPECT_EQ(decoded.layers[i].chosen, read.layers[i].chosen);
    EXPECT_CLOSE(decoded.layers[i].weights, read.layers[i].weights, 1e-4);
  }
}

TEST_F(MixerViewsTest, GiveTheNormOfEachHeadsState) {
  for (const char* zoo : {"mamba2", "mamba", "recurrent-gemma", "bamba"}) {
    SCOPED_TRACE(zoo);
    open(zoo);
    if (!model_) return;
    test::expectOk(session_->prefill(ids_));
    const auto picture = test::expectValue(views_->states(*session_));
    ASSERT_FALSE(picture.layers.empty());
    for (const LayerState& layer : picture.layers) {
      const StateRecord state = *session_->state(layer.layer);
      std::vector<float> values(state.values.bytes / sizeof(float));
      test::expectOk(gpu::download(device(), state.values, std::as_writable_bytes(std::span(values))));
      const std::size_t heads = state.shape.size() == 3 ? state.shape[0] : 1, each = values.size() / heads;
      std::vector<double> expected;
      for (std::size_t head = 0; head < heads; ++head) {
        double sum = 0;
        for (std::size_t j = 0; j < each; ++j) sum += std::pow(double{values[head * each + j]}, 2);
        expected.push_back(std::sqrt(sum));
      }
      EXPECT_EQ(layer.shape, state.shape);
      EXPECT_CLOSE(layer.norms, expected, 1e-5);
    }
  }
}

TEST_F(MixerViewsTest, HaveNothingOfAPlainModel) {
  open("llama");
  if (!model_) return;
  test::expectOk(session_->prefill(ids_));
  EXPECT_TRUE(test::expectValue(views_->routing(*session_)).layers.empty());
  EXPECT_TRUE(test::expectValue(views_->states(*session_)).layers.empty());
}

}  // namespace
}  // namespace vitrine::core::mixer_views_test
