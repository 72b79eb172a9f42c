// State space mixers and the short convolution at sizes that no kernel divides evenly, with everything that a
// configuration can switch on, against the reference; and what readers refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "core/engine/session.h"
#include "core/reference/reference_parts.h"
#include "core/trace/record_trace.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/random_checkpoint.h"

namespace vitrine::core::mamba_test {
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

json decoder(const char* type, std::uint32_t layers, std::uint32_t width) {
  return {{"model_type", type},          {"num_hidden_layers", layers}, {"hidden_size", width},
          {"vocab_size", kVocabulary},   {"hidden_act", "silu"},        {"max_position_embeddings", 128},
          {"tie_word_embeddings", false}};
}

void addEnds(Example& to, const std::string& embedding, const std::string& norm, std::uint64_t width) {
  to.tensors.push_back({embedding + ".weight", {kVocabulary, width}});
  to.tensors.push_back({norm + ".weight", {width}});
  to.tensors.push_back({"lm_head.weight", {kVocabulary, width}});
}

void addLinear(Example& to, const std::string& name, std::uint64_t rows, std::uint64_t columns, bool bias) {
  to.tensors.push_back({name + ".weight", {rows, columns}});
  if (bias) to.tensors.push_back({name + ".bias", {rows}});
}

void addConvolution(Example& to, const std::string& name, std::uint64_t channels, std::uint64_t kernel,
                    bool bias) {
  to.tensors.push_back({name + ".weight", {channels, 1, kernel}});
  if (bias) to.tensors.push_back({name + ".bias", {channels}});
}

Example mamba(const char* type = "mamba") {
  constexpr std::uint64_t kWidth = 36, kInner = 52, kState = 5, kRank = 3;
  Example model{decoder(type, 2, kWidth), {}};
  model.config.update({{"intermediate_size", kInner},
                       {"state_size", kState},
                       {"time_step_rank", kRank},
                       {"conv_kernel", 3},
                       {"use_bias", true},
                       {"use_conv_bias", false}});
  addEnds(model, "backbone.embeddings", "backbone.norm_f", kWidth);
  for (int layer = 0; layer < 2; ++layer) {
    const std::string block = fmt::format("backbone.layers.{}.", layer), mixer = block + "mixer.";
    model.tensors.push_back({block + "norm.weight", {kWidth}});
    addLinear(model, mixer + "in_proj", 2 * kInner, kWidth, true);
    addConvolution(model, mixer + "conv1d", kInner, 3, false);
    addLinear(model, mixer + "x_proj", kRank + 2 * kState, kInner, false);
    addLinear(model, mixer + "dt_proj", kInner, kRank, true);
    model.tensors.push_back({mixer + "A_log", {kInner, kState}});
    model.tensors.push_back({mixer + "D", {kInner}});
    addLinear(model, mixer + "out_proj", kWidth, kInner, true);
  }
  return model;
}

void addMamba2(Example& to, const std::string& in, std::uint64_t width, std::uint64_t heads,
               std::uint64_t head_dim, std::uint64_t state, std::uint64_t groups, std::uint64_t kernel) {
  const std::uint64_t inner = heads * head_dim, channels = inner + 2 * groups * state;
  addLinear(to, in + "in_proj", inner + channels + heads, width, true);
  addConvolution(to, in + "conv1d", channels, kernel, true);
  for (const char* name : {"dt_bias", "A_log", "D"}) to.tensors.push_back({in + name, {heads}});
  to.tensors.push_back({in + "norm.weight", {inner}});
  addLinear(to, in + "out_proj", width, inner, true);
}

Example mamba2(std::uint64_t heads, std::uint64_t head_dim, std::uint64_t state) {
  constexpr std::uint64_t kWidth = 30;
  Example model{decoder("mamba2", 2, kWidth), {}};
  model.config.update({{"num_heads", heads},
                       {"head_dim", head_dim},
                       {"expand", 2},
                       {"state_size", state},
                       {"n_groups", 3},
                       {"conv_kernel", 5},
                       {"use_bias", true},
                       {"time_step_limit", {0.05, 1.5}}});
  addEnds(model, "backbone.embeddings", "backbone.norm_f", kWidth);
  for (int layer = 0; layer < 2; ++layer) {
    const std::string block = fmt::format("backbone.layers.{}.", layer);
    model.tensors.push_back({block + "norm.weight", {kWidth}});
    addMamba2(model, block + "mixer.", kWidth, heads, head_dim, state, 3, 5);
  }
  return model;
}

Example falconH1(bool norm_before_gate) {
  constexpr std::uint64_t kWidth = 32, kHeads = 4, kKvHeads = 2, kHeadDim = 8, kMlp = 40;
  Example model{decoder("falcon_h1", 2, kWidth), {}};
  model.config.update({{"intermediate_size", kMlp},
                       {"num_attention_heads", kHeads},
                       {"num_key_value_heads", kKvHeads},
                       {"mamba_d_ssm", 48},
                       {"mamba_n_heads", 6},
                       {"mamba_d_head", 8},
                       {"mamba_n_groups", 2},
                       {"mamba_d_state", 13},
                       {"mamba_d_conv", 4},
                       {"mamba_proj_bias", true},
                       {"projectors_bias", true},
                       {"mlp_bias", true},
                       {"mamba_rms_norm", true},
                       {"mamba_norm_before_gate", norm_before_gate},
                       {"embedding_multiplier", 1.5},
                       {"lm_head_multiplier", 0.7},
                       {"attention_in_multiplier", 0.8},
                       {"attention_out_multiplier", 1.3},
                       {"key_multiplier", 0.6},
                       {"ssm_in_multiplier", 1.4},
                       {"ssm_out_multiplier", 0.9},
                       {"ssm_multipliers", {0.5, 1.2, 0.8, 1.6, 0.7}},
                       {"mlp_multipliers", {1.7, 0.6}},
                       {"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 10000.0}}}});
  addEnds(model, "model.embed_tokens", "model.final_layernorm", kWidth);
  for (int layer = 0; layer < 2; ++layer) {
    const std::string block = fmt::format("model.layers.{}.", layer);
    for (const char* norm : {"input_layernorm", "pre_ff_layernorm"})
      model.tensors.push_back({block + norm + ".weight", {kWidth}});
    addMamba2(model, block + "mamba.", kWidth, 6, 8, 13, 2, 4);
    addLinear(model, block + "self_attn.q_proj", kHeads * kHeadDim, kWidth, false);
    addLinear(model, block + "self_attn.k_proj", kKvHeads * kHeadDim, kWidth, false);
    addLinear(model, block + "self_attn.v_proj", kKvHeads * kHeadDim, kWidth, false);
    addLinear(model, block + "self_attn.o_proj", kWidth, kHeads * kHeadDim, false);
    addLinear(model, block + "feed_forward.gate_proj", kMlp, kWidth, true);
    addLinear(model, block + "feed_forward.up_proj", kMlp, kWidth, true);
    addLinear(model, block + "feed_forward.down_proj", kWidth, kMlp, true);
  }
  return model;
}

Example lfm2() {
  constexpr std::uint64_t kWidth = 36, kMlp = 40, kHeadDim = 4;
  Example model{decoder("lfm2", 3, kWidth), {}};
  model.config.update({{"block_auto_adjust_ff_dim", false},
                       {"intermediate_size", kMlp},
                       {"num_attention_heads", 9},
                       {"num_key_value_heads", 3},
                       {"layer_types", {"conv", "full_attention", "conv"}},
                       {"conv_L_cache", 4},
                       {"conv_bias", true},
                       {"rope_theta", 1e6}});
  addEnds(model, "model.embed_tokens", "model.embedding_norm", kWidth);
  for (int layer = 0; layer < 3; ++layer) {
    const std::string block = fmt::format("model.layers.{}.", layer);
    for (const char* norm : {"operator_norm", "ffn_norm"})
      model.tensors.push_back({block + norm + ".weight", {kWidth}});
    if (layer == 1) {
      const std::string attention = block + "self_attn.";
      for (const char* norm : {"q_layernorm", "k_layernorm"})
        model.tensors.push_back({attention + norm + ".weight", {kHeadDim}});
      addLinear(model, attention + "q_proj", 36, kWidth, false);
      addLinear(model, attention + "k_proj", 12, kWidth, false);
      addLinear(model, attention + "v_proj", 12, kWidth, false);
      addLinear(model, attention + "out_proj", kWidth, 36, false);
    } else {
      addLinear(model, block + "conv.in_proj", 3 * kWidth, kWidth, true);
      addConvolution(model, block + "conv.conv", kWidth, 4, true);
      addLinear(model, block + "conv.out_proj", kWidth, kWidth, true);
    }
    addLinear(model, block + "feed_forward.w1", kMlp, kWidth, false);
    addLinear(model, block + "feed_forward.w3", kMlp, kWidth, false);
    addLinear(model, block + "feed_forward.w2", kWidth, kMlp, false);
  }
  return model;
}

struct Named {
  const char* name;
  Example model;
};

class StateSpaceTest : public test::GpuTest, public testing::WithParamInterface<Named> {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    spec_ = test::expectValue(test::randomSpec(GetParam().model.config, GetParam().model.tensors));
    ASSERT_TRUE(spec_.unread_tensors.empty());
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

TEST_P(StateSpaceTest, HoweverTheTokensCome) {
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

TEST_P(StateSpaceTest, DecodesWhatItWouldRead) {
  auto session = this->session();
  test::expectOk(session->prefill(randomIds(9, 2)));
  SamplingSettings greedy;
  greedy.temperature = 0;
  EXPECT_TRUE(session->decode(6, greedy, {}, {}));
  EXPECT_EQ(session->length(), 15u);
  expectReference(*session);
  test::expectOk(session->prefill(randomIds(3, 3)));
  expectReference(*session);
}

TEST_P(StateSpaceTest, GoesOnFromAnEarlierPosition) {
  auto session = this->session();
  test::expectOk(session->prefill(randomIds(30, 4)));
  test::expectOk(session->truncate(11));
  expectReference(*session);
  test::expectOk(session->prefill(randomIds(5, 5)));
  auto fresh = this->session();
  test::expectOk(fresh->prefill(session->tokens()));
  EXPECT_EQ(test::expectValue(session->logits()), test::expectValue(fresh->logits()));
}

TEST_P(StateSpaceTest, TracesItsStates) {
  const test::ScratchFolder folder;
  const auto ids = randomIds(12, 6);
  const TraceOptions options{.logits = false, .hidden = false, .attention = false, .state = true};
  test::expectOk(recordTrace(model_, ids, options, folder / "trace.safetensors", {}));
  const auto file = test::expectValue(Checkpoint::open(folder / "trace.safetensors"));
  auto session = this->session();
  test::expectOk(session->prefill(ids));
  for (std::uint32_t layer = 0; layer < model_->layers(); ++layer) {
    const TensorEntry* tensor = file->find(fmt::format("state.{}", layer));
    const auto state = session->state(layer);
    ASSERT_EQ(tensor != nullptr, state.has_value());
    if (!state) continue;
    EXPECT_EQ(tensor->shape, state->shape);
    const auto values = contentOf<float>(state->values);
    ASSERT_EQ(tensor->bytes.size(), values.size() * sizeof(float));
    EXPECT_EQ(std::memcmp(tensor->bytes.data(), values.data(), tensor->bytes.size()), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Engine, StateSpaceTest,
                         testing::Values(Named{"Mamba", mamba()}, Named{"FalconMamba", mamba("falcon_mamba")},
                                         Named{"Mamba2", mamba2(6, 10, 11)},
                                         Named{"Mamba2Odd", mamba2(12, 5, 40)},
                                         Named{"FalconH1NormFirst", falconH1(true)},
                                         Named{"FalconH1GateFirst", falconH1(false)}, Named{"Lfm2", lfm2()}),
                         [](const auto& info) { return std::string(info.param.name); });

// y(t) = W_out (c(t) * (bias + sum over k of w(k) u(t - k))) + b_out, u = b * x, (b, c, x) = W_in in + b_in;
// tap k of the file's kernel reaches back kernel - 1 - k tokens.
TEST(ShortConvolution, IsItsFormula) {
  const auto spec = test::expectValue(test::randomSpec(lfm2().config, lfm2().tensors));
  const auto& conv = std::get<ShortConvSpec>(spec.blocks[0].mixers[0]);
  const auto matrix = [](const WeightRef& weight) { return test::expectValue(expandWeights(weight)); };
  const ReferenceMatrix w_in = matrix(conv.input.weight), b_in = matrix(conv.input.bias);
  const ReferenceMatrix w_out = matrix(conv.output.weight), b_out = matrix(conv.output.bias);
  const ReferenceMatrix taps = matrix(conv.conv.weight), bias = matrix(conv.conv.bias);
  constexpr int kTokens = 9, kWidth = 36, kKernel = 4;
  const ReferenceMatrix input = ReferenceMatrix::Random(kTokens, kWidth);
  const auto projected = [&](int token, int row) {
    double sum = b_in(row, 0);
    for (int i = 0; i < kWidth; ++i) sum += w_in(row, i) * input(token, i);
    return sum;
  };
  ReferenceMatrix expected(kTokens, kWidth);
  for (int t = 0; t < kTokens; ++t) {
    std::vector<double> gated(kWidth);
    for (int channel = 0; channel < kWidth; ++channel) {
      double sum = bias(channel, 0);
      for (int back = 0; back < kKernel && back <= t; ++back)
        sum += taps(channel, kKernel - 1 - back) * projected(t - back, channel) *
               projected(t - back, 2 * kWidth + channel);
      gated[channel] = projected(t, kWidth + channel) * sum;
    }
    for (int row = 0; row < kWidth; ++row) {
      expected(t, row) = b_out(row, 0);
      for (int i = 0; i < kWidth; ++i) expected(t, row) += w_out(row, i) * gated[i];
    }
  }
  ReferenceLayer layer;
  const auto found = test::expectValue(mix(conv, input, layer));
  EXPECT_LT((found - expected).norm(), 1e-12 * expected.norm());
}

// What reading a model says whose configuration or tensors were changed, or "accepted".
std::string reason(Example model, const json& changes, const std::string& tensor = "",
                   const Shape& shape = {}) {
  model.config.merge_patch(changes);
  for (auto& [name, found] : model.tensors)
    if (name == tensor) found = shape;
  const auto spec = test::randomSpec(model.config, model.tensors);
  return spec ? "accepted" : spec.error().describe();
}

TEST(StateSpaceReaders, RefuseShapesThatLie) {
  EXPECT_EQ(reason(mamba(), json::object()), "accepted");
  EXPECT_THAT(
      reason(mamba(), json::object(), "backbone.layers.1.mixer.conv1d.weight", {52, 1, 4}),
      HasSubstr("backbone.layers.1.mixer.conv1d.weight: expected shape (52, 1, 3), found (52, 1, 4)"));
  EXPECT_THAT(reason(mamba(), json::object(), "backbone.layers.0.mixer.A_log", {52, 6}),
              HasSubstr("expected shape (52, 5), found (52, 6)"));
  EXPECT_THAT(reason(mamba(), {{"state_size", 6}}), HasSubstr("x_proj.weight: expected shape (15, 52)"));
  EXPECT_THAT(reason(mamba2(6, 10, 11), {{"n_groups", 4}}), HasSubstr("4 groups"));
  EXPECT_THAT(reason(mamba2(6, 10, 11), {{"head_dim", 9}}), HasSubstr("expected 60 channels, found 54"));
  EXPECT_THAT(reason(falconH1(true), json::object(), "model.layers.0.mamba.norm.weight", {47}),
              HasSubstr("expected shape (48), found (47)"));
  EXPECT_THAT(reason(lfm2(), {{"layer_types", {"conv", "conv"}}}), HasSubstr("a list of 3 layers"));
}

TEST(StateSpaceReaders, RefuseWhatIsNotImplemented) {
  EXPECT_THAT(reason(mamba(), {{"hidden_act", "gelu"}}), HasSubstr("hidden_act must be silu"));
  EXPECT_THAT(reason(mamba(), {{"conv_kernel", 1}}), HasSubstr("conv_kernel must be a whole number from 2"));
  EXPECT_THAT(reason(mamba(), {{"time_step_rank", "some"}}), HasSubstr("time_step_rank must be"));
  EXPECT_THAT(reason(mamba2(6, 10, 11), {{"time_step_limit", {2, 1}}}), HasSubstr("time_step_limit must be"));
  EXPECT_THAT(reason(falconH1(true), {{"ssm_multipliers", {1, 1, 1, 1}}}), HasSubstr("a list of 5 numbers"));
  EXPECT_THAT(reason(falconH1(true), {{"attention_bias", true}}), HasSubstr("attention_in_multiplier"));
  EXPECT_THAT(reason(lfm2(), {{"layer_types", {"conv", "sliding_attention", "conv"}}}),
              HasSubstr("each one of full_attention, conv"));
  EXPECT_THAT(reason({decoder("nemotron_h", 1, 32), {}},
                     {{"num_attention_heads", 4}, {"hybrid_override_pattern", "ME"}}),
              HasSubstr("experts, E, are not read"));
}

}  // namespace
}  // namespace vitrine::core::mamba_test
