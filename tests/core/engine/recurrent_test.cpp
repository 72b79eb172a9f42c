// Recurrent mixers at sizes that no kernel divides evenly, against the reference, however the tokens come;
// and what their readers refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "core/arch/support/linear_attention.h"
#include "core/arch/support/parts.h"
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

Example recurrentGemma() {
  constexpr std::uint64_t kWidth = 36, kHeads = 3, kChannels = 51, kBlock = kChannels / kHeads, kMlp = 25;
  Example model{{{"model_type", "recurrent_gemma"},
                 {"num_hidden_layers", 4},
                 {"hidden_size", kWidth},
                 {"num_attention_heads", kHeads},
                 {"num_key_value_heads", 1},
                 {"lru_width", kChannels},
                 {"conv1d_width", 3},
                 {"attention_window_size", 9},
                 {"intermediate_size", 2 * kMlp},
                 {"logits_soft_cap", 5.0},
                 {"partial_rotary_factor", 0.5},
                 {"vocab_size", kVocabulary}},
                {}};
  addMatrix(model, "model.embed_tokens", kVocabulary, kWidth);
  model.tensors.push_back({"model.final_norm.weight", {kWidth}});
  const auto biased = [&model](const std::string& name, std::uint64_t rows, std::uint64_t columns) {
    addMatrix(model, name, rows, columns);
    model.tensors.push_back({name + ".bias", {rows}});
  };
  for (int layer = 0; layer < 4; ++layer) {
    const std::string in = fmt::format("model.layers.{}.", layer), mixer = in + "temporal_block.";
    for (const char* norm : {"temporal_pre_norm", "channel_pre_norm"})
      model.tensors.push_back({in + norm + ".weight", {kWidth}});
    biased(in + "mlp_block.gate_proj", kMlp, kWidth);
    biased(in + "mlp_block.up_proj", kMlp, kWidth);
    biased(in + "mlp_block.down_proj", kWidth, kMlp);
    if (layer % 3 == 2) {
      addMatrix(model, mixer + "q_proj", kWidth, kWidth);
      addMatrix(model, mixer + "k_proj", kWidth / kHeads, kWidth);
      addMatrix(model, mixer + "v_proj", kWidth / kHeads, kWidth);
      biased(mixer + "o_proj", kWidth, kWidth);
      continue;
    }
    biased(mixer + "linear_x", kChannels, kWidth);
    biased(mixer + "linear_y", kChannels, kWidth);
    biased(mixer + "linear_out", kWidth, kChannels);
    model.tensors.push_back({mixer + "conv_1d.weight", {kChannels, 1, 3}});
    model.tensors.push_back({mixer + "conv_1d.bias", {kChannels}});
    for (const char* gate : {"input_gate", "recurrent_gate"}) {
      model.tensors.push_back({mixer + "rg_lru." + gate + "_weight", {kHeads, kBlock, kBlock}});
      model.tensors.push_back({mixer + "rg_lru." + gate + "_bias", {kHeads, kBlock}});
    }
    model.tensors.push_back({mixer + "rg_lru.recurrent_param", {kChannels}});
  }
  return model;
}

Example xlstm(bool fused) {
  constexpr std::uint64_t kWidth = 36, kHeads = 3, kKeys = 27, kValues = 45, kMlp = 110;
  Example model{{{"model_type", "xlstm"},
                 {"num_hidden_layers", 2},
                 {"hidden_size", kWidth},
                 {"num_heads", kHeads},
                 {"qk_dim_factor", 0.75},
                 {"v_dim_factor", 1.25},
                 {"ffn_round_up_to_multiple_of", 10},
                 {"ffn_proj_factor", 3.01},
                 {"use_bias", fused},
                 {"weight_mode", fused ? "fused" : "single"},
                 {"gate_soft_cap", 3.0},
                 {"output_logit_soft_cap", 5.0},
                 {"vocab_size", kVocabulary}},
                {}};
  const auto linear = [&model](const std::string& name, std::uint64_t rows, std::uint64_t columns,
                               bool bias) {
    addMatrix(model, name, rows, columns);
    if (bias) model.tensors.push_back({name + ".bias", {rows}});
  };
  addMatrix(model, "backbone.embeddings", kVocabulary, kWidth);
  addMatrix(model, "lm_head", kVocabulary, kWidth);
  model.tensors.push_back({"backbone.out_norm.weight", {kWidth}});
  for (int layer = 0; layer < 2; ++layer) {
    const std::string in = fmt::format("backbone.blocks.{}.", layer), mixer = in + "mlstm_layer.";
    for (const auto& [norm, length] : {std::pair{"norm_mlstm", kWidth}, std::pair{"norm_ffn", kWidth},
                                       std::pair{"mlstm_layer.multihead_norm", kValues}}) {
      model.tensors.push_back({in + norm + ".weight", {length}});
      if (fused) model.tensors.push_back({in + norm + ".bias", {length}});
    }
    if (fused) {
      linear(mixer + "qkv_opreact", 2 * kKeys + 2 * kValues, kWidth, true);
      linear(mixer + "ifgate_preact", 2 * kHeads, kWidth, true);
      linear(in + "ffn.proj_up_gate_z", 2 * kMlp, kWidth, true);
    } else {
      for (const char* name : {"q", "k"}) linear(mixer + name, kKeys, kWidth, false);
      for (const char* name : {"v", "ogate_preact"}) linear(mixer + name, kValues, kWidth, false);
      for (const char* name : {"igate_preact", "fgate_preact"}) linear(mixer + name, kHeads, kWidth, true);
      for (const char* name : {"proj_up_gate", "proj_up"}) linear(in + "ffn." + name, kMlp, kWidth, false);
    }
    linear(mixer + "out_proj", kWidth, kValues, fused);
    linear(in + "ffn.proj_down", kWidth, kMlp, fused);
  }
  return model;
}

// A model of nothing but linear attention, from what readers of whole families read of a layer.
constexpr std::uint32_t kLinearWidth = 36, kLinearLayers = 2;

Example linearEnds() {
  Example model{json::object(), {}};
  addMatrix(model, "emb", kVocabulary, kLinearWidth);
  addMatrix(model, "head", kVocabulary, kLinearWidth);
  model.tensors.push_back({"norm.weight", {kLinearWidth}});
  for (std::uint32_t layer = 0; layer < kLinearLayers; ++layer)
    model.tensors.push_back({fmt::format("{}.norm.weight", layer), {kLinearWidth}});
  return model;
}

template <typename ReadMixer>
Result<ModelSpec> linearModel(const Example& model, ReadMixer mixer) {
  const test::ScratchFolder folder;
  test::writeRandomCheckpoint(folder.path(), model.config, model.tensors, 0.25f, 1);
  ModelSpec spec;
  TRY_ASSIGN(spec.checkpoint, Checkpoint::open(folder.path()));
  arch::Weights weights(*spec.checkpoint);
  spec.embedding_dim = kLinearWidth;
  spec.vocab_size = kVocabulary;
  spec.context_length = 64;
  TRY_ASSIGN(spec.token_embedding, weights.matrix("emb.weight", kVocabulary, kLinearWidth));
  TRY_ASSIGN(spec.head.weight, weights.matrix("head.weight", kVocabulary, kLinearWidth));
  TRY_ASSIGN(spec.final_norm, arch::readRmsNorm(weights, "norm", kLinearWidth, 1e-5f));
  for (std::uint32_t layer = 0; layer < kLinearLayers; ++layer) {
    BlockSpec block;
    TRY_ASSIGN(block.mixer_norm,
               arch::readRmsNorm(weights, fmt::format("{}.norm", layer), kLinearWidth, 1e-5f));
    TRY_ASSIGN(auto one, mixer(*spec.checkpoint, weights, fmt::format("{}.attention.", layer), layer));
    block.mixers.emplace_back(std::move(one));
    spec.blocks.push_back(std::move(block));
  }
  spec.unread_tensors = weights.unread();
  return spec;
}

constexpr arch::LightningSizes kLightning = {
    .embedding = kLinearWidth, .heads = 3, .head_dim = 13, .layers = kLinearLayers};

Example lightningExample() {
  Example model = linearEnds();
  const std::uint64_t rows = kLightning.heads * kLightning.head_dim;
  for (std::uint32_t layer = 0; layer < kLinearLayers; ++layer) {
    const std::string in = fmt::format("{}.attention.", layer);
    addMatrix(model, in + "qkv_proj", 3 * rows, kLinearWidth);
    addMatrix(model, in + "output_gate", rows, kLinearWidth);
    addMatrix(model, in + "out_proj", kLinearWidth, rows);
    model.tensors.push_back({in + "norm.weight", {rows}});
  }
  return model;
}

// In blocks whose stream is the normalized one, as MiniMax has them.
Result<ModelSpec> lightning(const Example& model) {
  TRY_ASSIGN(ModelSpec spec, linearModel(model, [](const Checkpoint&, arch::Weights& weights,
                                                   const std::string& in, std::uint32_t layer) {
               return arch::readLightning(weights,
                                          {in + "qkv_proj", in + "output_gate", in + "norm", in + "out_proj"},
                                          kLightning, layer);
             }));
  for (BlockSpec& block : spec.blocks) {
    block.residual = Residual::kNormalized;
    block.mixer_skip = 1.3f;
    block.mixer_scale = 0.7f;
  }
  return spec;
}

Example deltaNetExample() {
  constexpr std::uint64_t kKeyHeads = 2, kValueHeads = 6, kKeyDim = 13, kValueDim = 7;
  constexpr std::uint64_t kKeys = kKeyHeads * kKeyDim, kValues = kValueHeads * kValueDim;
  Example model = linearEnds();
  model.config = {{"linear_num_key_heads", kKeyHeads},
                  {"linear_num_value_heads", kValueHeads},
                  {"linear_key_head_dim", kKeyDim},
                  {"linear_value_head_dim", kValueDim},
                  {"linear_conv_kernel_dim", 3}};
  for (std::uint32_t layer = 0; layer < kLinearLayers; ++layer) {
    const std::string in = fmt::format("{}.attention.", layer);
    addMatrix(model, in + "in_proj_qkvz", 2 * kKeys + 2 * kValues, kLinearWidth);
    addMatrix(model, in + "in_proj_ba", 2 * kValueHeads, kLinearWidth);
    model.tensors.push_back({in + "conv1d.weight", {2 * kKeys + kValues, 1, 3}});
    for (const char* name : {"A_log", "dt_bias"}) model.tensors.push_back({in + name, {kValueHeads}});
    model.tensors.push_back({in + "norm.weight", {kValueDim}});
    addMatrix(model, in + "out_proj", kLinearWidth, kValues);
  }
  return model;
}

Result<ModelSpec> deltaNet(const Example& model) {
  return linearModel(model,
                     [](const Checkpoint& checkpoint, arch::Weights& weights, const std::string& in,
                        std::uint32_t) -> Result<DeltaNetSpec> {
                       const arch::Hparams hparams(CheckpointFormat::kSafetensors, checkpoint.metadata(), "");
                       TRY_ASSIGN(const auto sizes, arch::readDeltaNetSizes(hparams, kLinearWidth, 1e-6f));
                       return arch::readDeltaNet(weights, in, sizes);
                     });
}

Result<ModelSpec> whole(const Example& model) {
  return test::randomSpec(model.config, model.tensors);
}

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

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// x W^T.
ReferenceMatrix times(const ReferenceMatrix& x, const ReferenceMatrix& weight) {
  ReferenceMatrix y(x.rows(), weight.rows());
  for (Eigen::Index t = 0; t < x.rows(); ++t)
    for (Eigen::Index row = 0; row < weight.rows(); ++row) {
      y(t, row) = 0;
      for (Eigen::Index i = 0; i < x.cols(); ++i) y(t, row) += x(t, i) * weight(row, i);
    }
  return y;
}

ReferenceMatrix matrixOf(const WeightRef& weight) {
  return test::expectValue(expandWeights(weight));
}
double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}
double silu(double x) {
  return x * sigmoid(x);
}

// As attention without a softmax: o(t) = sum over j <= t of e^(slope (j - t)) (q(t) k(j)) v(j).
TEST(LightningAttention, IsItsFormula) {
  const auto spec = test::expectValue(lightning(lightningExample()));
  const auto& mixer = std::get<LightningSpec>(spec.blocks[1].mixers[0]);
  constexpr int kTokens = 11, kHeads = 3, kDim = 13;
  const ReferenceMatrix x = ReferenceMatrix::Random(kTokens, kLinearWidth);
  // Of each head in turn: q, k, v.
  const ReferenceMatrix qkv = times(
      x, matrixOf({.tensor = mixer.query.weight.tensor, .rows = 3 * kHeads * kDim, .columns = kLinearWidth}));
  const ReferenceMatrix gate = times(x, matrixOf(mixer.gate.weight)), gain = matrixOf(mixer.norm.weight);
  ReferenceMatrix o = ReferenceMatrix::Zero(kTokens, kHeads * kDim);
  for (int head = 0; head < kHeads; ++head) {
    // The second of two layers: 1 - 1 / (1 + 1e-5) + 1e-5.
    const double slope = std::pow(2, -8.0 / kHeads * (head + 1)) * (1 - 1 / (1 + 1e-5) + 1e-5);
    const auto part = [&](int token, int which, int i) {
      return silu(qkv(token, (3 * head + which) * kDim + i));
    };
    for (int t = 0; t < kTokens; ++t)
      for (int j = 0; j <= t; ++j) {
        double product = 0;
        for (int i = 0; i < kDim; ++i) product += part(t, 0, i) * part(j, 1, i);
        for (int i = 0; i < kDim; ++i)
          o(t, head * kDim + i) += std::exp(slope * (j - t)) * product * part(j, 2, i);
      }
  }
  for (int t = 0; t < kTokens; ++t) {
    double squares = 0;
    for (int i = 0; i < kHeads * kDim; ++i) squares += o(t, i) * o(t, i);
    const double rms = std::sqrt(squares / (kHeads * kDim) + 1e-6);
    for (int i = 0; i < kHeads * kDim; ++i) o(t, i) *= gain(i, 0) / rms * sigmoid(gate(t, i));
  }
  const ReferenceMatrix expected = times(o, matrixOf(mixer.output.weight));
  ReferenceLayer layer;
  const auto found = test::expectValue(mix(mixer, x, layer));
  EXPECT_LT((found - expected).norm(), 1e-6 * expected.norm());  // slopes are kept in float32
}

// S(t) = d(t) S(t - 1) (I - beta k k^T) + beta v k^T, written as one product of transitions for each pair of
// tokens: o(t) = sum over j <= t of beta(j) v(j) k(j)^T M(j + 1) .. M(t) q(t), M = d (I - beta k k^T).
TEST(GatedDeltaNet, IsItsFormula) {
  const auto spec = test::expectValue(deltaNet(deltaNetExample()));
  const auto& mixer = std::get<DeltaNetSpec>(spec.blocks[0].mixers[0]);
  constexpr int kTokens = 8, kKeyHeads = 2, kShared = 3, kKeyDim = 13, kValueDim = 7, kKernel = 3;
  constexpr int kEach = 2 * kKeyDim + 2 * kShared * kValueDim, kKeys = kKeyHeads * kKeyDim;
  const ReferenceMatrix x = ReferenceMatrix::Random(kTokens, kLinearWidth);
  const ReferenceMatrix all = times(
      x, matrixOf({.tensor = mixer.query.weight.tensor, .rows = kKeyHeads * kEach, .columns = kLinearWidth}));
  const ReferenceMatrix ba = times(
      x, matrixOf(
             {.tensor = mixer.beta.weight.tensor, .rows = 2 * kKeyHeads * kShared, .columns = kLinearWidth}));
  const ReferenceMatrix taps = matrixOf(mixer.conv.weight), decay = matrixOf(mixer.decay);
  const ReferenceMatrix dt_bias = matrixOf(mixer.dt_bias), gain = matrixOf(mixer.norm.weight);
  const auto convolved = [&](int token, int column, int channel) {
    double sum = 0;
    for (int back = 0; back < kKernel && back <= token; ++back)
      sum += taps(channel, kKernel - 1 - back) * all(token - back, column);
    return silu(sum);
  };
  ReferenceMatrix o(kTokens, kKeyHeads * kShared * kValueDim);
  for (int head = 0; head < kKeyHeads * kShared; ++head) {
    const int group = head / kShared, within = head % kShared;
    const auto key = [&](int t, int from, int first_channel) {
      Vector u(kKeyDim);
      for (int i = 0; i < kKeyDim; ++i)
        u[i] = convolved(t, group * kEach + from + i, first_channel + group * kKeyDim + i);
      const double length = std::sqrt(dot(u, u) + 1e-6);
      for (double& one : u) one /= length;
      return u;
    };
    const auto value = [&](int t) {
      Vector v(kValueDim);
      for (int i = 0; i < kValueDim; ++i)
        v[i] = convolved(t, group * kEach + 2 * kKeyDim + within * kValueDim + i,
                         2 * kKeys + head * kValueDim + i);
      return v;
    };
    const auto beta = [&](int t) { return sigmoid(ba(t, group * 2 * kShared + within)); };
    const auto transition = [&](int t, Vector u) {
      const double a = ba(t, group * 2 * kShared + kShared + within) + dt_bias(head, 0);
      const double d = std::exp(-std::exp(decay(head, 0)) * std::log1p(std::exp(a)));
      const Vector k = key(t, kKeyDim, kKeys);
      const double part = beta(t) * dot(k, u);
      for (std::size_t i = 0; i < kKeyDim; ++i) u[i] = d * (u[i] - part * k[i]);
      return u;
    };
    for (int t = 0; t < kTokens; ++t) {
      Vector carried = key(t, 0, 0), sum(kValueDim, 0.0);
      for (double& one : carried) one /= std::sqrt(double{kKeyDim});
      for (int j = t; j >= 0; --j) {
        const Vector v = value(j);
        const double weight = beta(j) * dot(key(j, kKeyDim, kKeys), carried);
        for (std::size_t i = 0; i < kValueDim; ++i) sum[i] += weight * v[i];
        carried = transition(j, carried);
      }
      const double rms = std::sqrt(dot(sum, sum) / kValueDim + 1e-6);
      for (int i = 0; i < kValueDim; ++i) {
        const double z = all(t, group * kEach + 2 * kKeyDim + kShared * kValueDim + within * kValueDim + i);
        o(t, head * kValueDim + i) = sum[i] / rms * gain(i, 0) * silu(z);
      }
    }
  }
  const ReferenceMatrix expected = times(o, matrixOf(mixer.output.weight));
  ReferenceLayer layer;
  const auto found = test::expectValue(mix(mixer, x, layer));
  EXPECT_LT((found - expected).norm(), 1e-6 * expected.norm());  // epsilons are kept in float32
}

// What reading a model says whose configuration or tensors were changed, or "accepted".
std::string reason(Example model, const json& changes, const std::string& tensor = "",
                   const Shape& shape = {}, Result<ModelSpec> (*read)(const Example&) = whole) {
  model.config.merge_patch(changes);
  for (auto& [name, found] : model.tensors)
    if (name == tensor) found = shape;
  const auto spec = read(model);
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
  EXPECT_THAT(reason(recurrentGemma(), {{"lru_width", 50}}),
              HasSubstr("lru_width must be a multiple of the 3 heads"));
  EXPECT_THAT(reason(recurrentGemma(), {{"block_types", {"recurrent", "ssm"}}}),
              HasSubstr("a list of texts, each one of recurrent, attention"));
  EXPECT_THAT(reason(recurrentGemma(), {{"hidden_activation", "silu"}}), HasSubstr("gelu_pytorch_tanh"));
  EXPECT_THAT(reason(recurrentGemma(), json::object(),
                     "model.layers.1.temporal_block.rg_lru.input_gate_weight", {3, 17, 16}),
              HasSubstr("expected shape (3, 17, 17), found (3, 17, 16)"));
  EXPECT_THAT(reason(xlstm(false), {{"qk_dim_factor", 0.7}}), HasSubstr("a multiple of the 3 heads"));
  EXPECT_THAT(reason(xlstm(false), {{"weight_mode", "other"}}), HasSubstr("single or fused"));
  EXPECT_THAT(
      reason(xlstm(true), json::object(), "backbone.blocks.1.mlstm_layer.qkv_opreact.weight", {143, 36}),
      HasSubstr("expected shape (144, 36), found (143, 36)"));
  const Example minimax{{{"model_type", "minimax"},
                         {"num_hidden_layers", 2},
                         {"hidden_size", 32},
                         {"num_attention_heads", 4},
                         {"intermediate_size", 40},
                         {"num_local_experts", 4},
                         {"num_experts_per_tok", 2},
                         {"vocab_size", kVocabulary}},
                        {}};
  EXPECT_THAT(reason(minimax, {{"sliding_window", 8}}), HasSubstr("sliding_window must be null"));
  EXPECT_THAT(reason(minimax, {{"rotary_dim", 4}}), HasSubstr("rotary_dim must be 8, whole heads"));
  EXPECT_THAT(reason(minimax, {{"mlp_alpha_factor", 0}}),
              HasSubstr("mlp_alpha_factor must be a number greater"));
  EXPECT_THAT(reason(lightningExample(), json::object(), "1.attention.qkv_proj.weight", {116, 36}, lightning),
              HasSubstr("expected shape (117, 36), found (116, 36)"));
  EXPECT_THAT(reason(deltaNetExample(), {{"linear_num_value_heads", 5}}, "", {}, deltaNet),
              HasSubstr("a multiple of the 2 key heads"));
  EXPECT_THAT(reason(deltaNetExample(), json::object(), "0.attention.conv1d.weight", {94, 1, 4}, deltaNet),
              HasSubstr("expected shape (94, 1, 3), found (94, 1, 4)"));
}

}  // namespace
}  // namespace vitrine::core
