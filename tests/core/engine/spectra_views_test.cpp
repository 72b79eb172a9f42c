// Live spectra of a session against LAPACK's SVD of the same numbers, read back from its cache or captured.
#include "core/engine/spectra_views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>

#include "core/engine/hidden_stream.h"
#include "core/spectra/full_svd.h"
#include "core/tensor/dequantize.h"
#include "support/golden.h"
#include "support/gpu_fixture.h"
#include "support/latent_model.h"
#include "support/numeric.h"
#include "support/shared_files.h"
#include "support/small_model.h"

namespace vitrine::core::spectra_views_test {
namespace {

using testing::HasSubstr;

// Of the largest value: a double-precision Gram matrix's floor, and the float that a picture keeps.
constexpr double kExact = 2e-7;

class SpectraViewsTest : public test::GpuTest {
 protected:
  void open(Result<ModelSpec> spec, SessionOptions options = {.context = 128, .cache = CacheType::kF32}) {
    spec_ = test::expectValue(std::move(spec));
    model_ = test::expectValue(Model::load(device(), spec_));
    session_ = test::expectValue(Session::create(model_, options));
    views_ = test::expectValue(SpectraViews::create(device()));
  }

  std::vector<TokenId> randomIds(std::size_t count, unsigned seed = 3) {
    std::mt19937 random(seed);
    std::vector<TokenId> ids(count);
    for (TokenId& id : ids) id = static_cast<TokenId>(random() % spec_.vocab_size);
    return ids;
  }

  // Rows [first, end) of a head, `width` numbers from `column` on.
  DenseMatrix cached(gpu::Slice cache, std::uint32_t head, std::uint32_t row_width, std::uint32_t first,
                     std::uint32_t end, std::uint32_t column, std::uint32_t width) {
    const bool halves = session_->options().cache == CacheType::kF16;
    const auto bytes = contentOf<std::byte>(cache);
    DenseMatrix rows{end - first, width, {}};
    for (std::uint32_t t = first; t < end; ++t)
      for (std::uint32_t c = column; c < column + width; ++c) {
        const std::size_t at = (std::size_t{head} * session_->context() + t) * row_width + c;
        float value;
        std::uint16_t half;
        std::memcpy(&half, &bytes[at * 2], 2);
        if (!halves) std::memcpy(&value, &bytes[at * 4], 4);
        rows.values.push_back(halves ? halfToFloat(half) : value);
      }
    return rows;
  }

  static std::vector<double> exactSigma(const DenseMatrix& rows) {
    const FullSvd svd = test::expectValue(fullSvd(rows));
    return {svd.sigma.begin(), svd.sigma.end()};
  }

  static void expectSigma(const StreamSpectrum& found, const std::vector<double>& expected,
                          double tolerance = kExact) {
    EXPECT_EQ(found.refused, "");
    ASSERT_EQ(found.sigma.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(found.sigma[i], expected[i], tolerance * expected[0]) << i;
    const SpectrumMetrics metrics = spectrumMetrics(expected, gramFloor(expected[0]));
    EXPECT_NEAR(found.stable_rank, metrics.stable_rank, 1e-5 * metrics.stable_rank);
    EXPECT_NEAR(found.effective_rank, metrics.effective_rank, 1e-4 * metrics.effective_rank);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(found.energy_rank[i], metrics.energy_rank[i]);
  }

  // Keys and values of every head of every attention.
  void expectCacheSpectra(std::uint32_t window = 0) {
    for (const SpectraOf of : {SpectraOf::kKeys, SpectraOf::kValues}) {
      const SpectraPicture picture =
          test::expectValue(views_->spectra(*session_, {.of = of, .window = window}));
      EXPECT_EQ(picture.tokens, session_->length());
      ASSERT_EQ(picture.layers.size(), model_->layers());
      for (const LayerSpectra& layer : picture.layers) {
        SCOPED_TRACE(fmt::format("layer {}, {}", layer.layer, of == SpectraOf::kKeys ? "keys" : "values"));
        const AttentionSpec* spec = model_->attention(layer.layer);
        ASSERT_EQ(layer.heads.size(), spec ? spec->kv_heads : 0u);
        EXPECT_EQ(layer.none.empty(), spec != nullptr);
        if (!spec) continue;
        const bool latent_values = spec->latent && of == SpectraOf::kValues;
        const std::uint32_t width = latent_values ? spec->latent->rank : spec->head_dim;
        EXPECT_EQ(layer.width, width);
        EXPECT_EQ(layer.end, session_->length());
        std::uint32_t most = session_->length();
        if (spec->sliding_window > 0) most = std::min(most, spec->sliding_window);
        if (window > 0) most = std::min(most, window);
        EXPECT_EQ(layer.first, session_->length() - most);
        const AttentionRecord record = session_->record(layer.layer);
        for (std::uint32_t head = 0; head < spec->kv_heads; ++head)
          expectSigma(layer.heads[head],
                      exactSigma(cached(of == SpectraOf::kKeys || spec->latent ? record.k : record.v, head,
                                        spec->head_dim, layer.first, layer.end,
                                        latent_values ? spec->head_dim - width : 0, width)));
      }
    }
  }

  // Every slot's, against captured hidden states (tokens, width).
  void expectHiddenSpectra(const Capture& capture, std::uint32_t window = 0, double tolerance = kExact) {
    const SpectraPicture picture =
        test::expectValue(views_->spectra(*session_, {.of = SpectraOf::kActivations, .window = window}));
    ASSERT_EQ(picture.layers.size(), model_->layers() + 1);
    const std::uint32_t width = spec_.embedding_dim;
    for (const LayerSpectra& layer : picture.layers) {
      SCOPED_TRACE(layer.layer);
      ASSERT_EQ(layer.heads.size(), 1u);
      EXPECT_EQ(layer.end, session_->length());
      EXPECT_EQ(layer.first, window && window < layer.end ? layer.end - window : 0);
      const auto& all = capture.hidden_states[layer.layer];
      DenseMatrix rows{layer.end - layer.first, width, {}};
      rows.values.assign(all.begin() + std::ptrdiff_t(layer.first) * width, all.end());
      ASSERT_EQ(rows.values.size(), rows.rows * width);
      expectSigma(layer.heads[0], exactSigma(rows), tolerance);
    }
  }

  Capture capturing() { return {.hidden = true, .logits = false, .hidden_states = {}, .logit_rows = {}}; }

  ModelSpec spec_;
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<SpectraViews> views_;
};

TEST_F(SpectraViewsTest, FollowAGrowingCache) {
  for (const CacheType cache : {CacheType::kF32, CacheType::kF16}) {
    SCOPED_TRACE(cache == CacheType::kF16 ? "F16" : "F32");
    open(test::smallModel({.head_dim = 20}), {.context = 96, .cache = cache});
    if (!model_) return;
    const auto ids = randomIds(50);
    test::expectOk(session_->prefill(std::span(ids).first(1)));
    expectCacheSpectra();
    test::expectOk(session_->prefill(std::span(ids).subspan(1, 6)));
    expectCacheSpectra();  // fewer tokens than a head is wide
    test::expectOk(session_->prefill(std::span(ids).subspan(7)));
    expectCacheSpectra();
    ASSERT_TRUE(session_->decode(9, {.temperature = 1, .seed = 4}, {}, {}));
    expectCacheSpectra();
    expectCacheSpectra(13);
    expectCacheSpectra();
  }
}

TEST_F(SpectraViewsTest, StartAnewWhereTheSequenceDoes) {
  open(test::smallModel({.head_dim = 12}));
  const auto ids = randomIds(60), others = randomIds(60, 9);
  test::expectOk(session_->prefill(ids));
  expectCacheSpectra();
  test::expectOk(session_->truncate(20));
  expectCacheSpectra();
  // As long as before: only the revision tells.
  test::expectOk(session_->truncate(10));
  test::expectOk(session_->prefill(std::span(others).first(50)));
  expectCacheSpectra();
  test::expectOk(session_->truncate(0));
  EXPECT_FALSE(views_->spectra(*session_, {}));
  test::expectOk(session_->prefill(std::span(others).first(3)));
  expectCacheSpectra();
}

// What a sequence had when it was shorter.
TEST_F(SpectraViewsTest, TellOfLengthsSinceTheLastPicture) {
  for (const SpectraOf of : {SpectraOf::kActivations, SpectraOf::kKeys}) {
    open(test::smallModel({.sliding_window = 9}));
    test::expectOk(session_->followHidden(HiddenStreamOptions{.window = 24}));
    const auto ids = randomIds(50);
    const std::uint32_t window = of == SpectraOf::kKeys ? 20 : 0;  // as one and as the other shows more
    const SpectraRequest request{.of = of, .window = window, .earlier = 3};
    test::expectOk(session_->prefill(ids));
    const SpectraPicture all = test::expectValue(views_->spectra(*session_, request));
    ASSERT_EQ(all.earlier.size(), 3u);
    EXPECT_EQ(all.tokens, 50u);
    for (std::size_t i = 0; i < 3; ++i) {
      const SpectraPicture& earlier = all.earlier[i];
      EXPECT_EQ(earlier.tokens, 50 * (i + 1) / 4);
      auto shorter = test::expectValue(Session::create(model_, {.context = 128, .cache = CacheType::kF32}));
      auto views = test::expectValue(SpectraViews::create(device()));
      test::expectOk(shorter->followHidden(HiddenStreamOptions{}));
      test::expectOk(shorter->prefill(std::span(ids).first(earlier.tokens)));
      const SpectraPicture expected =
          test::expectValue(views->spectra(*shorter, {.of = of, .window = window}));
      ASSERT_EQ(earlier.layers.size(), expected.layers.size());
      for (std::size_t layer = 0; layer < expected.layers.size(); ++layer) {
        EXPECT_EQ(earlier.layers[layer].first, expected.layers[layer].first);
        EXPECT_CLOSE(earlier.layers[layer].heads[0].sigma, expected.layers[layer].heads[0].sigma, 1e-5);
      }
    }
    EXPECT_TRUE(test::expectValue(views_->spectra(*session_, request)).earlier.empty());
    ASSERT_TRUE(session_->decode(8, {}, {}, {}));
    const SpectraPicture grown = test::expectValue(views_->spectra(*session_, request));
    ASSERT_EQ(grown.earlier.size(), 3u);
    EXPECT_EQ(grown.earlier[0].tokens, 52u);
    EXPECT_EQ(grown.stream, all.stream);
    test::expectOk(session_->truncate(0));
    test::expectOk(session_->prefill(std::span(ids).first(2)));
    const SpectraPicture other = test::expectValue(views_->spectra(*session_, request));
    EXPECT_EQ(other.earlier.size(), 1u);
    EXPECT_NE(other.stream, all.stream);
  }
}

TEST_F(SpectraViewsTest, FindEigenvaluesOnTheDeviceToo) {
  auto views = SpectraViews::create(device(), SpectraViews::Solver::kDevice);
  if (!views) GTEST_SKIP() << views.error().describe();
  open(test::smallModel({.layers = 3, .head_dim = 20}));
  views_ = std::move(*views);
  test::expectOk(session_->followHidden(HiddenStreamOptions{.window = 32}));
  Capture capture = capturing();
  const auto ids = randomIds(80);
  for (const std::uint32_t count : {5u, 27u, 48u}) {
    test::expectOk(session_->prefill(std::span(ids).subspan(session_->length(), count), {}, {}, &capture));
    expectCacheSpectra();
    expectHiddenSpectra(capture);
    expectHiddenSpectra(capture, 32);
  }
  open(test::latentModel({}));  // keys and values of different widths
  views_ = test::expectValue(SpectraViews::create(device(), SpectraViews::Solver::kDevice));
  test::expectOk(session_->prefill(randomIds(50)));
  expectCacheSpectra();
  const gpu::Slice k = session_->record(1).k;
  const float bad = std::numeric_limits<float>::quiet_NaN();
  const std::uint64_t at = (17 * k.bytes / sizeof(float) / session_->context() + 5) * sizeof(float);
  test::expectOk(
      gpu::upload(device(), std::as_bytes(std::span(&bad, 1)), {*k.buffer, k.offset + at, sizeof(float)}));
  views_->forget();
  const SpectraPicture picture = test::expectValue(views_->spectra(*session_, {}));
  EXPECT_THAT(picture.layers[1].heads[0].refused, HasSubstr("number 5 of token 17 is nan"));
  EXPECT_EQ(picture.layers[0].heads[0].refused, "");
}

TEST_F(SpectraViewsTest, LetRowsLeaveASlidingWindow) {
  open(test::smallModel({.layers = 2, .sliding_window = 17}));
  const auto ids = randomIds(70);
  for (std::uint32_t first = 0; first < 70; first += 10) {
    test::expectOk(session_->prefill(std::span(ids).subspan(first, 10)));
    expectCacheSpectra();
  }
  expectCacheSpectra(5);
}

TEST_F(SpectraViewsTest, TakeTheLatentAsTheBlock) {
  open(test::latentModel({}));
  const auto ids = randomIds(45);
  test::expectOk(session_->prefill(std::span(ids).first(11)));
  expectCacheSpectra();
  test::expectOk(session_->prefill(std::span(ids).subspan(11)));
  expectCacheSpectra();
}

TEST_F(SpectraViewsTest, SayWhyARecurrentMixerHasNone) {
  const auto shared = test::sharedDir();
  if (!shared) GTEST_SKIP() << "no ../shared";
  for (const char* zoo : {"mamba2", "qwen3-next"}) {
    SCOPED_TRACE(zoo);
    open(readModelSpec(test::expectValue(Checkpoint::open(*shared / "zoo" / zoo))),
         {.context = 64, .cache = CacheType::kF32});
    test::expectOk(session_->prefill(randomIds(20)));
    expectCacheSpectra();
    const SpectraPicture picture = test::expectValue(views_->spectra(*session_, {}));
    EXPECT_THAT(picture.layers[0].none, HasSubstr("carries a state from token to token"));
  }
}

// As models have them: a first token, and now and then another, hundreds of times larger than the rest.
TEST_F(SpectraViewsTest, StayExactBesideOutliers) {
  constexpr std::uint32_t kTokens = 900;
  open(test::smallModel({.layers = 1, .head_dim = 24, .context = 1024}),
       {.context = 1024, .cache = CacheType::kF32});
  const auto ids = randomIds(kTokens);
  test::expectOk(session_->prefill(std::span(ids).first(400)));
  const AttentionRecord record = session_->record(0);
  for (const std::uint32_t token : {0u, 133u, 391u})
    for (const gpu::Slice& cache : {record.k, record.v}) {
      const std::uint64_t at = token * 24 * sizeof(float);
      auto row = contentOf<float>({*cache.buffer, cache.offset + at, 24 * sizeof(float)});
      for (float& value : row) value *= 700;
      test::expectOk(gpu::upload(device(), std::as_bytes(std::span(row)),
                                 {*cache.buffer, cache.offset + at, 24 * sizeof(float)}));
    }
  for (const SpectraOf of : {SpectraOf::kKeys, SpectraOf::kValues})
    test::expectValue(views_->spectra(*session_, {.of = of}));
  test::expectOk(session_->prefill(std::span(ids).subspan(400)));
  expectCacheSpectra();
}

TEST_F(SpectraViewsTest, RefuseWhatIsNotFiniteWithItsPlace) {
  open(test::smallModel({.head_dim = 12}));
  test::expectOk(session_->prefill(randomIds(30)));
  const gpu::Slice k = session_->record(1).k;
  const float bad = std::numeric_limits<float>::infinity();
  const std::uint64_t at = ((1 * session_->context() + 17) * 12 + 5) * sizeof(float);
  test::expectOk(
      gpu::upload(device(), std::as_bytes(std::span(&bad, 1)), {*k.buffer, k.offset + at, sizeof(float)}));
  const SpectraPicture picture = test::expectValue(views_->spectra(*session_, {}));
  EXPECT_THAT(picture.layers[1].heads[1].refused, HasSubstr("number 5 of token 17 is inf"));
  EXPECT_TRUE(picture.layers[1].heads[1].sigma.empty());
  EXPECT_EQ(picture.layers[1].heads[0].refused, "");
  EXPECT_EQ(picture.layers[1].heads[0].sigma.size(), 12u);
}

TEST_F(SpectraViewsTest, FollowHiddenStates) {
  open(test::smallModel());
  EXPECT_FALSE(views_->spectra(*session_, {.of = SpectraOf::kActivations}));
  test::expectOk(session_->followHidden(HiddenStreamOptions{.window = 32}));
  EXPECT_TRUE(session_->hidden()->exact());
  const auto ids = randomIds(110);
  Capture capture = capturing();
  for (const std::uint32_t count : {1u, 5u, 20u, 6u, 53u, 25u}) {  // the ring's 544 rows, the window's 32
    const std::span<const TokenId> part = std::span(ids).subspan(session_->length(), count);
    test::expectOk(session_->prefill(part, {}, {}, &capture));
    expectHiddenSpectra(capture);
    expectHiddenSpectra(capture, 11);
    expectHiddenSpectra(capture, 32);
  }
  const auto beyond = views_->spectra(*session_, {.of = SpectraOf::kActivations, .window = 33});
  ASSERT_FALSE(beyond);
  EXPECT_THAT(beyond.error().message, HasSubstr("at most 32"));
}

TEST_F(SpectraViewsTest, FollowWhatIsGenerated) {
  open(test::smallModel());
  test::expectOk(session_->followHidden(HiddenStreamOptions{.window = 24}));
  test::expectOk(session_->prefill(randomIds(7)));
  ASSERT_TRUE(session_->decode(3, {}, {}, {}));
  ASSERT_TRUE(session_->decode(40, {.temperature = 1, .seed = 2}, {}, {}));
  (void)test::expectValue(session_->logits());
  const std::vector<TokenId> all(session_->tokens().begin(), session_->tokens().end());
  auto other = test::expectValue(Session::create(model_, {.context = 128, .cache = CacheType::kF32}));
  Capture capture = capturing();
  test::expectOk(other->prefill(all, {}, {}, &capture));
  expectHiddenSpectra(capture, 0, 1e-5);
  expectHiddenSpectra(capture, 24, 1e-5);
}

TEST_F(SpectraViewsTest, KnowWhichHiddenStatesTheyCover) {
  open(test::smallModel());
  const auto ids = randomIds(40);
  test::expectOk(session_->prefill(std::span(ids).first(10)));
  test::expectOk(session_->followHidden(HiddenStreamOptions{}));
  test::expectOk(session_->prefill(std::span(ids).subspan(10, 10)));
  EXPECT_EQ(session_->hidden()->first(), 10u);
  EXPECT_EQ(session_->hidden()->end(), 20u);
  test::expectOk(session_->readAgain());
  EXPECT_EQ(session_->length(), 20u);
  EXPECT_EQ(session_->hidden()->first(), 0u);
  EXPECT_EQ(session_->hidden()->end(), 20u);

  test::expectOk(session_->truncate(15));
  EXPECT_EQ(session_->hidden()->first(), session_->hidden()->end());
  EXPECT_FALSE(views_->spectra(*session_, {.of = SpectraOf::kActivations}));
  (void)test::expectValue(session_->logits());  // reads the last token again
  test::expectOk(session_->truncate(0));
  Capture capture = capturing();
  test::expectOk(session_->prefill(ids, {}, {}, &capture));
  expectHiddenSpectra(capture);

  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(session_->readAgain(stop.get_token()));
  EXPECT_EQ(session_->length(), 40u);
  EXPECT_EQ(session_->hidden()->first(), session_->hidden()->end());
  auto fresh = test::expectValue(Session::create(model_, {.context = 128, .cache = CacheType::kF32}));
  test::expectOk(fresh->prefill(ids));
  EXPECT_CLOSE(test::expectValue(session_->logits()), test::expectValue(fresh->logits()), 1e-5);
  test::expectOk(session_->followHidden({}));
  EXPECT_EQ(session_->hidden(), nullptr);
  ASSERT_TRUE(session_->decode(3, {}, {}, {}));
}

TEST_F(SpectraViewsTest, RefuseHiddenStatesThatAreNotFinite) {
  open(test::smallModel());
  for (const std::uint32_t widest : {1024u, 0u}) {
    test::expectOk(session_->followHidden(
        HiddenStreamOptions{.window = 8, .widest_exact = widest, .rank = 4, .shown = 4}));
    test::expectOk(session_->truncate(0));
    test::expectOk(session_->prefill(randomIds(9)));  // waits to be summed
    const HiddenStream& hidden = *session_->hidden();
    const float bad = std::numeric_limits<float>::quiet_NaN();
    const std::uint64_t row = hidden.stride() * sizeof(float);
    const std::uint64_t at = (hidden.ringRows() + 6) * row + 7 * sizeof(float);  // of slot 1, token 6
    test::expectOk(
        gpu::upload(device(), std::as_bytes(std::span(&bad, 1)), {hidden.ring(), at, sizeof(float)}));
    for (const std::uint32_t window : {0u, 5u}) {
      const SpectraPicture picture =
          test::expectValue(views_->spectra(*session_, {.of = SpectraOf::kActivations, .window = window}));
      EXPECT_THAT(picture.layers[1].heads[0].refused, HasSubstr("number 7 of token 6 is nan"));
      EXPECT_EQ(picture.layers[0].heads[0].refused, "");
      EXPECT_GT(picture.layers[0].heads[0].sigma.size(), 3u);
    }
  }
}

// The sketch that stands for a Gram matrix where hidden states are wide.
TEST_F(SpectraViewsTest, BoundWhatASketchLoses) {
  constexpr std::uint32_t kTokens = 700;
  open(test::smallModel({.layers = 2, .context = 1024}), {.context = 1024, .cache = CacheType::kF32});
  for (const std::uint32_t rank : {47u, 20u}) {
    SCOPED_TRACE(rank);
    test::expectOk(session_->truncate(0));
    test::expectOk(session_->followHidden(
        HiddenStreamOptions{.window = 16, .widest_exact = 0, .rank = rank, .shown = rank - 3}));
    EXPECT_FALSE(session_->hidden()->exact());
    Capture capture = capturing();
    session_->setPrefillChunk(91);
    test::expectOk(session_->prefill(randomIds(kTokens), {}, {}, &capture));
    const SpectraPicture picture =
        test::expectValue(views_->spectra(*session_, {.of = SpectraOf::kActivations}));
    for (const LayerSpectra& layer : picture.layers) {
      SCOPED_TRACE(layer.layer);
      const std::vector<double> exact =
          exactSigma({kTokens, spec_.embedding_dim, capture.hidden_states[layer.layer]});
      const StreamSpectrum& found = layer.heads[0];
      ASSERT_EQ(found.sigma.size(), rank - 3);
      EXPECT_TRUE(found.sketch);
      EXPECT_GT(found.slack, 0);
      for (std::size_t i = 0; i < found.sigma.size(); ++i) {
        const double value = found.sigma[i];
        EXPECT_LE(value, exact[i] + 1e-6 * exact[0]) << i;
        EXPECT_GE(std::sqrt(value * value + found.slack), exact[i] * (1 - 1e-6)) << i;
      }
      EXPECT_NEAR(found.sigma[0], exact[0], 1e-3 * exact[0]);
      const SpectrumMetrics metrics = spectrumMetrics(exact, 0);
      EXPECT_NEAR(found.stable_rank, metrics.stable_rank, 2e-3 * metrics.stable_rank);
      EXPECT_LE(found.effective_rank, metrics.effective_rank);
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_TRUE(found.energy_rank[i] == 0 || found.energy_rank[i] >= metrics.energy_rank[i]) << i;
    }
  }
}

TEST_F(SpectraViewsTest, HaveASketchThatIsExactWhereEverythingFits) {
  open(test::smallModel());
  test::expectOk(
      session_->followHidden(HiddenStreamOptions{.window = 16, .widest_exact = 0, .rank = 48, .shown = 48}));
  Capture capture = capturing();
  test::expectOk(session_->prefill(randomIds(100), {}, {}, &capture));
  expectHiddenSpectra(capture, 0, 1e-5);
  EXPECT_LE(session_->hidden()->sketches()[1].left_out, 1e-10 * session_->hidden()->sketches()[1].energy);
}

}  // namespace
}  // namespace vitrine::core::spectra_views_test
