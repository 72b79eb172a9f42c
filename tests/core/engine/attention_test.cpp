// The attention kernel against a plain softmax in double precision: outputs, log-sum-exp and summaries.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "core/engine/kernels.h"
#include "core/tensor/dequantize.h"
#include "engine/attention.params.h"
#include "engine/state.params.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"

namespace vitrine::core::attention_test {
namespace {

constexpr float kSentinel = -77.0f;
constexpr std::uint32_t kContext = 160;
constexpr std::uint32_t kLocalKeys = 8;

struct Case {
  std::uint32_t head_dim = 64, kv_heads = 2, group = 1;
  std::uint32_t base = 0, tokens = 1;  // tokens in the cache before the batch, and in the batch
  std::uint32_t window = 0, splits = 1;
  bool f16 = true, probe = true;
  float spread = 1;  // of the queries: 25 gives scores beyond +-80
  float soft_cap = 0;
  bool alibi = false, sinks = false;
  std::uint32_t latent_values = 0;  // not 0: so many dimensions, in which the rows of k end

  std::uint32_t valueDim() const { return latent_values ? latent_values : head_dim; }
  std::uint32_t heads() const { return kv_heads * group; }
  std::uint32_t length() const { return base + tokens; }
  float scale() const { return 1 / std::sqrt(static_cast<float>(head_dim)); }
  float slope(std::uint32_t head) const { return alibi ? std::exp2(-1.0f - static_cast<float>(head)) : 0; }
  // From far below all scores to far above them.
  float sink(std::uint32_t head) const { return 40.0f * static_cast<float>(head % 4) - 60.0f; }
};

struct Expected {
  std::vector<double> o, lse;                           // (tokens, heads, value_dim), (tokens, heads)
  std::vector<double> entropy, first, local, previous;  // (tokens, heads)
};

class AttentionTest : public test::GpuTest {
 protected:
  struct Inputs {
    std::vector<float> q, k, v;  // (tokens, heads, head_dim), (kv_heads, kContext, head_dim) twice
  };

  // k and v as the cache can hold them; NaN where the kernel has no business to look.
  Inputs inputs(const Case& c) {
    std::normal_distribution<float> normal;
    Inputs made{std::vector<float>(c.tokens * c.heads() * c.head_dim),
                std::vector<float>(c.kv_heads * kContext * c.head_dim, NAN),
                {}};
    made.v = made.k;
    for (float& q : made.q) q = c.spread * normal(random_);
    for (std::uint32_t head = 0; head < c.kv_heads; ++head)
      for (std::uint32_t key = 0; key < c.length(); ++key)
        for (std::uint32_t d = 0; d < c.head_dim; ++d) {
          std::size_t at = (head * kContext + key) * c.head_dim + d;
          made.k[at] = normal(random_);
          made.v[at] = normal(random_) * (key % 37 == 5 ? 50.0f : 1.0f);
          if (c.f16) made.k[at] = halfToFloat(floatToHalf(made.k[at]));
          if (c.f16) made.v[at] = halfToFloat(floatToHalf(made.v[at]));
        }
    if (c.latent_values) made.v = made.k;
    return made;
  }

  static Expected reference(const Case& c, const Inputs& in) {
    Expected out;
    for (std::uint32_t t = 0; t < c.tokens; ++t)
      for (std::uint32_t head = 0; head < c.heads(); ++head) {
        std::uint32_t position = c.base + t, kv = head / c.group;
        std::uint32_t oldest = c.window && position + 1 > c.window ? position + 1 - c.window : 0;
        std::vector<double> score;
        double highest = -INFINITY, total = 0, entropy = 0, first = 0, local = 0, previous = 0;
        for (std::uint32_t key = oldest; key <= position; ++key) {
          double dot = 0;
          for (std::uint32_t d = 0; d < c.head_dim; ++d)
            dot += double(in.q[(t * c.heads() + head) * c.head_dim + d]) *
                   in.k[(kv * kContext + key) * c.head_dim + d];
          double scaled = dot * c.scale();
          if (c.soft_cap > 0) scaled = c.soft_cap * std::tanh(scaled / c.soft_cap);
          score.push_back(scaled - c.slope(head) * (position - key));
          highest = std::max(highest, score.back());
        }
        if (c.sinks) highest = std::max<double>(highest, c.sink(head));
        for (double s : score) total += std::exp(s - highest);
        if (c.sinks) total += std::exp(c.sink(head) - highest);
        double lse = highest + std::log(total);
        if (c.sinks) entropy -= std::exp(c.sink(head) - lse) * (c.sink(head) - lse) / std::numbers::ln2;
        std::vector<double> o(c.valueDim());
        for (std::uint32_t key = oldest; key <= position; ++key) {
          double p = std::exp(score[key - oldest] - lse);
          for (std::uint32_t d = 0; d < c.valueDim(); ++d)
            o[d] += p * in.v[(kv * kContext + key + 1) * c.head_dim - c.valueDim() + d];
          if (p > 0) entropy -= p * std::log2(p);
          if (key == 0) first += p;
          if (key + kLocalKeys > position) local += p;
          if (key + 1 == position) previous += p;
        }
        out.o.insert(out.o.end(), o.begin(), o.end());
        out.lse.push_back(lse);
        out.entropy.push_back(entropy);
        out.first.push_back(first);
        out.local.push_back(local);
        out.previous.push_back(previous);
      }
    return out;
  }

  gpu::Buffer cacheOf(const std::vector<float>& values, bool f16) {
    if (!f16) return bufferOf(values);
    std::vector<std::uint16_t> halves;
    for (float v : values) halves.push_back(floatToHalf(v));
    return bufferOf(halves);
  }

  struct Outputs {
    std::vector<float> o, lse, entropy, first, local, previous;
  };

  // Runs twice: what one run leaves behind must not disturb the next.
  Outputs run(const Case& c, const Inputs& in) {
    auto attention = test::expectValue(kernels_.attention({.head_dim = c.head_dim,
                                                           .value_dim = c.valueDim(),
                                                           .group = c.group,
                                                           .tokens = c.tokens,
                                                           .cache_f16 = c.f16,
                                                           .probe = c.probe,
                                                           .split = c.splits > 1,
                                                           .soft_cap = c.soft_cap > 0,
                                                           .alibi = c.alibi,
                                                           .sinks = c.sinks}));
    const std::uint32_t width = c.heads() * c.head_dim, o_stride = c.heads() * c.valueDim() + 4;
    const std::uint32_t head_units = c.kv_heads * ((c.group + attention.heads - 1) / attention.heads);
    gpu::Buffer q = bufferOf(in.q), k = cacheOf(in.k, c.f16), v = cacheOf(in.v, c.f16);
    std::vector<float> terms;
    for (std::uint32_t head = 0; head < c.heads(); ++head) terms.push_back(c.slope(head));
    for (std::uint32_t head = 0; head < c.heads(); ++head) terms.push_back(c.sink(head));
    gpu::Buffer head_terms = bufferOf(terms);
    gpu::Buffer state = bufferOf(std::vector<std::uint32_t>{c.base, c.length()});
    gpu::Buffer o = bufferOf(std::vector<float>((c.tokens + 1) * o_stride, kSentinel));
    gpu::Buffer lse = bufferOf(std::vector<float>(c.heads() * kContext, kSentinel));
    gpu::Buffer summary = bufferOf(std::vector<std::uint32_t>(2 * c.heads() * kContext, 0xdeadbeef));
    std::size_t records = std::size_t(head_units) * attention.heads * c.splits;
    gpu::Buffer partial = bufferOf(std::vector<float>(records * (c.valueDim() + 8), NAN));
    gpu::Buffer arrived = bufferOf(std::vector<std::uint32_t>(head_units + 1));
    shader::AttentionParams params{.state = state.address(),
                                   .q = q.address(),
                                   .k = k.address(),
                                   .v = v.address(),
                                   .o = o.address(),
                                   .lse = lse.address(),
                                   .summary = summary.address(),
                                   .partial = partial.address(),
                                   .arrived = arrived.address(),
                                   .head_terms = head_terms.address(),
                                   .heads = c.heads(),
                                   .kv_heads = c.kv_heads,
                                   .context = kContext,
                                   .q_stride = width,
                                   .o_stride = o_stride,
                                   .tokens = c.tokens,
                                   .splits = c.splits,
                                   .window = c.window,
                                   .scale = c.scale(),
                                   .soft_cap = c.soft_cap};
    std::vector<gpu::Bound> bound;
    if (kernels_.texel()) {
      VkFormat cache = c.f16 ? VK_FORMAT_R16G16B16A16_SFLOAT : VK_FORMAT_R32G32B32A32_SFLOAT;
      bound = {test::expectValue(kernels_.view(q, VK_FORMAT_R32G32B32A32_SFLOAT)),
               test::expectValue(kernels_.view(k, cache)), test::expectValue(kernels_.view(v, cache))};
    }
    gpu::Access access{.reads = {q, k, v, state}, .writes = {o, lse, summary, partial, arrived}};
    gpu::Groups groups{head_units, (c.tokens + attention.queries - 1) / attention.queries, c.splits};
    auto commands = test::expectValue(gpu::Commands::create(device(), "attention"));
    test::expectOk(commands.begin());
    for (int times = 0; times < 2; ++times)
      commands.dispatch(*attention.kernel, groups, params, access, bound);
    test::expectOk(commands.end());
    test::expectOk(commands.submitAndWait());
    for (std::uint32_t counter : contentOf<std::uint32_t>(arrived)) EXPECT_EQ(counter, 0u);
    return gather(c, contentOf<float>(o), contentOf<float>(lse), contentOf<std::uint32_t>(summary));
  }

  // The values of the batch, in the reference's order; everything else must be untouched.
  static Outputs gather(const Case& c, const std::vector<float>& o, const std::vector<float>& lse,
                        const std::vector<std::uint32_t>& summary) {
    Outputs out;
    const std::uint32_t width = c.heads() * c.valueDim(), o_stride = width + 4;
    std::size_t strays = 0;
    for (std::size_t i = 0; i < o.size(); ++i) {
      bool written = i / o_stride < c.tokens && i % o_stride < width;
      if (written)
        out.o.push_back(o[i]);
      else
        strays += o[i] != kSentinel;
    }
    auto half = [](std::uint32_t bits) { return halfToFloat(static_cast<std::uint16_t>(bits)); };
    for (std::uint32_t t = 0; t < c.tokens; ++t)
      for (std::uint32_t head = 0; head < c.heads(); ++head) {
        std::size_t at = head * kContext + c.base + t;
        out.lse.push_back(lse[at]);
        out.entropy.push_back(half(summary[2 * at] & 0xffff));
        out.first.push_back(half(summary[2 * at] >> 16));
        out.local.push_back(half(summary[2 * at + 1] & 0xffff));
        out.previous.push_back(half(summary[2 * at + 1] >> 16));
      }
    for (std::size_t i = 0; i < lse.size(); ++i) {
      std::uint32_t position = i % kContext;
      if (position >= c.base && position < c.length()) continue;
      strays += lse[i] != kSentinel || summary[2 * i] != 0xdeadbeef || summary[2 * i + 1] != 0xdeadbeef;
    }
    EXPECT_EQ(strays, 0u) << "writes outside of the batch";
    return out;
  }

  static void expectNear(const char* what, const std::vector<float>& out, const std::vector<double>& expected,
                         double absolute) {
    ASSERT_EQ(out.size(), expected.size());
    for (std::size_t i = 0; i < out.size(); ++i)  // halves: 11 bits
      ASSERT_NEAR(out[i], expected[i], absolute + std::abs(expected[i]) / 1024) << what << " " << i;
  }

  void expectAttention(const Case& c) {
    SCOPED_TRACE(fmt::format(
        "head_dim {} values {} kv {} group {} tokens {}+{} window {} splits {} {} spread {} cap {}{}{}",
        c.head_dim, c.valueDim(), c.kv_heads, c.group, c.base, c.tokens, c.window, c.splits,
        c.f16 ? "f16" : "f32", c.spread, c.soft_cap, c.alibi ? " alibi" : "", c.sinks ? " sinks" : ""));
    Inputs in = inputs(c);
    Outputs out = run(c, in);
    Expected expected = reference(c, in);
    // A score of 100 is known to 1e-5 in float32, and so are the probabilities that follow from it.
    const double tolerance = c.spread > 1 ? 3e-5 : 3e-6;
    EXPECT_CLOSE(out.o, expected.o, tolerance);
    EXPECT_CLOSE(out.lse, expected.lse, 1e-6);
    if (!c.probe) return;
    // An entropy is the difference of the log-sum-exp, up to 60 with a sink, and the mean score.
    const double absolute = c.spread > 1 ? 1e-3 : c.sinks ? 3e-5 : 1e-5;
    expectNear("entropy", out.entropy, expected.entropy, absolute);
    expectNear("first", out.first, expected.first, absolute);
    expectNear("local", out.local, expected.local, absolute);
    expectNear("previous", out.previous, expected.previous, absolute);
  }

  std::mt19937 random_{11};
  Kernels kernels_{device()};
};

TEST_F(AttentionTest, EveryHeadDimensionAndLength) {
  for (std::uint32_t head_dim : {8, 24, 64, 128})
    for (std::uint32_t tokens : {1, 2, 63, 65, 127})
      expectAttention({.head_dim = head_dim, .group = 3, .tokens = tokens});
}

TEST_F(AttentionTest, ChunksContinueTheCache) {
  for (std::uint32_t base : {1, 62, 100})
    for (std::uint32_t tokens : {1, 2, 33})
      expectAttention({.head_dim = 24, .group = 3, .base = base, .tokens = tokens});
}

TEST_F(AttentionTest, GroupsThatFillAndOverfillASubgroup) {
  for (std::uint32_t group : {1, 8})
    for (std::uint32_t tokens : {1, 65})
      expectAttention({.head_dim = 8, .kv_heads = 3, .group = group, .tokens = tokens});
}

TEST_F(AttentionTest, SlidingWindow) {
  for (std::uint32_t window : {1, 5, 40, 500})
    for (std::uint32_t base : {0, 61})
      for (std::uint32_t tokens : {1, 65})
        expectAttention({.head_dim = 8, .group = 3, .base = base, .tokens = tokens, .window = window});
}

TEST_F(AttentionTest, Float32Cache) {
  for (std::uint32_t tokens : {1, 65}) {
    expectAttention({.head_dim = 24, .group = 3, .tokens = tokens, .f16 = false});
    expectAttention({.head_dim = 64, .group = 1, .tokens = tokens, .f16 = false, .probe = false});
  }
}

TEST_F(AttentionTest, LargeScores) {
  for (std::uint32_t tokens : {1, 127}) {
    expectAttention({.head_dim = 64, .group = 3, .tokens = tokens, .spread = 25});
    expectAttention({.head_dim = 24, .group = 3, .base = 20, .tokens = tokens, .f16 = false, .spread = 25});
  }
}

// Scores far below and far beyond the cap, with which tanh is 1.
TEST_F(AttentionTest, SoftCap) {
  for (float spread : {1.0f, 25.0f})
    for (std::uint32_t tokens : {1, 63}) {
      expectAttention({.head_dim = 24, .group = 3, .tokens = tokens, .spread = spread, .soft_cap = 2.5f});
      expectAttention(
          {.head_dim = 64, .base = 70, .tokens = tokens, .f16 = false, .spread = spread, .soft_cap = 50});
    }
}

TEST_F(AttentionTest, Alibi) {
  for (std::uint32_t base : {0, 61})
    for (std::uint32_t tokens : {1, 65})
      expectAttention({.head_dim = 24, .group = 3, .base = base, .tokens = tokens, .alibi = true});
}

TEST_F(AttentionTest, Sinks) {
  for (std::uint32_t base : {0, 61})
    for (std::uint32_t tokens : {1, 65})
      for (std::uint32_t window : {0, 5})
        expectAttention(
            {.head_dim = 8, .group = 3, .base = base, .tokens = tokens, .window = window, .sinks = true});
}

TEST_F(AttentionTest, HeadTermsWithSplitKeys) {
  for (std::uint32_t base : {0, 16, 159})
    for (std::uint32_t splits : {2, 5}) {
      const Case all{.head_dim = 24, .group = 3, .base = base, .splits = splits};
      Case alibi = all, sinks = all;
      alibi.alibi = true;
      alibi.soft_cap = 3;
      sinks.sinks = true;
      expectAttention(alibi);
      expectAttention(sinks);
    }
}

// More splits than blocks of keys among them: the empty ones must not count.
TEST_F(AttentionTest, SplitKeysMerge) {
  for (std::uint32_t head_dim : {8, 64})
    for (std::uint32_t splits : {2, 3, 5})
      for (std::uint32_t base : {0, 1, 16, 70, 159})
        for (std::uint32_t window : {0, 20})
          expectAttention({.head_dim = head_dim,
                           .group = 3,
                           .base = base,
                           .window = window,
                           .splits = splits,
                           .spread = 4});
  for (std::uint32_t base : {3, 131})
    expectAttention({.head_dim = 24, .kv_heads = 1, .group = 8, .base = base, .splits = 4, .f16 = false});
}

// A latent and a rotary key for all heads, as large as DeepSeek's, and smaller ones.
TEST_F(AttentionTest, LatentRowsThatEndInTheirValues) {
  for (std::uint32_t tokens : {1, 21})
    for (std::uint32_t splits : {1, 3}) {
      if (splits > 1 && tokens > 1) continue;
      const Case latent{.head_dim = 24,
                        .kv_heads = 1,
                        .group = 7,
                        .base = 33,
                        .tokens = tokens,
                        .splits = splits,
                        .latent_values = 16};
      expectAttention(latent);
      Case wide = latent;
      wide.head_dim = 576;
      wide.latent_values = 512;
      wide.group = tokens == 1 ? 128 : 16;
      expectAttention(wide);
      wide.f16 = false;
      wide.probe = false;
      expectAttention(wide);
    }
}

}  // namespace
}  // namespace vitrine::core::attention_test
