#include "core/model/block_weights.h"

#include <algorithm>

namespace vitrine::core {
namespace {

bool sameType(const WeightRef& a, const WeightRef& b) {
  return a.tensor->valueType() == b.tensor->valueType();
}

Result<gpu::Buffer> headGain(WeightLoader& loader, const std::optional<Norm>& norm,
                             const AttentionSpec& spec) {
  if (!norm) return gpu::Buffer();
  RowSource rows = rowsOf(norm->weight);
  if (spec.rope) pairUp(rows, spec.head_dim, *spec.rope);
  TRY_ASSIGN(auto values, readFloats(rows));
  for (float& value : values) value += norm->gain_offset;
  return loader.vector(values, "head norm gain");
}

// What enters the scores of each head beside q . k: zeros for the term that a model lacks.
Result<gpu::Buffer> headTerms(WeightLoader& loader, const AttentionSpec& spec) {
  if (spec.alibi_slopes.empty() && !spec.sinks) return gpu::Buffer();
  VITRINE_ASSERT(spec.alibi_slopes.empty() || spec.alibi_slopes.size() == spec.heads);
  std::vector<float> terms = spec.alibi_slopes;
  terms.resize(spec.heads);
  if (spec.sinks) {
    VITRINE_ASSERT(spec.sinks.rows == spec.heads);
    TRY_ASSIGN(const auto sinks, readFloats(rowsOf(spec.sinks)));
    terms.insert(terms.end(), sinks.begin(), sinks.end());
  }
  return loader.vector(terms, "attention head terms");
}

// Collects q, k and v: neighbours of one type become one matrix.
class QkvParts {
 public:
  QkvParts(WeightLoader& loader, const AttentionSpec& spec) : loader_(loader), spec_(spec) {}

  Result<std::vector<AttentionWeights::Part>> all() {
    TRY(add(spec_.query, Turns::kYes));
    TRY(add(spec_.key, Turns::kYes));
    TRY(add(spec_.value, Turns::kNo));
    TRY(flush());
    return std::move(parts_);
  }

 private:
  enum class Turns { kYes, kNo };

  // Those of q and k in paired order.
  RowSource turned(RowSource rows, Turns turns) const {
    if (turns == Turns::kYes && spec_.rope) pairUp(rows, spec_.head_dim, *spec_.rope);
    return rows;
  }

  Result<void> add(const Linear& linear, Turns turns) {
    RowSource rows = turned(rowsOf(linear), turns);
    std::vector<float> bias(rows.rows.size(), 0.0f);
    if (linear.bias) {
      TRY_ASSIGN(bias, readFloats(turned(rowsOf(linear.bias), turns)));
    }
    if (pending_ && pending_->type != rows.type) TRY(flush());
    if (!pending_) {
      pending_.emplace(RowSource{.type = rows.type, .columns = rows.columns, .rows = {}});
      pending_row_ = row_;
    }
    row_ += static_cast<std::uint32_t>(rows.rows.size());
    append(*pending_, rows);
    bias_.insert(bias_.end(), bias.begin(), bias.end());
    return {};
  }

  Result<void> flush() {
    if (!pending_) return {};
    bool biased = std::any_of(bias_.begin(), bias_.end(), [](float v) { return v != 0; });
    TRY_ASSIGN(auto packed, loader_.matrix(*pending_, biased ? bias_ : std::vector<float>{}, "qkv"));
    parts_.push_back({std::move(packed), pending_row_});
    pending_.reset();
    bias_.clear();
    return {};
  }

  WeightLoader& loader_;
  const AttentionSpec& spec_;
  std::vector<AttentionWeights::Part> parts_;
  std::optional<RowSource> pending_;
  std::vector<float> bias_;
  std::uint32_t row_ = 0, pending_row_ = 0;
};

}  // namespace

Result<AttentionWeights> upload(WeightLoader& loader, const AttentionSpec& spec) {
  AttentionWeights weights;
  if (spec.latent) {
    TRY_ASSIGN(weights.latent, uploadLatent(loader, spec));
  } else {
    TRY_ASSIGN(weights.qkv, QkvParts(loader, spec).all());
  }
  TRY_ASSIGN(weights.output, loader.linear(spec.output, "attention output"));
  TRY_ASSIGN(weights.query_gain, headGain(loader, spec.query_norm, spec));
  TRY_ASSIGN(weights.key_gain, headGain(loader, spec.key_norm, spec));
  TRY_ASSIGN(weights.head_terms, headTerms(loader, spec));
  if (spec.gate) {
    TRY_ASSIGN(weights.gate, loader.linear(*spec.gate, "attention gate"));
  }
  return weights;
}

Result<MlpWeights> upload(WeightLoader& loader, const DenseMlpSpec& spec) {
  MlpWeights weights;
  if (spec.gate && spec.gate_scale == 1 && sameType(spec.gate->weight, spec.up.weight) &&
      bool(spec.gate->bias) == bool(spec.up.bias)) {
    std::vector<float> bias;
    if (spec.up.bias) {
      TRY_ASSIGN(bias, readFloats(interleave(spec.gate->bias, spec.up.bias)));
    }
    TRY_ASSIGN(weights.gate_up, loader.matrix(interleave(*spec.gate, spec.up), bias, "gate and up"));
  } else {
    if (spec.gate) {
      TRY_ASSIGN(weights.gate, loader.linear(*spec.gate, "gate"));
    }
    TRY_ASSIGN(weights.up, loader.linear(spec.up, "up"));
  }
  TRY_ASSIGN(weights.down, loader.linear(spec.down, "down"));
  return weights;
}

Result<BlockWeights> upload(WeightLoader& loader, const BlockSpec& spec, std::uint32_t embedding_dim) {
  BlockWeights weights;
  TRY_ASSIGN(weights.mixer_norm, loader.norm(spec.mixer_norm, embedding_dim));
  TRY_ASSIGN(weights.mixer_post_norm, loader.norm(spec.mixer_post_norm, embedding_dim));
  for (const MixerSpec& mixer : spec.mixers) {
    auto uploaded = std::visit(
        [&](const auto& kind) -> Result<MixerWeights> {
          TRY_ASSIGN(auto one, upload(loader, kind));
          return MixerWeights(std::move(one));
        },
        mixer);
    if (!uploaded) return tl::unexpected(std::move(uploaded).error());
    weights.mixers.push_back(std::move(*uploaded));
  }
  TRY_ASSIGN(weights.channel_norm, loader.norm(spec.channel_norm, embedding_dim));
  TRY_ASSIGN(weights.channel_post_norm, loader.norm(spec.channel_post_norm, embedding_dim));
  if (spec.channel) {
    TRY_ASSIGN(weights.channel, std::visit(
                                    [&](const auto& kind) -> Result<ChannelWeights> {
                                      TRY_ASSIGN(auto one, upload(loader, kind));
                                      return ChannelWeights(std::move(one));
                                    },
                                    *spec.channel));
  }
  return weights;
}

}  // namespace vitrine::core
