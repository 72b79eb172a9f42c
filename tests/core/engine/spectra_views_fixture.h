// A session with its live spectra, held against LAPACK's SVD of the same numbers, read back from its cache or
// captured.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "core/engine/spectra_views.h"
#include "core/spectra/full_svd.h"
#include "core/tensor/dequantize.h"
#include "support/golden.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/small_model.h"

namespace vitrine::core::spectra_views_test {

// Of the largest value: a double-precision Gram matrix's floor, and the float that a picture keeps.
inline constexpr double kExact = 2e-7;

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

}  // namespace vitrine::core::spectra_views_test
