// The sampler against what its settings promise: argmax, the softmax's frequencies, and the sets that top-k,
// top-p and min-p leave. Seeds are fixed, so every statistic is the same on every run of a device.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>

#include "core/engine/engine_types.h"
#include "core/engine/kernels.h"
#include "engine/sample.params.h"
#include "engine/state.params.h"
#include "support/gpu_fixture.h"

namespace vitrine::core::sample_test {
namespace {

constexpr std::uint32_t kDraws = 4000;

class SampleTest : public test::GpuTest {
 protected:
  static shader::SampleSettings settingsOf(const SamplingSettings& s) {
    return {.temperature = s.temperature,
            .top_p = s.top_p,
            .min_p = s.min_p,
            .top_k = s.top_k,
            .seed_low = static_cast<std::uint32_t>(s.seed),
            .seed_high = static_cast<std::uint32_t>(s.seed >> 32),
            .unused0 = 0,
            .unused1 = 0};
  }

  std::vector<float> normalLogits(std::size_t vocab, float spread) {
    std::normal_distribution<float> normal(0, spread);
    std::vector<float> logits(vocab);
    for (float& l : logits) l = normal(random_);
    return logits;
  }

  // Ids drawn at the positions first, first + 1 ..; after each the state must have moved on.
  std::vector<std::uint32_t> draw(const std::vector<float>& logits, const SamplingSettings& sampling,
                                  std::uint32_t count, std::uint32_t first = 0) {
    return draw(logits, std::vector<SamplingSettings>(1, sampling), count, first);
  }

  // With several settings each has a draw of its own at the same position.
  std::vector<std::uint32_t> draw(const std::vector<float>& logits, const std::vector<SamplingSettings>& each,
                                  std::uint32_t count, std::uint32_t first) {
    std::uint32_t subgroups = device().info().software ? 1 : 1024 / kernels_.lanes();
    const gpu::Kernel* kernel = test::expectValue(kernels_.get("engine/sample", subgroups));
    gpu::Buffer values = bufferOf(logits);
    gpu::Buffer state = bufferOf(std::vector<std::uint32_t>{first, first});
    gpu::Buffer next = bufferOf(std::vector<std::uint32_t>(1));
    std::uint32_t draws = std::max<std::uint32_t>(count, static_cast<std::uint32_t>(each.size()));
    gpu::Buffer ring = bufferOf(std::vector<std::uint32_t>(draws, 0xffffffff));
    gpu::Buffer drawn = bufferOf(std::vector<std::uint32_t>(draws, 0xffffffff));
    gpu::Buffer settings = bufferOf(std::vector<shader::SampleSettings>{settingsOf(each[0])});
    shader::SampleParams params{.logits = values.address(),
                                .settings = settings.address(),
                                .state = state.address(),
                                .next_id = next.address(),
                                .ring = ring.address(),
                                .vocab = static_cast<std::uint32_t>(logits.size()),
                                .ring_size = draws};
    auto commands = test::expectValue(gpu::Commands::create(device(), "sample"));
    test::expectOk(commands.begin());
    for (std::uint32_t i = 0; i < draws; ++i) {
      if (each.size() > 1) {
        auto one = settingsOf(each[i]);
        std::uint32_t words[] = {first, first};
        commands.update(settings, std::as_bytes(std::span(&one, 1)));
        commands.update(state, std::as_bytes(std::span(words)));
      }
      commands.dispatch(*kernel, {1}, params, {.reads = {values, settings}, .writes = {state, next, ring}});
      commands.copy(next, {drawn, i * 4ull, 4});
    }
    test::expectOk(commands.end());
    test::expectOk(commands.submitAndWait());
    auto ids = contentOf<std::uint32_t>(drawn);
    if (each.size() == 1) {
      auto at_end = contentOf<std::uint32_t>(state);
      EXPECT_EQ(at_end[0], first + draws - 1);
      EXPECT_EQ(at_end[1], first + draws);
      auto kept = contentOf<std::uint32_t>(ring);
      for (std::uint32_t i = 0; i < draws; ++i) EXPECT_EQ(kept[(first + i) % draws], ids[i]);
    }
    return ids;
  }

  static std::vector<double> softmax(const std::vector<float>& logits, double temperature) {
    double top = *std::max_element(logits.begin(), logits.end()), sum = 0;
    std::vector<double> p;
    for (float l : logits) p.push_back(std::exp((l - top) / temperature));
    for (double v : p) sum += v;
    for (double& v : p) v /= sum;
    return p;
  }

  // Chi-square, ids too rare for it in one bin; 4.5 standard deviations beyond the mean fail.
  static void expectDistribution(const std::vector<std::uint32_t>& ids, const std::vector<double>& p) {
    std::vector<double> count(p.size());
    for (std::uint32_t id : ids) {
      ASSERT_LT(id, p.size());
      ++count[id];
    }
    double chi = 0, rare_seen = 0, rare_wanted = 0, bins = 0;
    auto add = [&](double seen, double wanted) {
      chi += (seen - wanted) * (seen - wanted) / wanted;
      ++bins;
    };
    for (std::size_t id = 0; id < p.size(); ++id) {
      double wanted = p[id] * static_cast<double>(ids.size());
      if (wanted >= 8) {
        add(count[id], wanted);
      } else {
        rare_seen += count[id];
        rare_wanted += wanted;
      }
    }
    if (rare_wanted > 1) add(rare_seen, rare_wanted);
    ASSERT_GE(bins, 2);
    EXPECT_LT(chi, bins - 1 + 4.5 * std::sqrt(2 * (bins - 1))) << bins << " bins";
  }

  // The ids that the filters leave, by sorting.
  static std::set<std::uint32_t> leftBy(const std::vector<float>& logits, const SamplingSettings& s) {
    std::vector<double> p = softmax(logits, s.temperature);
    std::vector<std::uint32_t> order(p.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return p[a] > p[b]; });
    if (s.top_k > 0) order.resize(std::min<std::size_t>(order.size(), s.top_k));
    double total = 0, sum = 0;
    for (auto id : order) total += p[id];
    std::set<std::uint32_t> left;
    for (auto id : order) {
      if (s.top_p < 1 && sum >= s.top_p * total) break;
      if (p[id] >= s.min_p * p[order[0]]) left.insert(id);
      sum += p[id];
    }
    return left;
  }

  // Exactly the set, with the frequencies of a softmax over it.
  void expectFiltered(const std::vector<float>& logits, const SamplingSettings& s) {
    SCOPED_TRACE(fmt::format("top_k {} top_p {} min_p {}", s.top_k, s.top_p, s.min_p));
    std::set<std::uint32_t> wanted = leftBy(logits, s);
    ASSERT_GE(wanted.size(), 3u);
    ASSERT_LE(wanted.size(), 100u) << "too many for every one to be drawn";
    auto ids = draw(logits, s, kDraws);
    EXPECT_EQ(std::set<std::uint32_t>(ids.begin(), ids.end()), wanted);
    std::vector<double> p = softmax(logits, s.temperature);
    double sum = 0;
    for (std::uint32_t id = 0; id < p.size(); ++id) sum += wanted.contains(id) ? p[id] : 0;
    for (std::uint32_t id = 0; id < p.size(); ++id) p[id] = wanted.contains(id) ? p[id] / sum : 0;
    expectDistribution(ids, p);
  }

  std::mt19937 random_{3};
  Kernels kernels_{device()};
};

TEST_F(SampleTest, GreedyIsTheFirstLargest) {
  for (std::uint32_t vocab : {1, 5, 1000, 49152}) {
    std::vector<float> logits = normalLogits(vocab, 3);
    for (float shift : {0.0f, -100.0f}) {
      for (float& l : logits) l += shift;
      auto best = static_cast<std::uint32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
      EXPECT_EQ(draw(logits, {}, 1)[0], best);
    }
    std::uint32_t first = vocab / 3, second = vocab - 1;
    logits[first] = logits[second] = 50;
    EXPECT_EQ(draw(logits, {}, 1)[0], first);
    EXPECT_EQ(draw(std::vector<float>(vocab, -2.5f), {}, 1)[0], 0u);
  }
}

TEST_F(SampleTest, FrequenciesOverPositionsAreTheSoftmax) {
  auto expectSoftmax = [&](std::uint32_t vocab, float spread, float temperature) {
    SCOPED_TRACE(fmt::format("vocabulary {} temperature {}", vocab, temperature));
    std::vector<float> logits = normalLogits(vocab, spread);
    expectDistribution(draw(logits, {.temperature = temperature, .seed = 42}, kDraws),
                       softmax(logits, temperature));
  };
  expectSoftmax(5, 1, 0.5f);
  expectSoftmax(5, 1, 3);
  expectSoftmax(1000, 2.5f, 1);
}

TEST_F(SampleTest, FrequenciesOverSeedsAreTheSoftmax) {
  std::vector<float> logits = {0.1f, -1.0f, 1.2f, 0.7f, -0.4f};
  for (int shift : {0, 32}) {  // both words of the seed count
    std::vector<SamplingSettings> each;
    for (std::uint64_t seed = 0; seed < kDraws; ++seed)
      each.push_back({.temperature = 1, .seed = seed << shift});
    expectDistribution(draw(logits, each, kDraws, 17), softmax(logits, 1));
  }
}

TEST_F(SampleTest, LargeVocabulary) {
  std::vector<float> logits = normalLogits(49152, 1);
  for (std::uint32_t id : {0, 31, 20000, 49151}) logits[id] = 11.5f;  // a fifth of the mass or so, each
  expectDistribution(draw(logits, {.temperature = 1, .seed = 5}, 500), softmax(logits, 1));
  std::vector<float> flat(49152);
  auto ids = draw(flat, {.temperature = 1, .seed = 6}, 64);  // probabilities of 2e-5 do not round to nothing
  EXPECT_GT(std::set<std::uint32_t>(ids.begin(), ids.end()).size(), 60u);
}

TEST_F(SampleTest, FiltersLeaveTheirSetAndAllOfIt) {
  std::vector<float> logits = normalLogits(1000, 1.5f);
  expectFiltered(logits, {.temperature = 2, .top_k = 7, .seed = 1});
  expectFiltered(logits, {.temperature = 0.8f, .top_p = 0.3f, .seed = 2});
  expectFiltered(logits, {.temperature = 0.8f, .min_p = 0.25f, .seed = 3});
  expectFiltered(logits, {.temperature = 1, .top_k = 40, .top_p = 0.7f, .seed = 4});
  expectFiltered(logits, {.temperature = 1, .top_k = 40, .top_p = 0.9f, .min_p = 0.3f, .seed = 5});
  expectFiltered({1, 2, 3, 2.5f, 0}, {.temperature = 1, .top_k = 3, .seed = 6});
  expectFiltered({1, 2, 3, 2.5f, 0}, {.temperature = 1, .top_k = 99, .seed = 7});
}

TEST_F(SampleTest, TheNarrowestFiltersAreGreedy) {
  std::vector<float> logits = normalLogits(1000, 1);
  auto best = static_cast<std::uint32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  for (const SamplingSettings& s :
       {SamplingSettings{.temperature = 5, .top_k = 1}, SamplingSettings{.temperature = 5, .top_p = 0},
        SamplingSettings{.temperature = 5, .min_p = 1}, SamplingSettings{.temperature = 1e-4f}})
    for (std::uint32_t id : draw(logits, s, 50)) EXPECT_EQ(id, best);
}

TEST_F(SampleTest, TheSeedDecides) {
  std::vector<float> logits = normalLogits(1000, 1);
  auto first = draw(logits, {.temperature = 1, .seed = 9}, 100, 30);
  EXPECT_EQ(draw(logits, {.temperature = 1, .seed = 9}, 100, 30), first);
  EXPECT_NE(draw(logits, {.temperature = 1, .seed = 10}, 100, 30), first);
  // The position decides, not how many were drawn before.
  auto later = draw(logits, {.temperature = 1, .seed = 9}, 50, 80);
  EXPECT_TRUE(std::equal(later.begin(), later.end(), first.begin() + 50));
}

TEST_F(SampleTest, NanAndInfinityAreNeverChosen) {
  std::vector<float> logits = {NAN, 1, -INFINITY, -NAN, 0.5f};
  EXPECT_EQ(draw(logits, {}, 1)[0], 1u);
  for (const SamplingSettings& s :
       {SamplingSettings{.temperature = 1}, SamplingSettings{.temperature = 1, .top_k = 4},
        SamplingSettings{.temperature = 1, .top_p = 0.999f},
        SamplingSettings{.temperature = 1, .min_p = 1e-6f}}) {
    auto ids = draw(logits, s, 400);
    EXPECT_EQ(std::set<std::uint32_t>(ids.begin(), ids.end()), (std::set<std::uint32_t>{1, 4}));
  }
}

}  // namespace
}  // namespace vitrine::core::sample_test
