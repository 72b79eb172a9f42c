// `vitrine trace --capture spectra` against LAPACK's SVD of the hidden states, keys and values of the same
// file.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "core/spectra/full_svd.h"
#include "core/trace/record_trace.h"
#include "support/gpu_fixture.h"
#include "support/latent_model.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"
#include "support/small_model.h"

namespace vitrine::core::spectra_trace_test {
namespace {

class SpectraTraceTest : public test::GpuTest {
 protected:
  // Writes and opens a trace of random tokens.
  std::shared_ptr<const Checkpoint> trace(Result<ModelSpec> spec, std::uint32_t tokens,
                                          CacheType cache = CacheType::kF32) {
    model_ = test::expectValue(Model::load(device(), test::expectValue(std::move(spec))));
    std::mt19937 random(6);
    std::vector<TokenId> ids(tokens);
    for (TokenId& id : ids) id = static_cast<TokenId>(random() % model_->spec().vocab_size);
    TraceOptions options = test::expectValue(parseCapture("hidden,kv,spectra"));
    options.cache = cache;
    const auto path = folder_.path() / "trace.safetensors";
    test::expectOk(recordTrace(model_, ids, options, path, {}));
    return test::expectValue(Checkpoint::open(path));
  }

  static std::vector<float> numbersOf(const TensorEntry& entry) {
    std::vector<float> values(entry.elements());
    std::memcpy(values.data(), entry.bytes.data(), values.size() * sizeof(float));
    return values;
  }

  // `found` has zeros behind the values of `rows`.
  static void expectSigma(std::span<const float> found, const DenseMatrix& rows, std::size_t expected_size) {
    const Eigen::VectorXd exact = test::expectValue(fullSvd(rows)).sigma;
    ASSERT_EQ(found.size(), expected_size);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto k = static_cast<Eigen::Index>(i);
      EXPECT_NEAR(found[i], k < exact.size() ? exact[k] : 0.0, 2e-7 * exact[0]) << i;
    }
  }

  // Of the last `window` rows of each head, or all; columns from `column` on.
  static void expectHeads(const Checkpoint& file, const std::string& sigma, const std::string& rows,
                          std::uint64_t window = 0, std::uint64_t column = 0) {
    SCOPED_TRACE(sigma);
    const TensorEntry *found = file.find(sigma), *stored = file.find(rows);
    ASSERT_NE(found, nullptr);
    ASSERT_NE(stored, nullptr);
    const std::uint64_t heads = stored->shape[0], tokens = stored->shape[1], all = stored->shape[2];
    const std::uint64_t width = all - column, first = window && window < tokens ? tokens - window : 0;
    ASSERT_EQ(found->shape, (std::vector<std::uint64_t>{heads, width}));
    const std::vector<float> values = numbersOf(*stored), numbers = numbersOf(*found);
    for (std::uint64_t head = 0; head < heads; ++head) {
      DenseMatrix matrix{tokens - first, width, {}};
      for (std::uint64_t t = first; t < tokens; ++t)
        for (std::uint64_t c = column; c < all; ++c)
          matrix.values.push_back(values[(head * tokens + t) * all + c]);
      expectSigma(std::span(numbers).subspan(head * width, width), matrix, width);
    }
  }

  void expectHidden(const Checkpoint& file) {
    for (std::uint32_t slot = 0; slot <= model_->layers(); ++slot) {
      SCOPED_TRACE(slot);
      const TensorEntry *found = file.find(fmt::format("hidden_sigma.{}", slot)),
                        *stored = file.find(fmt::format("hidden.{}", slot));
      ASSERT_NE(found, nullptr);
      ASSERT_NE(stored, nullptr);
      expectSigma(numbersOf(*found), {stored->shape[0], stored->shape[1], numbersOf(*stored)},
                  std::min(stored->shape[0], stored->shape[1]));
    }
  }

  test::ScratchFolder folder_;
  std::shared_ptr<const Model> model_;
};

TEST_F(SpectraTraceTest, AgreesWithTheSvdOfWhatItWrites) {
  for (const auto& [tokens, cache] :
       {std::pair{9u, CacheType::kF32}, {70u, CacheType::kF32}, {70u, CacheType::kF16}}) {
    SCOPED_TRACE(tokens);
    const auto file = trace(test::smallModel({.head_dim = 20}), tokens, cache);
    expectHidden(*file);
    for (const char* layer : {"0", "1"}) {
      expectHeads(*file, std::string("key_sigma.") + layer, std::string("k.") + layer);
      expectHeads(*file, std::string("value_sigma.") + layer, std::string("v.") + layer);
    }
  }
}

TEST_F(SpectraTraceTest, TakesMoreTokensThanAWindowHolds) {
  const auto file = trace(test::smallModel({.layers = 1, .context = 2048}), 1'100);
  expectHidden(*file);
  expectHeads(*file, "key_sigma.0", "k.0");
}

TEST_F(SpectraTraceTest, KnowsWindowsAndLatents) {
  const auto sliding = trace(test::smallModel({.sliding_window = 13}), 40);
  expectHidden(*sliding);
  expectHeads(*sliding, "key_sigma.1", "k.1", 13);
  expectHeads(*sliding, "value_sigma.0", "v.0", 13);
  const test::LatentSizes sizes;
  const auto latent = trace(test::latentModel(sizes), 40);
  expectHidden(*latent);
  expectHeads(*latent, "key_sigma.0", "k.0");
  expectHeads(*latent, "value_sigma.1", "k.1", 0, sizes.rotary);
}

TEST_F(SpectraTraceTest, LeavesOutWhatARecurrentMixerHasNot) {
  const auto shared = test::sharedDir();
  if (!shared) GTEST_SKIP() << "no ../shared";
  const auto file = trace(readModelSpec(test::expectValue(Checkpoint::open(*shared / "zoo" / "mamba2"))), 30);
  expectHidden(*file);
  EXPECT_EQ(file->find("key_sigma.0"), nullptr);
  EXPECT_EQ(file->find("value_sigma.0"), nullptr);
}

}  // namespace
}  // namespace vitrine::core::spectra_trace_test
