// Whole passes of latent attention on the device, which absorbs what makes keys and values of a latent,
// against the reference, which makes them: logits and attention, at once, in chunks and token by token.
#include <gtest/gtest.h>

#include <random>

#include "core/engine/attention_views.h"
#include "core/engine/session.h"
#include "core/reference/reference.h"
#include "support/gpu_fixture.h"
#include "support/latent_gguf.h"
#include "support/latent_model.h"
#include "support/numeric.h"

namespace vitrine::core::latent_attention_test {
namespace {

constexpr double kTolerance = 2e-5;  // relative, float32 weights and cache against double precision

class LatentAttentionTest : public test::GpuTest {
 protected:
  void expectReference(const ModelSpec& spec, std::uint32_t tokens = 37) {
    auto model = test::expectValue(Model::load(device(), spec));
    std::mt19937 random(3);
    std::vector<TokenId> ids(tokens);
    for (TokenId& id : ids) id = static_cast<TokenId>(random() % spec.vocab_size);
    const auto pass = test::expectValue(referenceForward(spec, ids));
    for (std::uint32_t chunk : {128, 7, 1}) {
      SCOPED_TRACE(fmt::format("chunks of {}", chunk));
      auto session = test::expectValue(
          Session::create(model, {.context = 128, .cache = CacheType::kF32, .probes = true}));
      session->setPrefillChunk(chunk);
      Capture capture{.hidden = false, .logits = true, .hidden_states = {}, .logit_rows = {}};
      test::expectOk(session->prefill(ids, {}, {}, &capture));
      EXPECT_CLOSE(capture.logit_rows, numbers(pass.logits), kTolerance);
      expectMaps(*session, pass);
    }
  }

  void expectMaps(const Session& session, const ReferencePass& pass) {
    auto views = test::expectValue(AttentionViews::create(device()));
    for (std::uint32_t layer = 0; layer < pass.layers.size(); ++layer)
      for (std::uint32_t head = 0; head < pass.layers[layer].attention.size(); ++head) {
        SCOPED_TRACE(fmt::format("layer {} head {}", layer, head));
        std::vector<float> map = test::expectValue(views->matrix(session, layer, head));
        for (float& p : map) p = std::max(p, 0.0f);
        EXPECT_CLOSE(map, numbers(pass.layers[layer].attention[head]), kTolerance);
      }
  }

  static std::span<const double> numbers(const ReferenceMatrix& matrix) {
    return {matrix.data(), static_cast<std::size_t>(matrix.size())};
  }
};

TEST_F(LatentAttentionTest, EveryDimensionItsOwn) {
  expectReference(test::expectValue(test::latentModel({})));
  expectReference(test::expectValue(test::latentModel({.query_rank = 0})));
  expectReference(test::expectValue(test::latentModel({.bias = true})));
}

// Enough for the matrix units of a GPU.
TEST_F(LatentAttentionTest, ManyTokens) {
  expectReference(test::expectValue(test::latentModel({})), 101);
}

TEST_F(LatentAttentionTest, HalvesOfTheRotaryPart) {
  expectReference(test::expectValue(test::latentModel({}, {{"rope_interleave", false}})));
}

TEST_F(LatentAttentionTest, YarnScalesAllOfTheScore) {
  const nlohmann::json rope = {{"rope_type", "yarn"}, {"rope_theta", 10000.0},
                               {"factor", 40.0},      {"original_max_position_embeddings", 16},
                               {"mscale", 0.707},     {"mscale_all_dim", 0.707}};
  expectReference(test::expectValue(test::latentModel({}, {{"rope_parameters", rope}})));
}

// 512 + 64 dimensions a token for heads of 128 + 64 and 128, as in all of DeepSeek's models; 16 heads in
// V2-Lite.
TEST_F(LatentAttentionTest, AsLargeAsDeepseek) {
  expectReference(test::expectValue(test::latentModel({.layers = 1,
                                                       .width = 64,
                                                       .heads = 16,
                                                       .rank = 512,
                                                       .query_rank = 0,
                                                       .plain = 128,
                                                       .rotary = 64,
                                                       .value = 128,
                                                       .spread = 0.08f})),
                  19);
}

TEST_F(LatentAttentionTest, QuantizedInOneTensorOrTwo) {
  const test::LatentSizes sizes{.rank = 32, .plain = 32, .value = 32};
  for (const auto stored : {test::KeyValueUp::kOneTensor, test::KeyValueUp::kTwoTensors}) {
    const test::ScratchFolder folder;
    test::writeRandomCheckpoint(folder.path(), test::latentConfig(sizes), test::latentTensors(sizes), 0.2f,
                                5);
    const auto hf = test::expectValue(Checkpoint::open(folder.path()));
    test::writeFile(folder / "m.gguf", test::LatentGguf(*hf, stored, DType::kQ8_0).build());
    auto checkpoint = test::expectValue(Checkpoint::open(folder / "m.gguf"));
    expectReference(test::expectValue(readModelSpec(checkpoint)));
  }
}

// One row of rotary key and latent, whatever the number of heads.
TEST_F(LatentAttentionTest, TheCacheHoldsTheLatent) {
  const auto spec = test::expectValue(test::latentModel({}));
  const SessionOptions options{.context = 64, .cache = CacheType::kF16};
  EXPECT_EQ(sessionMemory(spec, options).token, 2 * (12 + 24) * 2u);
  EXPECT_EQ(sessionMemory(spec, options).cache, 64 * sessionMemory(spec, options).token);
  auto session = test::expectValue(Session::create(test::expectValue(Model::load(device(), spec)), options));
  EXPECT_EQ(session->record(1).k.bytes, 64 * (12 + 24) * 2u);
  EXPECT_FALSE(session->record(1).v);
}

TEST_F(LatentAttentionTest, RefusesDimensionsThatKernelsCannotRead) {
  for (const test::LatentSizes& sizes :
       {test::LatentSizes{.rank = 20}, test::LatentSizes{.plain = 12}, test::LatentSizes{.rotary = 6}}) {
    auto spec = test::expectValue(test::latentModel(sizes));
    const auto refused = Model::load(device(), spec);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported) << refused.error().describe();
  }
}

}  // namespace
}  // namespace vitrine::core::latent_attention_test
