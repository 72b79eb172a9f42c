// Mixtures of experts on the device against the reference in double precision: odd sizes, every router,
// experts without tokens, quantized experts; and the same numbers each time.
#include "core/engine/moe.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <random>

#include "core/engine/kernels.h"
#include "core/engine/mixer_memory.h"
#include "core/reference/reference_parts.h"
#include "core/tensor/dequantize.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"

namespace vitrine::core::moe_test {
namespace {

constexpr double kTolerance = 2e-5;  // float32 sums of at most 300 terms
constexpr float kEpsilon = 1e-3f;    // large enough to show where it is forgotten

struct Sizes {
  std::uint32_t experts = 5, top_k = 3, model = 36, width = 44;
  DType type = DType::kF32;  // of the experts
  bool biased = false;
};

class MoeTest : public test::GpuTest {
 protected:
  float normal() { return std::normal_distribution<float>()(random_); }

  // A tensor (rows, columns) of random weights whose products are of the size of what they are made from.
  const TensorEntry* tensor(DType type, std::uint64_t rows, std::uint64_t columns, float scale) {
    const DTypeInfo& stored = info(type);
    std::vector<std::byte>& bytes = storage_.emplace_back(rows * rowBytes(type, columns));
    if (type == DType::kF32) {
      for (std::size_t i = 0; i < rows * columns; ++i) put(bytes, 4 * i, scale * normal());
    } else {
      for (std::byte& byte : bytes) byte = static_cast<std::byte>(random_());
      for (std::size_t block = 0; block < bytes.size(); block += stored.block_bytes) {
        put(bytes, block, floatToHalf(0.01f * scale * normal()));
        if (type == DType::kQ4_K) put(bytes, block + 2, floatToHalf(0.01f * scale * normal()));
      }
    }
    tensors_.push_back({.name = "random", .dtype = type, .shape = {rows, columns}, .bytes = bytes});
    return &tensors_.back();
  }
  static void put(std::vector<std::byte>& bytes, std::size_t at, const auto& value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }

  Linear linear(DType type, std::uint64_t rows, std::uint64_t columns, bool biased) {
    const float scale = 1 / std::sqrt(static_cast<float>(columns));
    Linear made{{.tensor = tensor(type, rows, columns, scale), .rows = rows, .columns = columns}, {}};
    if (biased) made.bias = vector(rows, 0.5f);
    return made;
  }
  WeightRef vector(std::uint64_t length, float scale) {
    return {.tensor = tensor(DType::kF32, length, 1, scale), .rows = length, .columns = 1};
  }
  // A bias of the router that decides alone.
  WeightRef preference(const std::vector<float>& values) {
    WeightRef made = vector(values.size(), 1);
    std::memcpy(storage_.back().data(), values.data(), values.size() * sizeof(float));
    return made;
  }

  MoeSpec mixture(const Sizes& sizes) {
    MoeSpec spec{.width = sizes.width};
    spec.router.linear = linear(DType::kF32, sizes.experts, sizes.model, false);
    spec.router.top_k = sizes.top_k;
    for (std::uint32_t e = 0; e < sizes.experts; ++e)
      spec.experts.push_back({.gate = linear(sizes.type, sizes.width, sizes.model, sizes.biased),
                              .up = linear(sizes.type, sizes.width, sizes.model, sizes.biased),
                              .gate_up = {},
                              .down = linear(sizes.type, sizes.model, sizes.width, sizes.biased)});
    return spec;
  }

  MoeWeights load(const MoeSpec& spec) {
    WeightLoader loader = test::expectValue(WeightLoader::create(device(), {}, 1, {}));
    MoeWeights weights = test::expectValue(upload(loader, spec));
    test::expectOk(loader.finish());
    return weights;
  }

  // y = 0.5 * before + mixture where `add`; rows of `stride`.
  std::vector<float> run(const MoeSpec& spec, const MoeWeights& weights, const std::vector<float>& x,
                         std::uint32_t tokens, std::vector<float> before, bool add,
                         const gpu::Buffer* gain = nullptr) {
    const auto stride = static_cast<std::uint32_t>(x.size() / tokens);
    std::vector<gpu::Buffer> scratch;
    std::vector<std::uint32_t> strides;
    for (std::uint64_t floats : memoryOf(spec).scratch) {
      strides.push_back(activationStride(floats));
      scratch.push_back(
          bufferOf(std::vector<float>(std::max<std::size_t>(4, std::size_t{tokens} * strides.back()))));
    }
    gpu::Buffer in = bufferOf(x), out = bufferOf(before);
    auto commands = test::expectValue(gpu::Commands::create(device(), "moe"));
    test::expectOk(commands.begin());
    const auto product = [&](const Matrix& matrix, MoeScratch to) {
      const gpu::Slice y(scratch[to], 0, std::uint64_t{tokens} * strides[to] * 4);
      test::expectOk(kernels_.matmul(commands, {.matrix = &matrix,
                                                .x = in,
                                                .x_stride = stride,
                                                .y = y,
                                                .y_stride = strides[to],
                                                .tokens = tokens,
                                                .norm_gain = gain,
                                                .epsilon = kEpsilon}));
    };
    product(weights.router, kMoeLogits);
    const MoeCall call{.spec = &spec,
                       .weights = &weights,
                       .tokens = tokens,
                       .x = in,
                       .x_stride = stride,
                       .norm_gain = gain,
                       .epsilon = kEpsilon,
                       .scratch = &scratch,
                       .scratch_strides = &strides,
                       .y = out,
                       .add = add,
                       .scale = 0.5f};
    test::expectOk(MoeRecorder(commands, kernels_, call).record());
    test::expectOk(commands.end());
    test::expectOk(commands.submitAndWait());
    return contentOf<float>(out);
  }

  // x = gain x / rms(x), what the experts are to do themselves.
  std::vector<float> normalize(ReferenceMatrix& x, std::uint32_t stride) {
    std::vector<float> gain(stride);
    for (Eigen::Index i = 0; i < x.cols(); ++i) gain[static_cast<std::size_t>(i)] = 1 + 0.3f * normal();
    for (Eigen::Index t = 0; t < x.rows(); ++t) {
      const double rms = std::sqrt(x.row(t).squaredNorm() / static_cast<double>(x.cols()) + kEpsilon);
      for (Eigen::Index i = 0; i < x.cols(); ++i) x(t, i) *= gain[static_cast<std::size_t>(i)] / rms;
    }
    return gain;
  }

  void expectMixture(const MoeSpec& spec, std::uint32_t tokens, bool add = true, bool raw = false) {
    SCOPED_TRACE(fmt::format("{} tokens", tokens));
    const auto model = static_cast<std::uint32_t>(spec.router.linear.weight.columns);
    const std::uint32_t stride = activationStride(model);
    std::vector<float> x(std::size_t{tokens} * stride), before(x.size());
    ReferenceMatrix exact(tokens, model);
    for (std::uint32_t t = 0; t < tokens; ++t)
      for (std::uint32_t i = 0; i < model; ++i) {
        exact(t, i) = x[t * stride + i] = normal();
        before[t * stride + i] = normal();
      }
    const MoeWeights weights = load(spec);
    gpu::Buffer gain;
    if (raw) gain = bufferOf(normalize(exact, stride));
    const std::vector<float> after = run(spec, weights, x, tokens, before, add, raw ? &gain : nullptr);
    ReferenceLayer layer;
    const ReferenceMatrix mixed = test::expectValue(mix(spec, exact, layer));
    std::vector<double> expected;
    std::vector<float> out;
    for (std::uint32_t t = 0; t < tokens; ++t)
      for (std::uint32_t i = 0; i < stride; ++i) {
        if (i >= model) {
          EXPECT_EQ(after[t * stride + i], before[t * stride + i]) << "written beyond the row";
          continue;
        }
        expected.push_back((add ? before[t * stride + i] : 0) + 0.5 * mixed(t, i));
        out.push_back(after[t * stride + i]);
      }
    EXPECT_CLOSE(out, expected, kTolerance);
    EXPECT_EQ(run(spec, weights, x, tokens, before, add, raw ? &gain : nullptr), after)
        << "not the same each time";
  }

  std::mt19937 random_{11};
  Kernels kernels_{device()};
  std::deque<std::vector<std::byte>> storage_;
  std::deque<TensorEntry> tensors_;
};

TEST_F(MoeTest, OddSizes) {
  const MoeSpec spec = mixture({});
  for (std::uint32_t tokens : {1, 2, 37}) expectMixture(spec, tokens);
  expectMixture(spec, 1, false);
  expectMixture(spec, 37, false);
  const MoeSpec odd = mixture({.experts = 3, .top_k = 1, .model = 37, .width = 7});
  for (std::uint32_t tokens : {1, 2, 37}) expectMixture(odd, tokens);
}

TEST_F(MoeTest, TakesTheNormAlong) {
  for (std::uint32_t tokens : {1, 2}) {
    expectMixture(mixture({}), tokens, true, true);
    expectMixture(mixture({.model = 96, .width = 160, .type = DType::kQ8_0}), tokens, true, true);
  }
}

TEST_F(MoeTest, BiasesAndClampedActivation) {
  MoeSpec spec = mixture({.biased = true});
  for (std::uint32_t tokens : {1, 37}) expectMixture(spec, tokens);
  spec.clamped = ClampedGlu{.alpha = 1.702f, .limit = 0.7f};
  spec.router.scores = RouterScores::kChosenSoftmax;
  for (std::uint32_t tokens : {1, 37}) expectMixture(spec, tokens);
}

TEST_F(MoeTest, GateAndUpInOneTransposedTensor) {
  MoeSpec spec = mixture({.experts = 4, .top_k = 2});
  const std::uint64_t model = 36, rows = 88;
  const TensorEntry* all = tensor(DType::kF32, 4 * model, rows, 0.2f);
  for (std::uint64_t e = 0; e < 4; ++e) {
    spec.experts[e].gate = spec.experts[e].up = std::nullopt;
    spec.experts[e].gate_up = Linear{
        .weight = {.tensor = all, .first_row = e * model, .rows = rows, .columns = model, .transposed = true},
        .bias = vector(rows, 0.5f)};
  }
  for (std::uint32_t tokens : {1, 37}) expectMixture(spec, tokens);
}

TEST_F(MoeTest, ExpertsWithoutTokensAndAllTokensToOne) {
  MoeSpec spec = mixture({});
  spec.router.linear.bias = preference({0, -100, 0, 0, 0});  // nobody takes expert 1
  for (std::uint32_t tokens : {2, 37}) expectMixture(spec, tokens);
  spec.router.top_k = 1;
  for (std::uint32_t best : {0u, 3u, 4u}) {
    std::vector<float> values(5, 0);
    values[best] = 100;
    spec.router.linear.bias = preference(values);
    for (std::uint32_t tokens : {1, 2, 37}) expectMixture(spec, tokens);
  }
}

TEST_F(MoeTest, EveryRouter) {
  for (RouterScores scores : {RouterScores::kSoftmax, RouterScores::kChosenSoftmax, RouterScores::kSigmoid})
    for (bool normalize : {false, true}) {
      SCOPED_TRACE(fmt::format("scores {} normalize {}", static_cast<int>(scores), normalize));
      MoeSpec spec = mixture({.experts = 21});  // more than the lanes of a software device
      spec.router.scores = scores;
      spec.router.normalize = normalize;
      spec.router.epsilon = 1e-20f;
      spec.router.scale = 2.5f;
      spec.router.correction = vector(21, 0.3f);
      for (std::uint32_t tokens : {1, 37}) expectMixture(spec, tokens);
    }
}

TEST_F(MoeTest, BestGroupsOnly) {
  for (GroupScore score : {GroupScore::kMax, GroupScore::kTopTwoSum}) {
    MoeSpec spec = mixture({.experts = 24, .top_k = 4});
    spec.router.scores = RouterScores::kSigmoid;
    spec.router.group_score = score;
    spec.router.correction = vector(24, 0.3f);
    for (std::uint32_t groups : {2u, 6u, 24u}) {
      SCOPED_TRACE(fmt::format("{} groups, score {}", groups, static_cast<int>(score)));
      spec.router.groups = groups;
      spec.router.top_groups = groups == 24 ? 4 : groups / 2;
      expectMixture(spec, 37);
    }
  }
}

TEST_F(MoeTest, EqualScoresTakeTheFirstExperts) {
  MoeSpec spec = mixture({.experts = 11});
  spec.router.linear.bias = preference(std::vector<float>(11, 0));
  auto& weights = storage_.front();  // the router's
  std::fill(weights.begin(), weights.end(), std::byte{0});
  for (std::uint32_t tokens : {1, 37}) expectMixture(spec, tokens);
}

TEST_F(MoeTest, QuantizedExperts) {
  for (std::uint32_t tokens : {1, 2, 37}) {
    expectMixture(mixture({.model = 96, .width = 160, .type = DType::kQ8_0}), tokens);
    expectMixture(mixture({.model = 256, .width = 256, .type = DType::kQ4_K}), tokens);
  }
}

TEST_F(MoeTest, RefusesExpertsOfDifferentTypes) {
  MoeSpec spec = mixture({.model = 32, .width = 32});
  spec.experts[2].down = linear(DType::kQ8_0, 32, 32, false);
  WeightLoader counter;
  const auto refused = upload(counter, spec);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace vitrine::core::moe_test
