#include "core/arch/support/decoder_weights.h"

#include <cmath>

namespace vitrine::core::arch {
namespace {

constexpr Key kAttentionBias = {"attention_bias", ""};
constexpr Key kMlpBias = {"mlp_bias", ""};

}  // namespace

DecoderWeights::DecoderWeights(const Source& source, const DecoderTraits& traits, const DecoderSizes& sizes)
    : weights_(&source.weights), traits_(&traits), sizes_(&sizes), gguf_(source.hparams.isGguf()) {
  const bool bare = weights_->has(fmt::format("{}.weight", traits.names.embedding.hf));
  if (!gguf_ && !bare) prefix_ = traits.names.prefix;
}

Result<DecoderWeights> DecoderWeights::create(const Source& source, const DecoderTraits& traits,
                                              const DecoderSizes& sizes) {
  DecoderWeights read(source, traits, sizes);
  TRY_ASSIGN(const bool attention, source.hparams.flagOr(kAttentionBias, false));
  TRY_ASSIGN(const bool mlp, source.hparams.flagOr(kMlpBias, false));
  const bool all = traits.attention_bias == AttentionBias::kAll ||
                   (traits.attention_bias == AttentionBias::kConfigured && attention);
  read.qkv_bias_ = read.biasWhere(all || traits.attention_bias == AttentionBias::kQkv);
  read.output_bias_ = read.biasWhere(all);
  read.mlp_bias_ = read.biasWhere(mlp || traits.mlp_bias == MlpBias::kAll);
  return read;
}

DecoderWeights::Bias DecoderWeights::biasWhere(bool configured) const {
  if (gguf_) return Bias::kIfPresent;
  return configured ? Bias::kRequired : Bias::kNone;
}

std::string DecoderWeights::name(TensorName name) const {
  return fmt::format("{}{}", prefix_, spelling(name));
}

std::string DecoderWeights::in(std::uint32_t layer, TensorName part) const {
  return fmt::format("{}{}", block(layer), spelling(part));
}

std::string DecoderWeights::block(std::uint32_t layer) const {
  return fmt::format("{}{}{}.", prefix_, spelling(traits_->names.block), layer);
}

Result<WeightRef> DecoderWeights::bias(const std::string& name, std::uint64_t length, const RowPart& part,
                                       Bias bias) const {
  const std::string full = name + ".bias";
  if (bias == Bias::kNone || (bias == Bias::kIfPresent && !weights_->has(full))) return WeightRef();
  return weights_->vectorPart(full, length, part);
}

Result<Linear> DecoderWeights::linear(const std::string& name, std::uint64_t rows, std::uint64_t columns,
                                      Bias bias) const {
  return part(name, rows, columns, {.first = 0, .count = rows}, bias);
}

Result<Linear> DecoderWeights::part(const std::string& name, std::uint64_t stored, std::uint64_t columns,
                                    const RowPart& part, Bias bias) const {
  Linear linear;
  const std::string weight = name + ".weight";
  if (traits_->transposed && !gguf_) {
    TRY_ASSIGN(linear.weight, weights_->transposedPart(weight, stored, columns, part));
  } else {
    TRY_ASSIGN(linear.weight, weights_->matrixPart(weight, stored, columns, part));
  }
  TRY_ASSIGN(linear.bias, this->bias(name, stored, part, bias));
  return linear;
}

Result<Norm> DecoderWeights::norm(const std::string& name, std::uint64_t length) const {
  Norm norm{.kind = traits_->norm, .epsilon = sizes_->epsilon};
  if (!gguf_) norm.gain_offset = traits_->norm_gain_offset;
  TRY_ASSIGN(norm.weight, weights_->vector(name + ".weight", length));
  if (norm.kind == NormKind::kLayer) {
    TRY_ASSIGN(norm.bias, weights_->vector(name + ".bias", length));
  }
  return norm;
}

Result<std::optional<Norm>> DecoderWeights::blockNorm(std::uint32_t layer, TensorName name) const {
  if (!has(name)) return std::nullopt;
  return norm(in(layer, name), sizes_->embedding);
}

Result<void> DecoderWeights::fusedQueryKeyValue(const std::string& name, QkvLayout layout,
                                                AttentionSpec& spec) const {
  const std::uint64_t width = sizes_->queryWidth(), kv_width = sizes_->keyWidth();
  const std::uint64_t stored = width + 2 * kv_width, embedding = sizes_->embedding;
  RowPart query{.first = 0, .count = width}, key{.first = width, .count = kv_width};
  RowPart value{.first = width + kv_width, .count = kv_width};
  if (layout == QkvLayout::kHeadByHead) {
    const std::uint64_t head = sizes_->head_dim;
    VITRINE_ASSERT(sizes_->heads == sizes_->kv_heads);
    query = {.first = 0, .count = width, .run = head, .stride = 3 * head};
    key = {.first = head, .count = width, .run = head, .stride = 3 * head};
    value = {.first = 2 * head, .count = width, .run = head, .stride = 3 * head};
  }
  TRY_ASSIGN(spec.query, part(name, stored, embedding, query, qkv_bias_));
  TRY_ASSIGN(spec.key, part(name, stored, embedding, key, qkv_bias_));
  TRY_ASSIGN(spec.value, part(name, stored, embedding, value, qkv_bias_));
  return {};
}

Result<void> DecoderWeights::queryKeyValue(std::uint32_t layer, AttentionSpec& spec) const {
  const DecoderNames& names = traits_->names;
  const std::string fused = in(layer, names.qkv);
  if (gguf_ && weights_->has(fused + ".weight")) return fusedQueryKeyValue(fused, QkvLayout::kStacked, spec);
  if (!gguf_ && traits_->qkv != QkvLayout::kApart) return fusedQueryKeyValue(fused, traits_->qkv, spec);
  const std::uint64_t kv_width = sizes_->keyWidth(), embedding = sizes_->embedding;
  TRY_ASSIGN(spec.query, linear(in(layer, names.query), sizes_->queryWidth(), embedding, qkv_bias_));
  TRY_ASSIGN(spec.key, linear(in(layer, names.key), kv_width, embedding, qkv_bias_));
  TRY_ASSIGN(spec.value, linear(in(layer, names.value), kv_width, embedding, qkv_bias_));
  return {};
}

Result<void> DecoderWeights::queryKeyNorms(std::uint32_t layer, AttentionSpec& spec) const {
  if (traits_->query_key_norm == QueryKeyNorm::kNone) return {};
  const bool per_head = traits_->query_key_norm == QueryKeyNorm::kRmsPerHead;
  const std::uint64_t head = sizes_->head_dim;
  TRY_ASSIGN(spec.query_norm,
             norm(in(layer, traits_->names.query_norm), per_head ? head : sizes_->queryWidth()));
  TRY_ASSIGN(spec.key_norm, norm(in(layer, traits_->names.key_norm), per_head ? head : sizes_->keyWidth()));
  return {};
}

Result<AttentionSpec> DecoderWeights::attention(std::uint32_t layer) const {
  AttentionSpec spec;
  spec.heads = sizes_->heads;
  spec.kv_heads = sizes_->kv_heads;
  spec.head_dim = sizes_->head_dim;
  spec.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(sizes_->head_dim)));
  TRY(queryKeyValue(layer, spec));
  TRY(queryKeyNorms(layer, spec));
  TRY_ASSIGN(spec.output,
             linear(in(layer, traits_->names.output), sizes_->embedding, sizes_->queryWidth(), output_bias_));
  return spec;
}

Result<DenseMlpSpec> DecoderWeights::mlp(std::uint32_t layer, Activation activation) const {
  const DecoderNames& names = traits_->names;
  const std::uint64_t width = sizes_->mlp_width, embedding = sizes_->embedding;
  const std::string gate = in(layer, names.gate), up = in(layer, names.up);
  DenseMlpSpec spec;
  spec.width = sizes_->mlp_width;
  spec.activation = activation;
  if (traits_->mlp == MlpShape::kFused && !(gguf_ && weights_->has(gate + ".weight"))) {
    TRY_ASSIGN(spec.gate, part(up, 2 * width, embedding, {.first = 0, .count = width}, mlp_bias_));
    TRY_ASSIGN(spec.up, part(up, 2 * width, embedding, {.first = width, .count = width}, mlp_bias_));
  } else {
    if (traits_->mlp != MlpShape::kPlain) {
      TRY_ASSIGN(spec.gate, linear(gate, width, embedding, mlp_bias_));
    }
    TRY_ASSIGN(spec.up, linear(up, width, embedding, mlp_bias_));
  }
  TRY_ASSIGN(spec.down, linear(in(layer, names.down), embedding, width, mlp_bias_));
  return spec;
}

Result<WeightRef> DecoderWeights::headBias(std::uint64_t length) const {
  if (!traits_->head_bias) return WeightRef();
  return bias(std::string(spelling(traits_->names.head)), length, {.first = 0, .count = length},
              biasWhere(true));
}

}  // namespace vitrine::core::arch
