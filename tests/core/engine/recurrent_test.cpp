// Recurrent mixers at sizes that no kernel divides evenly, against the reference, however the tokens come;
// and what their readers refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/engine/session.h"
#include "core/reference/reference_parts.h"
#include "support/golden.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/random_checkpoint.h"
#include "support/shared_files.h"

namespace vitrine::core {
namespace {

using nlohmann::json;
using test::NamedShapes;
using testing::HasSubstr;
using Shape = std::vector<std::uint64_t>;

constexpr double kTolerance = 2e-5;  // relative, float32 against double precision
constexpr std::uint64_t kVocabulary = 61;

struct Example {
  json config;
  NamedShapes tensors;
};

void addMatrix(Example& to, const std::string& name, std::uint64_t rows, std::uint64_t columns) {
  to.tensors.push_back({name + ".weight", {rows, columns}});
}

void addLayerNorm(Example& to, const std::string& name, std::uint64_t width) {
  for (const char* part : {".weight", ".bias"}) to.tensors.push_back({name + part, {width}});
}

Example rwkv4() {
  constexpr std::uint64_t kWidth = 36, kChannels = 52, kInner = 75;
  Example model{{{"model_type", "rwkv"},
                 {"num_hidden_layers", 2},
                 {"hidden_size", kWidth},
                 {"attention_hidden_size", kChannels},
                 {"intermediate_size", kInner},
                 {"vocab_size", kVocabulary}},
                {}};
  addMatrix(model, "rwkv.embeddings", kVocabulary, kWidth);
  addLayerNorm(model, "rwkv.blocks.0.pre_ln", kWidth);
  addLayerNorm(model, "rwkv.ln_out", kWidth);
  addMatrix(model, "head", kVocabulary, kWidth);
  for (int layer = 0; layer < 2; ++layer) {
    const std::string in = fmt::format("rwkv.blocks.{}.", layer), time = in + "attention.",
                      channel = in + "feed_forward.";
    addLayerNorm(model, in + "ln1", kWidth);
    addLayerNorm(model, in + "ln2", kWidth);
    for (const char* name : {"key", "value", "receptance"}) addMatrix(model, time + name, kChannels, kWidth);
    addMatrix(model, time + "output", kWidth, kChannels);
    for (const char* name : {"time_decay", "time_first"}) model.tensors.push_back({time + name, {kChannels}});
    for (const char* name : {"key", "value", "receptance"})
      model.tensors.push_back({time + "time_mix_" + name, {1, 1, kWidth}});
    addMatrix(model, channel + "key", kInner, kWidth);
    addMatrix(model, channel + "value", kWidth, kInner);
    addMatrix(model, channel + "receptance", kWidth, kWidth);
    for (const char* name : {"key", "receptance"})
      model.tensors.push_back({channel + "time_mix_" + name, {1, 1, kWidth}});
  }
  return model;
}

// In the layout of RWKV's author, or as rwkv.cpp converts it.
Example rwkv7(bool converted) {
  constexpr std::uint64_t kHeads = 3, kHeadDim = 13, kWidth = kHeads * kHeadDim, kInner = 75;
  Example model{json::object(), {}};
  addMatrix(model, "emb", kVocabulary, kWidth);
  addMatrix(model, "head", kVocabulary, kWidth);
  addLayerNorm(model, "ln_out", kWidth);
  addLayerNorm(model, "blocks.0.ln0", kWidth);
  for (int layer = 0; layer < 3; ++layer) {
    const std::string in = fmt::format("blocks.{}.", layer), time = in + "att.", channel = in + "ffn.";
    for (const char* name : {"ln1", "ln2", "att.ln_x"}) addLayerNorm(model, in + name, kWidth);
    for (const char* name : {"receptance", "key", "value", "output"})
      addMatrix(model, time + name, kWidth, kWidth);
    if (converted) model.tensors.push_back({time + "x_rwkvag", {6, 1, kWidth}});
    for (const char* name : {"x_r", "x_w", "x_k", "x_v", "x_a", "x_g"})
      if (!converted) model.tensors.push_back({time + name, {1, 1, kWidth}});
    for (const auto& [name, rank] : {std::pair{"w", 5ull}, {"a", 7ull}, {"v", 3ull}, {"g", 9ull}}) {
      const Shape inner = converted ? Shape{rank, kWidth} : Shape{kWidth, rank};
      model.tensors.push_back({time + name + "1", inner});
      model.tensors.push_back({time + name + "2", {inner[1], inner[0]}});
      if (*name != 'g') model.tensors.push_back({time + name + "0", {1, 1, kWidth}});
    }
    for (const char* name : {"k_k", "k_a"}) model.tensors.push_back({time + name, {1, 1, kWidth}});
    model.tensors.push_back({time + "r_k", {kHeads, kHeadDim}});
    model.tensors.push_back({channel + "x_k", {1, 1, kWidth}});
    addMatrix(model, channel + "key", kInner, kWidth);
    addMatrix(model, channel + "value", kWidth, kInner);
  }
  return model;
}

struct Named {
  const char* name;
  Example model;
};

class RecurrentTest : public test::GpuTest, public testing::WithParamInterface<Named> {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    spec_ = test::expectValue(test::randomSpec(GetParam().model.config, GetParam().model.tensors));
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
                                         Named{"Rwkv7Converted", rwkv7(true)}),
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

// What reading a model says whose configuration or tensors were changed, or "accepted".
std::string reason(Example model, const json& changes, const std::string& tensor = "",
                   const Shape& shape = {}) {
  model.config.merge_patch(changes);
  for (auto& [name, found] : model.tensors)
    if (name == tensor) found = shape;
  const auto spec = test::randomSpec(model.config, model.tensors);
  return spec ? "accepted" : spec.error().describe();
}

TEST(RecurrentReaders, RefuseWhatLies) {
  EXPECT_EQ(reason(rwkv4(), json::object()), "accepted");
  EXPECT_THAT(reason(rwkv4(), {{"attention_hidden_size", 51}}),
              HasSubstr("expected shape (51, 36), found (52, 36)"));
  EXPECT_THAT(reason(rwkv4(), json::object(), "rwkv.blocks.1.attention.time_mix_key", {1, 2, 36}),
              HasSubstr("time_mix_key: expected shape (36), found (1, 2, 36)"));
  EXPECT_THAT(reason(rwkv7(false), json::object(), "blocks.0.att.r_k", {3, 12}),
              HasSubstr("expected 39 numbers in all"));
  EXPECT_THAT(reason(rwkv7(true), json::object(), "blocks.2.att.w2", {39, 6}),
              HasSubstr("att.w2: expected shape (39, 5)"));
  EXPECT_THAT(reason(rwkv7(true), json::object(), "blocks.1.att.v1", {39}),
              HasSubstr("v1: expected a matrix"));
}

}  // namespace
}  // namespace vitrine::core
