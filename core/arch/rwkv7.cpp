// RWKV-7 (arXiv:2503.14456) in the files of its author, which have no config.json: low ranks as x_r, x_w ..
// and (width, rank), or, as rwkv.cpp converts them, with the six mixes in x_rwkvag and (rank, width).
#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"
#include "core/arch/support/rwkv.h"

namespace vitrine::core::arch {
namespace {

constexpr float kHeadEpsilon = 64e-5f;
constexpr const char* kFused = "x_rwkvag";
constexpr std::string_view kMixes[] = {"x_r", "x_w", "x_k", "x_v", "x_a", "x_g"};

struct Sizes {
  std::uint32_t width = 0, heads = 0, head_dim = 0, inner = 0;
};

bool recognizes(const Weights& weights) {
  return weights.has("blocks.0.att.r_k") && weights.has("blocks.0.att.k_a") &&
         weights.has("blocks.0.att.ln_x.weight");
}

Result<std::vector<WeightRef>> readMixes(Weights& weights, const std::string& in, std::uint64_t width) {
  std::vector<WeightRef> mixes;
  const bool fused = weights.has(in + kFused);
  WeightRef all;
  if (fused) {
    TRY_ASSIGN(all, weights.vector(in + kFused, {std::size(kMixes), 1, width}));
  }
  for (std::uint64_t i = 0; i < std::size(kMixes); ++i) {
    WeightRef mix = all;
    if (fused) {
      mix.first_row = i * width;
      mix.rows = width;
    } else {
      TRY_ASSIGN(mix, readVector(weights, in + std::string(kMixes[i]), width));
    }
    mixes.push_back(mix);
  }
  return mixes;
}

enum class Bias { kNone, kVector };

// w1, w2 and the bias w0, for w of w, a, v, g.
Result<LowRank> readLowRank(Weights& weights, const std::string& name, std::uint64_t width, bool transposed,
                            Bias bias) {
  LowRank spec;
  TRY_ASSIGN(spec.rank, transposed ? storedColumns(weights, name + "1", kWidestLayer)
                                   : storedRows(weights, name + "1", kWidestLayer));
  const std::uint64_t rank = spec.rank;
  TRY_ASSIGN(spec.inner.weight,
             transposed ? weights.matrix(name + "1", width, rank) : weights.matrix(name + "1", rank, width));
  TRY_ASSIGN(spec.outer.weight,
             transposed ? weights.matrix(name + "2", rank, width) : weights.matrix(name + "2", width, rank));
  if (transposed) {
    for (WeightRef* weight : {&spec.inner.weight, &spec.outer.weight}) {
      std::swap(weight->rows, weight->columns);
      weight->transposed = true;
    }
  }
  if (bias == Bias::kVector) {
    TRY_ASSIGN(spec.outer.bias, readVector(weights, name + "0", width));
  }
  return spec;
}

Result<Rwkv7Spec> readTimeMixing(Weights& weights, const Sizes& sizes, const std::string& in, bool first) {
  const std::uint64_t width = sizes.width;
  const bool transposed = !weights.has(in + kFused);
  Rwkv7Spec spec{.width = sizes.width, .heads = sizes.heads, .head_dim = sizes.head_dim};
  TRY_ASSIGN(spec.mixes, readMixes(weights, in, width));
  TRY_ASSIGN(spec.receptance, readLinear(weights, in + "receptance", width, width, false));
  TRY_ASSIGN(spec.key, readLinear(weights, in + "key", width, width, false));
  TRY_ASSIGN(spec.value, readLinear(weights, in + "value", width, width, false));
  TRY_ASSIGN(spec.output, readLinear(weights, in + "output", width, width, false));
  TRY_ASSIGN(spec.decay, readLowRank(weights, in + "w", width, transposed, Bias::kVector));
  TRY_ASSIGN(spec.rate, readLowRank(weights, in + "a", width, transposed, Bias::kVector));
  TRY_ASSIGN(spec.gate, readLowRank(weights, in + "g", width, transposed, Bias::kNone));
  if (first) {  // stored by some, without a use
    for (const char* name : {"v0", "v1", "v2"}) weights.ignore(in + name);
  } else {
    TRY_ASSIGN(spec.residual, readLowRank(weights, in + "v", width, transposed, Bias::kVector));
  }
  TRY_ASSIGN(spec.key_scale, readVector(weights, in + "k_k", width));
  TRY_ASSIGN(spec.key_rate, readVector(weights, in + "k_a", width));
  TRY_ASSIGN(spec.bonus, weights.vector(in + "r_k", {sizes.heads, sizes.head_dim}));
  TRY_ASSIGN(spec.norm, readLayerNorm(weights, in + "ln_x", width, kHeadEpsilon));
  return spec;
}

Result<RwkvChannelSpec> readChannelMixing(Weights& weights, const Sizes& sizes, const std::string& in) {
  RwkvChannelSpec spec{.width = sizes.width, .inner = sizes.inner, .mixes_past = true};
  TRY_ASSIGN(const WeightRef mix, readVector(weights, in + "x_k", sizes.width));
  spec.mixes = {mix};
  TRY_ASSIGN(spec.key, readLinear(weights, in + "key", sizes.inner, sizes.width, false));
  TRY_ASSIGN(spec.value, readLinear(weights, in + "value", sizes.width, sizes.inner, false));
  return spec;
}

Result<Sizes> storedSizes(const Weights& weights) {
  Sizes sizes;
  const std::string bonus = "blocks.0.att.r_k";
  TRY_ASSIGN(sizes.width, storedColumns(weights, "emb.weight", kWidestLayer));
  TRY_ASSIGN(sizes.heads, storedRows(weights, bonus, kMostHeads));
  TRY_ASSIGN(sizes.head_dim, storedColumns(weights, bonus, kWidestHead));
  TRY_ASSIGN(sizes.inner, storedRows(weights, "blocks.0.ffn.key.weight", kWidestLayer));
  if (std::uint64_t{sizes.heads} * sizes.head_dim != sizes.width)
    return fail(ErrorCode::kInvalidFile, "tensor {}: expected {} numbers in all, found shape ({}, {})", bonus,
                sizes.width, sizes.heads, sizes.head_dim);
  return sizes;
}

Result<ModelSpec> read(const Source& source) {
  Weights& weights = source.weights;
  ModelSpec spec;
  TRY_ASSIGN(const Sizes sizes, storedSizes(weights));
  TRY_ASSIGN(const std::uint32_t layers, storedBlocks(weights, "att.r_k"));
  TRY_ASSIGN(const std::uint32_t vocabulary, storedRows(weights, "emb.weight", kLargestVocabulary));
  spec.context_length = kEndlessContext;
  TRY(readRwkvEnds(
      weights, {.embedding = "emb", .embedding_norm = "blocks.0.ln0", .final_norm = "ln_out", .head = "head"},
      vocabulary, sizes.width, kRwkvEpsilon, false, spec));
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    const std::string in = fmt::format("blocks.{}.", layer);
    BlockSpec block;
    TRY_ASSIGN(block.mixer_norm, readLayerNorm(weights, in + "ln1", sizes.width, kRwkvEpsilon));
    TRY_ASSIGN(Rwkv7Spec mixer, readTimeMixing(weights, sizes, in + "att.", layer == 0));
    block.mixers.emplace_back(std::move(mixer));
    TRY_ASSIGN(block.channel_norm, readLayerNorm(weights, in + "ln2", sizes.width, kRwkvEpsilon));
    TRY_ASSIGN(block.channel, readChannelMixing(weights, sizes, in + "ffn."));
    spec.blocks.push_back(std::move(block));
  }
  return spec;
}

}  // namespace

extern const Architecture rwkv7;
const Architecture rwkv7 = {
    .model_types = {"rwkv7"}, .gguf_names = {}, .read = read, .recognizes = recognizes};

}  // namespace vitrine::core::arch
