// RWKV-4 (arXiv:2305.13048), in transformers' layout (model_type rwkv) and in the files of its author, which
// have other names and no config.json.
#include "core/arch/support/mamba.h"
#include "core/arch/support/parts.h"
#include "core/arch/support/rwkv.h"
#include "core/model/row_source.h"

namespace vitrine::core::arch::rwkv4 {
namespace {

constexpr Key kLayers = {"num_hidden_layers", ""}, kWidth = {"hidden_size", ""};
constexpr Key kChannels = {"attention_hidden_size", ""}, kInner = {"intermediate_size", ""};
constexpr Key kVocabulary = {"vocab_size", ""}, kContext = {"context_length", ""};
constexpr Key kEpsilon = {"layer_norm_epsilon", ""}, kTied = {"tie_word_embeddings", ""};
// Halves the residual stream of half-precision runs every so many blocks. The norms take it back; it changes
// no result.
constexpr Key kRescale = {"rescale_every", ""};

struct Sizes {
  std::uint32_t layers = 0, width = 0, channels = 0, inner = 0, vocabulary = 0, context = 0;
  float epsilon = kRwkvEpsilon;
  bool tied = false;
};

struct Names {
  std::string_view prefix, embedding, embedding_norm, time, channel, mix_key, mix_value, mix_receptance;
};
constexpr Names kHuggingFace = {"rwkv.",         "embeddings",   "pre_ln",         "attention.",
                                "feed_forward.", "time_mix_key", "time_mix_value", "time_mix_receptance"};
constexpr Names kOriginal = {"", "emb", "ln0", "att.", "ffn.", "time_mix_k", "time_mix_v", "time_mix_r"};

constexpr const char* kOriginalSign = "blocks.0.att.time_first";

bool recognizes(const Weights& weights) {
  const TensorEntry* first = weights.find(kOriginalSign);  // a matrix in RWKV-5 and 6
  return first && weights.has("blocks.0.att.time_mix_k") && !weights.has("blocks.0.att.ln_x.weight");
}

Result<Sizes> configuredSizes(const Hparams& hparams) {
  Sizes sizes;
  constexpr std::uint32_t kExpansion = 4, kDefaultContext = 1024;
  TRY_ASSIGN(sizes.layers, hparams.count(kLayers, kMostLayers));
  TRY_ASSIGN(sizes.width, hparams.count(kWidth, kWidestLayer / kExpansion));
  TRY_ASSIGN(sizes.channels, hparams.countOr(kChannels, sizes.width, kWidestLayer));
  TRY_ASSIGN(sizes.inner, hparams.countOr(kInner, kExpansion * sizes.width, kWidestLayer));
  TRY_ASSIGN(sizes.vocabulary, hparams.count(kVocabulary, kLargestVocabulary));
  TRY_ASSIGN(sizes.context, hparams.countOr(kContext, kDefaultContext, kLongestContext));
  TRY_ASSIGN(sizes.epsilon, readEpsilon(hparams, kEpsilon, 1e-5));
  TRY_ASSIGN(sizes.tied, hparams.flagOr(kTied, false));
  TRY(hparams.countOrNone(kRescale, 0, kMostLayers));
  return sizes;
}

Result<Sizes> storedSizes(const Weights& weights) {
  Sizes sizes{.context = kEndlessContext};
  TRY_ASSIGN(sizes.layers, storedBlocks(weights, "att.time_first"));
  TRY_ASSIGN(sizes.vocabulary, storedRows(weights, "emb.weight", kLargestVocabulary));
  TRY_ASSIGN(sizes.width, storedColumns(weights, "emb.weight", kWidestLayer));
  TRY_ASSIGN(sizes.channels, storedRows(weights, "blocks.0.att.key.weight", kWidestLayer));
  TRY_ASSIGN(sizes.inner, storedRows(weights, "blocks.0.ffn.key.weight", kWidestLayer));
  return sizes;
}

// rwkv.cpp, where such files come from, flattens all vectors and stores w itself.
bool storesExponents(const Weights& weights) {
  const TensorEntry* mix = weights.find("blocks.0.att.time_mix_k");
  return mix && mix->shape.size() == 1;
}

Result<void> requireNegative(const WeightRef& decay) {
  TRY_ASSIGN(const std::vector<float> values, readFloats(rowsOf(decay)));
  for (const float value : values)
    if (value >= 0)
      return fail(ErrorCode::kInvalidFile,
                  "tensor {}: expected exponents below 0, as rwkv.cpp stores them, found {}",
                  decay.tensor->name, value);
  return {};
}

Result<Rwkv4Spec> readTimeMixing(Weights& weights, const Names& names, const Sizes& sizes,
                                 const std::string& in) {
  Rwkv4Spec spec{.width = sizes.width, .channels = sizes.channels};
  const auto mix = [&](std::string_view name) {
    return readVector(weights, in + std::string(name), sizes.width);
  };
  TRY_ASSIGN(spec.mix_key, mix(names.mix_key));
  TRY_ASSIGN(spec.mix_value, mix(names.mix_value));
  TRY_ASSIGN(spec.mix_receptance, mix(names.mix_receptance));
  TRY_ASSIGN(spec.key, readLinear(weights, in + "key", sizes.channels, sizes.width, false));
  TRY_ASSIGN(spec.value, readLinear(weights, in + "value", sizes.channels, sizes.width, false));
  TRY_ASSIGN(spec.receptance, readLinear(weights, in + "receptance", sizes.channels, sizes.width, false));
  TRY_ASSIGN(spec.output, readLinear(weights, in + "output", sizes.width, sizes.channels, false));
  TRY_ASSIGN(spec.decay, readVector(weights, in + "time_decay", sizes.channels));
  spec.decay_is_log = !storesExponents(weights);
  if (!spec.decay_is_log) TRY(requireNegative(spec.decay));
  TRY_ASSIGN(spec.first, readVector(weights, in + "time_first", sizes.channels));
  return spec;
}

Result<RwkvChannelSpec> readChannelMixing(Weights& weights, const Names& names, const Sizes& sizes,
                                          const std::string& in) {
  RwkvChannelSpec spec{.width = sizes.width, .inner = sizes.inner};
  for (const std::string_view name : {names.mix_key, names.mix_receptance}) {
    TRY_ASSIGN(const WeightRef mix, readVector(weights, in + std::string(name), sizes.width));
    spec.mixes.push_back(mix);
  }
  TRY_ASSIGN(spec.key, readLinear(weights, in + "key", sizes.inner, sizes.width, false));
  TRY_ASSIGN(spec.value, readLinear(weights, in + "value", sizes.width, sizes.inner, false));
  TRY_ASSIGN(spec.receptance, readLinear(weights, in + "receptance", sizes.width, sizes.width, false));
  return spec;
}

Result<ModelSpec> read(const Source& source) {
  Weights& weights = source.weights;
  const bool original = recognizes(weights);
  const Names& names = original ? kOriginal : kHuggingFace;
  TRY_ASSIGN(const Sizes sizes, original ? storedSizes(weights) : configuredSizes(source.hparams));
  const std::string prefix(names.prefix);
  ModelSpec spec;
  spec.context_length = sizes.context;
  TRY(readRwkvEnds(weights,
                   {.embedding = prefix + std::string(names.embedding),
                    .embedding_norm = fmt::format("{}blocks.0.{}", prefix, names.embedding_norm),
                    .final_norm = prefix + "ln_out",
                    .head = "head"},
                   sizes.vocabulary, sizes.width, sizes.epsilon, sizes.tied, spec));
  for (std::uint32_t layer = 0; layer < sizes.layers; ++layer) {
    const std::string in = fmt::format("{}blocks.{}.", prefix, layer);
    BlockSpec block;
    TRY_ASSIGN(block.mixer_norm, readLayerNorm(weights, in + "ln1", sizes.width, sizes.epsilon));
    TRY_ASSIGN(Rwkv4Spec mixer, readTimeMixing(weights, names, sizes, in + std::string(names.time)));
    block.mixers.emplace_back(std::move(mixer));
    TRY_ASSIGN(block.channel_norm, readLayerNorm(weights, in + "ln2", sizes.width, sizes.epsilon));
    TRY_ASSIGN(block.channel, readChannelMixing(weights, names, sizes, in + std::string(names.channel)));
    spec.blocks.push_back(std::move(block));
  }
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {
    .model_types = {"rwkv"}, .gguf_names = {}, .read = read, .recognizes = recognizes};

}  // namespace vitrine::core::arch::rwkv4
