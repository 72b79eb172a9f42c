// Recurrent mixers at sizes that no kernel divides evenly, against the reference, however the tokens come.
#include <gtest/gtest.h>

#include <random>

#include "core/engine/recurrent_examples.h"
#include "core/engine/session.h"
#include "core/reference/reference.h"
#include "support/golden.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/shared_files.h"

namespace vitrine::core::recurrent_test {
namespace {

using namespace test_models;

constexpr double kTolerance = 2e-5;  // relative, float32 against double precision

struct Named {
  const char* name;
  Example model;
  Result<ModelSpec> (*read)(const Example& model) = whole;
};

class RecurrentTest : public test::GpuTest, public testing::WithParamInterface<Named> {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    spec_ = test::expectValue(GetParam().read(GetParam().model));
    ASSERT_EQ(spec_.unread_tensors, std::vector<std::string>());
    model_ = test::expectValue(Model::load(device(), spec_));
  }
  std::unique_ptr<Session> session() {
    return test::expectValue(Session::create(model_, {.context = 64, .cache = CacheType::kF32}));
  }
  static std::vector<TokenId> randomIds(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<TokenId> ids(count);
    for (TokenId& id : ids) id = static_cast<TokenId>(random() % kVocabulary);
    return ids;
  }
  void expectReference(Session& session) {
    SCOPED_TRACE(fmt::format("{} tokens", session.length()));
    const auto pass = test::expectValue(referenceForward(spec_, session.tokens(), 1));
    const std::span<const double> logits(pass.logits.data(), static_cast<std::size_t>(pass.logits.size()));
    EXPECT_CLOSE(test::expectValue(session.logits()), logits, kTolerance);
    for (std::uint32_t layer = 0; layer < model_->layers(); ++layer) {
      const auto state = session.state(layer);
      const ReferenceMatrix& wanted = pass.layers[layer].state;
      ASSERT_EQ(state.has_value(), wanted.size() > 0);
      if (!state) continue;
      SCOPED_TRACE(fmt::format("state of layer {}", layer));
      const std::span<const double> values(wanted.data(), static_cast<std::size_t>(wanted.size()));
      EXPECT_CLOSE(contentOf<float>(state->values), values, kTolerance);
    }
  }

  ModelSpec spec_;
  std::shared_ptr<const Model> model_;
};

TEST_P(RecurrentTest, HoweverTheTokensCome) {
  const auto ids = randomIds(40, 1);
  auto session = this->session();
  test::expectOk(session->prefill(ids));
  expectReference(*session);
  for (const std::uint32_t chunk : {1, 2, 13}) {  // over the remains of the sequence before
    test::expectOk(session->truncate(0));
    session->setPrefillChunk(chunk);
    test::expectOk(session->prefill(ids));
    expectReference(*session);
  }
}

TEST_P(RecurrentTest, DecodesWhatItWouldRead) {
  auto session = this->session();
  test::expectOk(session->prefill(randomIds(9, 2)));
  SamplingSettings greedy;
  greedy.temperature = 0;
  EXPECT_TRUE(session->decode(6, greedy, {}, {}));
  EXPECT_EQ(session->length(), 15u);
  expectReference(*session);
}

TEST_P(RecurrentTest, GoesOnFromAnEarlierPosition) {
  auto session = this->session();
  test::expectOk(session->prefill(randomIds(30, 4)));
  test::expectOk(session->truncate(11));
  expectReference(*session);
  test::expectOk(session->prefill(randomIds(5, 5)));
  auto fresh = this->session();
  test::expectOk(fresh->prefill(session->tokens()));
  EXPECT_EQ(test::expectValue(session->logits()), test::expectValue(fresh->logits()));
}

INSTANTIATE_TEST_SUITE_P(Engine, RecurrentTest,
                         testing::Values(Named{"Rwkv4", rwkv4()}, Named{"Rwkv7", rwkv7(false)},
                                         Named{"Rwkv7Converted", rwkv7(true)},
                                         Named{"RecurrentGemma", recurrentGemma()},
                                         Named{"Xlstm", xlstm(false)}, Named{"XlstmFused", xlstm(true)},
                                         Named{"Lightning", lightningExample(), lightning},
                                         Named{"DeltaNet", deltaNetExample(), deltaNet}),
                         [](const auto& info) { return std::string(info.param.name); });

class OriginalRwkvTest : public test::GpuTest, public testing::WithParamInterface<const char*> {};

TEST_P(OriginalRwkvTest, GivesItsExpectedLogits) {
  VITRINE_SHARED_OR_SKIP(folder, std::string("models/") + GetParam());
  auto spec =
      test::expectValue(readModelSpec(test::expectValue(Checkpoint::open(folder / "model.safetensors"))));
  const auto model = test::expectValue(Model::load(device(), std::move(spec)));
  for (const std::uint32_t chunk : {512u, 1u}) {
    auto session = test::expectValue(Session::create(model, {.context = 64, .cache = CacheType::kF32}));
    session->setPrefillChunk(chunk);
    test::expectOk(session->prefill(std::vector<TokenId>{'"', 'i', 'n'}));
    EXPECT_CLOSE(test::expectValue(session->logits()), test::floatsOfFile(folder / "expected-logits.f32"),
                 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Engine, OriginalRwkvTest, testing::Values("rwkv-4v0-660K", "rwkv-7v0-834K"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace vitrine::core::recurrent_test
