// Live spectra of hidden states, exact and by a sketch.
#include "core/engine/hidden_stream.h"

#include <gmock/gmock.h>

#include <limits>

#include "core/engine/spectra_views_fixture.h"

namespace vitrine::core::spectra_views_test {
namespace {

using testing::HasSubstr;

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
