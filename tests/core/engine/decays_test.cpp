// By which factors the steps of recurrent mixers keep their states, against the reference in double
// precision: of the zoo's models and of some whose sizes no kernel divides evenly, however the tokens come.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/engine/decay_memory.h"
#include "core/engine/kernels.h"
#include "core/engine/mixer_views.h"
#include "core/engine/recurrent_examples.h"
#include "core/reference/reference.h"
#include "core/trace/record_trace.h"
#include "mixers/decay_store.params.h"
#include "support/golden.h"
#include "support/gpu_fixture.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"

namespace vitrine::core::decays_test {
namespace {

constexpr double kTolerance = 1e-5;  // absolute, float32 against double precision

Result<ModelSpec> zooModel(const std::string& name) {
  const auto shared = test::sharedDir();
  if (!shared) return fail(ErrorCode::kNotFound, "no ../shared");
  TRY_ASSIGN(const auto checkpoint, Checkpoint::open(*shared / "zoo" / name));
  return readModelSpec(checkpoint);
}

struct Source {
  const char* name;
  std::size_t each;                       // decays that a mean is of, in every layer
  Result<ModelSpec> (*read)() = nullptr;  // or the zoo's row of that name
};

class DecaysTest : public test::GpuTest, public testing::WithParamInterface<Source> {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    if (!GetParam().read && !test::sharedDir()) GTEST_SKIP() << "no ../shared";
    spec_ = test::expectValue(GetParam().read ? GetParam().read() : zooModel(GetParam().name));
    model_ = test::expectValue(Model::load(device(), spec_));
    views_ = test::expectValue(MixerViews::create(device()));
    std::mt19937 random(1);
    for (TokenId& id : ids_) id = static_cast<TokenId>(random() % spec_.vocab_size);
  }

  std::unique_ptr<Session> session(bool whole) {
    return test::expectValue(Session::create(
        model_, {.context = 48, .cache = CacheType::kF32, .probes = true, .whole_decays = whole}));
  }

  // Of each row `count` means, each over as many numbers.
  static std::vector<double> meansOf(const ReferenceMatrix& decays, Eigen::Index count) {
    std::vector<double> means;
    const Eigen::Index each = decays.cols() / count;
    for (Eigen::Index t = 0; t < decays.rows(); ++t)
      for (Eigen::Index head = 0; head < count; ++head)
        means.push_back(decays.row(t).segment(head * each, each).mean());
    return means;
  }

  static void expectNear(std::span<const float> values, std::span<const double> wanted) {
    ASSERT_GE(values.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_TRUE(values[i] >= 0 && values[i] <= 1) << "number " << i << " is " << values[i];
      ASSERT_NEAR(values[i], wanted[i], kTolerance) << "number " << i;
    }
  }

  void expectReference(const Session& session) {
    SCOPED_TRACE(fmt::format("{} tokens", session.length()));
    const auto pass = test::expectValue(referenceForward(spec_, session.tokens(), 1));
    const auto states = test::expectValue(views_->states(session));
    std::size_t layers = 0;
    for (const LayerState& state : states.layers) {
      SCOPED_TRACE(fmt::format("layer {}", state.layer));
      const ReferenceMatrix& all = pass.layers[state.layer].decay;
      const auto record = session.decays(state.layer);
      ASSERT_EQ(record.has_value(), all.size() > 0);
      if (!record) continue;
      ++layers;
      const auto kept = static_cast<Eigen::Index>(floatsOf(record->shape));
      const auto each = static_cast<std::size_t>(all.cols() / kept);
      EXPECT_EQ(each, session.options().whole_decays ? 1 : GetParam().each);
      expectNear(contentOf<float>(record->values), meansOf(all, kept));
      EXPECT_EQ(floatsOf(state.decay_shape), static_cast<std::uint64_t>(all.cols()));
      ASSERT_EQ(state.decays.size(), state.norms.size());
      expectNear(state.decays, meansOf(all.bottomRows(1), static_cast<Eigen::Index>(state.norms.size())));
    }
    EXPECT_GT(layers, 0u);
  }

  ModelSpec spec_;
  std::shared_ptr<const Model> model_;
  std::unique_ptr<MixerViews> views_;
  std::vector<TokenId> ids_ = std::vector<TokenId>(33);
};

TEST_P(DecaysTest, AreTheReferencesHoweverTheTokensCome) {
  for (const bool whole : {true, false}) {
    SCOPED_TRACE(whole ? "all" : "means");
    auto session = this->session(whole);
    for (const std::uint32_t chunk : {512, 7, 1}) {  // over the remains of the sequence before
      SCOPED_TRACE(fmt::format("chunks of {}", chunk));
      test::expectOk(session->truncate(0));
      session->setPrefillChunk(chunk);
      test::expectOk(session->prefill(ids_));
      expectReference(*session);
      std::ranges::rotate(ids_, ids_.begin() + 1);
    }
    test::expectOk(session->truncate(11));
    ASSERT_TRUE(session->decode(6, {}, {}, {}));
    ASSERT_EQ(session->length(), 17u);
    expectReference(*session);
  }
}

TEST_P(DecaysTest, TracesHaveAllOfThem) {
  const test::ScratchFolder folder;
  const auto options = test::expectValue(parseCapture("decay"));
  test::expectOk(recordTrace(model_, ids_, options, folder / "trace.safetensors", {}));
  const auto file = test::expectValue(Checkpoint::open(folder / "trace.safetensors"));
  const auto pass = test::expectValue(referenceForward(spec_, ids_, 1));
  EXPECT_EQ(file->find("state.0"), nullptr);
  for (std::uint32_t layer = 0; layer < model_->layers(); ++layer) {
    SCOPED_TRACE(fmt::format("layer {}", layer));
    const std::string name = fmt::format("decay.{}", layer);
    const ReferenceMatrix& wanted = pass.layers[layer].decay;
    ASSERT_EQ(file->find(name) != nullptr, wanted.size() > 0);
    if (wanted.size() == 0) continue;
    std::vector<std::uint64_t> shape = decaysOf(spec_.blocks[layer]);
    shape.insert(shape.begin(), ids_.size());
    EXPECT_EQ(file->find(name)->shape, shape);
    expectNear(test::goldenFloats(*file, name), meansOf(wanted, wanted.cols()));
  }
}

// Neither memory nor dispatches; what the budget counts is what is allocated.
TEST_P(DecaysTest, CostNothingWithoutProbes) {
  SessionOptions options{.context = 48, .cache = CacheType::kF32};
  auto session = test::expectValue(Session::create(model_, options));
  options.whole_decays = true;
  EXPECT_EQ(sessionMemory(spec_, options).scratch, sessionMemory(spec_, session->options()).scratch);
  test::expectOk(session->prefill(ids_));
  std::uint64_t means = 0, all = 0;
  auto kept = this->session(false), whole = this->session(true);
  for (std::uint32_t layer = 0; layer < model_->layers(); ++layer) {
    EXPECT_FALSE(session->decays(layer));
    if (const auto record = kept->decays(layer)) means += record->values.bytes;
    if (const auto record = whole->decays(layer)) all += record->values.bytes;
  }
  EXPECT_EQ(whole->scratchBytes() - kept->scratchBytes(), all - means);
  EXPECT_EQ(all, means * GetParam().each);
  test::expectOk(kept->prefill(ids_));
  EXPECT_EQ(test::expectValue(kept->logits()), test::expectValue(session->logits()));
}

namespace models = test_models;

INSTANTIATE_TEST_SUITE_P(
    Engine, DecaysTest,
    testing::Values(Source{"mamba", 128 * 8}, Source{"mamba2", 1}, Source{"bamba", 1}, Source{"falcon-h1", 1},
                    Source{"rwkv4", 64}, Source{"qwen3-next", 1}, Source{"recurrent-gemma", 64},
                    Source{"minimax", 1}, Source{"xlstm", 1},
                    Source{"OddRwkv4", 52, [] { return models::whole(models::rwkv4()); }},
                    Source{"OddRwkv7", 13, [] { return models::whole(models::rwkv7(false)); }},
                    Source{"OddGriffin", 51, [] { return models::whole(models::recurrentGemma()); }},
                    Source{"OddLightning", 1, [] { return models::lightning(models::lightningExample()); }},
                    Source{"OddDeltaNet", 1, [] { return models::deltaNet(models::deltaNetExample()); }}),
    [](const auto& info) {
      std::string name = info.param.name;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

// A GPU's many subgroups share a head's sum; software devices run with one.
class DecayStoreTest : public test::GpuTest {
 protected:
  static constexpr std::uint32_t kHeads = 3, kColumns = 357, kShared = 5, kTokens = 4, kFirst = 2;

  static std::vector<float> randomFloats(std::size_t count, float least, float most) {
    static std::mt19937 random(7);
    std::uniform_real_distribution<float> number(least, most);
    std::vector<float> values(count);
    for (float& value : values) value = number(random);
    return values;
  }

  // (kTokens, kHeads), of what lies behind the positions before.
  std::vector<double> meansOf(const std::vector<float>& x, const std::vector<float>& rate,
                              const std::vector<float>& bias) {
    std::vector<double> means(kTokens * kHeads);
    for (std::uint32_t i = 0; i < kTokens * kHeads * kColumns; ++i) {
      const std::uint32_t column = i % (kHeads * kColumns);
      const double dt = std::min(std::log1p(std::exp(0.5 * double{x[i]} + double{bias[column]})), 1.5);
      for (std::uint32_t n = 0; n < kShared; ++n)
        means[i / kColumns] += std::exp(dt * double{rate[column * kShared + n]}) / (kColumns * kShared);
    }
    return means;
  }
};

TEST_F(DecayStoreTest, SubgroupsShareAMean) {
  Kernels kernels(device());
  const auto x = randomFloats(kTokens * kHeads * kColumns, -3, 3),
             bias = randomFloats(kHeads * kColumns, -2, 2);
  const auto rate = randomFloats(kHeads * kColumns * kShared, -4, 0);
  const gpu::Buffer rows = bufferOf(x), rates = bufferOf(rate), biases = bufferOf(bias);
  const gpu::Buffer state = bufferOf(std::vector<std::uint32_t>{kFirst, kFirst + kTokens});
  constexpr std::uint32_t kSteps = 1, kMean = 1;
  for (const std::uint32_t subgroups : {1u, 3u, 16u}) {
    SCOPED_TRACE(fmt::format("{} subgroups", subgroups));
    const gpu::Buffer decays = bufferOf(std::vector<float>((kFirst + kTokens) * kHeads, -1.0f));
    auto commands = test::expectValue(gpu::Commands::create(device(), "decays"));
    test::expectOk(commands.begin());
    commands.dispatch(*test::expectValue(kernels.get("mixers/decay_store", subgroups,
                                                     {{0, kSteps}, {1, kMean}, {2, subgroups}})),
                      {kHeads, kTokens},
                      shader::DecayStoreParams{.state = state.address(),
                                               .x = rows.address(),
                                               .rate = rates.address(),
                                               .bias = biases.address(),
                                               .decays = decays.address(),
                                               .tokens = kTokens,
                                               .heads = kHeads,
                                               .columns = kColumns,
                                               .shared_by = kShared,
                                               .stride = kHeads * kColumns,
                                               .scale = 0.5f,
                                               .least = 0,
                                               .most = 1.5f},
                      {.reads = {}, .writes = {decays}});
    commands.hostBarrier();
    test::expectOk(commands.end());
    test::expectOk(commands.submitAndWait());
    const auto found = contentOf<float>(decays);
    for (std::uint32_t i = 0; i < kFirst * kHeads; ++i) EXPECT_EQ(found[i], -1) << "an earlier position's";
    const std::vector<double> wanted = meansOf(x, rate, bias);
    for (std::size_t i = 0; i < wanted.size(); ++i)
      EXPECT_NEAR(found[kFirst * kHeads + i], wanted[i], kTolerance) << "number " << i;
  }
}

class DecayRefusalTest : public test::GpuTest {};

TEST_F(DecayRefusalTest, NamesTheModel) {
  for (const char* name : {"llama", "lfm2"}) {  // a short convolution has a state that does not decay
    VITRINE_SHARED_OR_SKIP(folder, std::string("zoo/") + name);
    const test::ScratchFolder scratch;
    auto spec = test::expectValue(readModelSpec(test::expectValue(Checkpoint::open(folder))));
    const std::string architecture = spec.architecture;
    const auto model = test::expectValue(Model::load(device(), std::move(spec)));
    const auto options = test::expectValue(parseCapture("decay"));
    const auto done = recordTrace(model, std::vector<TokenId>{1, 2}, options, scratch / "t.safetensors", {});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(done.error().describe(), testing::HasSubstr("decay: no layer of " + architecture));
  }
}

}  // namespace
}  // namespace vitrine::core::decays_test
