// Whole passes with what an attention may have beyond q . k, against the reference: alone and together, for
// prompts at once, in chunks and token by token.
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "core/engine/session.h"
#include "core/reference/reference.h"
#include "support/gpu_fixture.h"
#include "support/numeric.h"
#include "support/small_model.h"

namespace vitrine::core::attention_features_test {
namespace {

constexpr double kTolerance = 2e-5;  // relative, float32 weights and cache against double precision

using Change = std::function<void(const ModelSpec&, AttentionSpec&)>;

// The first `rows` entries of a vector of the model.
WeightRef firstOf(WeightRef vector, std::uint32_t rows) {
  vector.rows = rows;
  return vector;
}

void gate(const ModelSpec&, AttentionSpec& attention) {
  attention.gate = attention.query;  // of the same shape
}

void sinks(const ModelSpec& spec, AttentionSpec& attention) {
  attention.sinks = firstOf(spec.final_norm.weight, attention.heads);
}

void softCap(const ModelSpec&, AttentionSpec& attention) {
  attention.soft_cap = 0.75f;
}

void alibi(const ModelSpec&, AttentionSpec& attention) {
  for (std::uint32_t head = 0; head < attention.heads; ++head)
    attention.alibi_slopes.push_back(0.5f / static_cast<float>(head + 1));
}

void jointNorms(const ModelSpec& spec, AttentionSpec& attention) {
  const auto norm = [&](std::uint32_t width) {
    return Norm{.weight = firstOf(spec.final_norm.weight, width), .epsilon = 1e-3f, .gain_offset = 0.5f};
  };
  attention.query_norm = norm(attention.heads * attention.head_dim);
  attention.key_norm = norm(attention.kv_heads * attention.head_dim);
}

void keyNormPerHead(const ModelSpec& spec, AttentionSpec& attention) {
  attention.key_norm = Norm{.weight = firstOf(spec.final_norm.weight, attention.head_dim)};
}

void partialInterleavedRope(const ModelSpec&, AttentionSpec& attention) {
  attention.rope = Rope{.pairing = RopePairing::kInterleaved, .rotary_dim = 4, .inv_freq = {1, 0.1}};
}

void noRope(const ModelSpec&, AttentionSpec& attention) {
  attention.rope.reset();
}

class AttentionFeaturesTest : public test::GpuTest {
 protected:
  void expectReference(const std::vector<Change>& changes, const test::SmallSizes& sizes = {}) {
    ModelSpec spec = test::expectValue(test::smallModel(sizes));
    for (BlockSpec& block : spec.blocks)
      for (const Change& change : changes) change(spec, std::get<AttentionSpec>(block.mixers[0]));
    auto model = test::expectValue(Model::load(device(), spec));
    std::mt19937 random(3);
    std::vector<TokenId> ids(37);
    for (TokenId& id : ids) id = static_cast<TokenId>(random() % spec.vocab_size);
    const auto pass = test::expectValue(referenceForward(spec, ids));
    for (std::uint32_t chunk : {64, 7, 1}) {
      SCOPED_TRACE(fmt::format("chunks of {}", chunk));
      auto session = test::expectValue(Session::create(model, {.context = 64, .cache = CacheType::kF32}));
      session->setPrefillChunk(chunk);
      Capture capture{.hidden = false, .logits = true, .hidden_states = {}, .logit_rows = {}};
      test::expectOk(session->prefill(ids, {}, {}, &capture));
      EXPECT_CLOSE(capture.logit_rows,
                   std::span(pass.logits.data(), static_cast<std::size_t>(pass.logits.size())), kTolerance);
    }
  }
};

TEST_F(AttentionFeaturesTest, EachAlone) {
  const std::pair<const char*, Change> features[] = {
      {"gate", gate},
      {"sinks", sinks},
      {"soft cap", softCap},
      {"alibi", alibi},
      {"joint norms", jointNorms},
      {"norm of k alone", keyNormPerHead},
      {"partial interleaved rope", partialInterleavedRope},
      {"no rope", noRope},
  };
  for (const auto& [name, change] : features) {
    SCOPED_TRACE(name);
    expectReference({change});
  }
}

TEST_F(AttentionFeaturesTest, AllTogether) {
  expectReference({gate, sinks, softCap, alibi, jointNorms, partialInterleavedRope}, {.sliding_window = 9});
}

// Heads of 12 dimensions, three groups of five.
TEST_F(AttentionFeaturesTest, OddShapes) {
  expectReference({gate, sinks, alibi, partialInterleavedRope},
                  {.width = 180, .heads = 15, .kv_heads = 3, .head_dim = 12});
  expectReference({jointNorms, softCap}, {.width = 180, .heads = 15, .kv_heads = 3, .head_dim = 12});
}

}  // namespace
}  // namespace vitrine::core::attention_features_test
