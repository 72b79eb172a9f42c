// Live spectra of keys and values.
#include <gmock/gmock.h>

#include <limits>

#include "core/engine/spectra_views_fixture.h"
#include "support/latent_model.h"
#include "support/shared_files.h"

namespace vitrine::core::spectra_views_test {
namespace {

using testing::HasSubstr;

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

}  // namespace
}  // namespace vitrine::core::spectra_views_test
