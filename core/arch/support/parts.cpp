#include "core/arch/support/parts.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace vitrine::core::arch {
namespace {

constexpr Key kVocabulary = {"vocab_size", "vocab_size"};
constexpr Key kTied = {"tie_word_embeddings", ""};
constexpr Key kHeads = {"num_attention_heads", "attention.head_count"};
constexpr Key kKvHeads = {"num_key_value_heads", "attention.head_count_kv"};
constexpr Key kHeadDim = {"head_dim", "attention.key_length"};

// GGUF need not store the size of the vocabulary: the embedding's rows tell it.
Result<std::uint32_t> readVocabulary(const Source& source, const std::string& embedding) {
  if (!source.hparams.isGguf() || source.hparams.has(kVocabulary))
    return source.hparams.count(kVocabulary, kLargestVocabulary);
  const TensorEntry* tensor = source.weights.find(embedding);
  const std::uint64_t rows = tensor && !tensor->shape.empty() ? tensor->shape[0] : 0;
  if (rows == 0 || rows > kLargestVocabulary)
    return fail(ErrorCode::kInvalidFile, "tensor {}: a vocabulary of {} tokens", embedding, rows);
  return static_cast<std::uint32_t>(rows);
}

}  // namespace

Result<Linear> readLinear(Weights& weights, const std::string& name, std::uint64_t rows,
                          std::uint64_t columns, bool bias) {
  Linear linear;
  TRY_ASSIGN(linear.weight, weights.matrix(name + ".weight", rows, columns));
  if (bias) {
    TRY_ASSIGN(linear.bias, weights.vector(name + ".bias", rows));
  }
  return linear;
}

Result<Norm> readRmsNorm(Weights& weights, const std::string& name, std::uint64_t length, float epsilon) {
  Norm norm;
  norm.epsilon = epsilon;
  TRY_ASSIGN(norm.weight, weights.vector(name + ".weight", length));
  return norm;
}

Result<float> readEpsilon(const Hparams& hparams, Key key, double otherwise) {
  TRY_ASSIGN(const double epsilon,
             hparams.isGguf() ? hparams.positive(key) : hparams.positiveOr(key, otherwise));
  if (epsilon >= 1) return hparams.refuse(key, "less than 1");
  return static_cast<float>(epsilon);
}

Result<Activation> readActivation(const Hparams& hparams, Key key, std::string otherwise) {
  static const std::map<std::string_view, Activation> kKnown = {
      {"silu", Activation::kSilu},          {"swish", Activation::kSilu},
      {"gelu", Activation::kGelu},          {"gelu_new", Activation::kGeluTanh},
      {"gelu_fast", Activation::kGeluTanh}, {"gelu_pytorch_tanh", Activation::kGeluTanh},
      {"relu", Activation::kRelu},          {"relu2", Activation::kReluSquared},
  };
  TRY_ASSIGN(const std::string name, hparams.textOr(key, std::move(otherwise)));
  const auto found = kKnown.find(name);
  if (found == kKnown.end()) return hparams.refuse(key, "silu, gelu, gelu_pytorch_tanh, relu or relu2");
  return found->second;
}

Result<std::uint32_t> readBlockCount(const Hparams& hparams) {
  constexpr Key kBlocks = {"num_hidden_layers", "block_count"};
  constexpr Key kPredicting = {"", "nextn_predict_layers"};
  TRY_ASSIGN(const std::uint32_t all, hparams.count(kBlocks, kMostLayers));
  TRY_ASSIGN(const std::uint32_t further, hparams.countOrNone(kPredicting, 0, kMostLayers));
  if (further >= all) return hparams.refuse(kPredicting, fmt::format("less than the {} blocks", all));
  return all - further;
}

Result<std::vector<std::uint32_t>> readLayerNumbers(const Hparams& hparams, Key key, std::uint32_t layers,
                                                    std::uint32_t most) {
  TRY_ASSIGN(std::vector<std::uint32_t> numbers, hparams.numbers(key, layers, most));
  const std::uint32_t common = *std::ranges::max_element(numbers);
  if (!std::ranges::all_of(numbers, [common](std::uint32_t n) { return n == 0 || n == common; }))
    return hparams.refuse(key, "one number for all layers that have one, and 0");
  return numbers;
}

Result<void> readEnds(const Source& source, const EndNames& names, std::uint32_t embedding_dim, float epsilon,
                      bool tied_by_default, ModelSpec& spec) {
  const std::string embedding = names.embedding + ".weight", head = names.head + ".weight";
  spec.embedding_dim = embedding_dim;
  TRY_ASSIGN(spec.vocab_size, readVocabulary(source, embedding));
  TRY_ASSIGN(spec.token_embedding, source.weights.matrix(embedding, spec.vocab_size, embedding_dim));
  TRY_ASSIGN(spec.final_norm, readRmsNorm(source.weights, names.final_norm, embedding_dim, epsilon));
  TRY_ASSIGN(spec.tied_head, source.hparams.flagOr(kTied, tied_by_default));
  if (source.hparams.isGguf()) spec.tied_head = !source.weights.has(head);
  if (spec.tied_head) {
    spec.head.weight = spec.token_embedding;
    source.weights.ignore(head);
    return {};
  }
  TRY_ASSIGN(spec.head.weight, source.weights.matrix(head, spec.vocab_size, embedding_dim));
  return {};
}

Result<AttentionSizes> readAttentionSizes(const Hparams& hparams, std::uint32_t embedding) {
  AttentionSizes sizes{.embedding = embedding};
  TRY_ASSIGN(sizes.heads, hparams.count(kHeads, kMostHeads));
  TRY_ASSIGN(sizes.kv_heads, hparams.countOr(kKvHeads, sizes.heads, kMostHeads));
  if (sizes.heads % sizes.kv_heads != 0)
    return hparams.refuse(kKvHeads, fmt::format("a divisor of the {} heads", sizes.heads));
  if (!hparams.has(kHeadDim) && embedding % sizes.heads != 0)
    return hparams.refuse(kHeads, fmt::format("a divisor of the hidden size {}", embedding));
  TRY_ASSIGN(sizes.head_dim, hparams.countOr(kHeadDim, std::max(embedding / sizes.heads, 1u), kWidestHead));
  return sizes;
}

Result<AttentionSpec> readAttention(Weights& weights, const AttentionNames& names,
                                    const AttentionSizes& sizes, bool bias) {
  const std::uint64_t width = std::uint64_t{sizes.heads} * sizes.head_dim;
  const std::uint64_t kv_width = std::uint64_t{sizes.kv_heads} * sizes.head_dim;
  AttentionSpec spec;
  spec.heads = sizes.heads;
  spec.kv_heads = sizes.kv_heads;
  spec.head_dim = sizes.head_dim;
  if (!names.query.empty()) {
    TRY_ASSIGN(spec.query, readLinear(weights, names.query, width, sizes.embedding, bias));
  }
  TRY_ASSIGN(spec.key, readLinear(weights, names.key, kv_width, sizes.embedding, bias));
  TRY_ASSIGN(spec.value, readLinear(weights, names.value, kv_width, sizes.embedding, bias));
  TRY_ASSIGN(spec.output, readLinear(weights, names.output, sizes.embedding, width, bias));
  spec.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(sizes.head_dim)));
  return spec;
}

Result<DenseMlpSpec> readMlp(Weights& weights, const MlpNames& names, std::uint32_t embedding,
                             std::uint32_t width, Activation activation, bool bias) {
  DenseMlpSpec spec;
  spec.width = width;
  spec.activation = activation;
  if (!names.gate.empty()) {
    TRY_ASSIGN(spec.gate, readLinear(weights, names.gate, width, embedding, bias));
  }
  TRY_ASSIGN(spec.up, readLinear(weights, names.up, width, embedding, bias));
  TRY_ASSIGN(spec.down, readLinear(weights, names.down, embedding, width, bias));
  return spec;
}

}  // namespace vitrine::core::arch
