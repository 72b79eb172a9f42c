#include "core/arch/support/rwkv.h"

#include <algorithm>

namespace vitrine::core::arch {
namespace {

Result<std::uint32_t> storedSize(const Weights& weights, const std::string& name, std::size_t dimension,
                                 std::uint32_t most) {
  const TensorEntry* tensor = weights.find(name);
  if (!tensor) return fail(ErrorCode::kInvalidFile, "tensor {} is missing", name);
  if (tensor->shape.size() != 2 || tensor->shape[dimension] == 0 || tensor->shape[dimension] > most)
    return fail(ErrorCode::kInvalidFile, "tensor {}: expected a matrix of at most {} {}, found shape ({})",
                name, most, dimension == 0 ? "rows" : "columns", fmt::join(tensor->shape, ", "));
  return static_cast<std::uint32_t>(tensor->shape[dimension]);
}

}  // namespace

Result<std::uint32_t> storedRows(const Weights& weights, const std::string& name, std::uint32_t most) {
  return storedSize(weights, name, 0, most);
}

Result<std::uint32_t> storedColumns(const Weights& weights, const std::string& name, std::uint32_t most) {
  return storedSize(weights, name, 1, most);
}

Result<std::uint32_t> storedBlocks(const Weights& weights, const std::string& last_part) {
  std::uint32_t blocks = 0;
  while (blocks < kMostLayers && weights.has(fmt::format("blocks.{}.{}", blocks, last_part))) ++blocks;
  if (blocks == 0) return fail(ErrorCode::kInvalidFile, "tensor blocks.0.{} is missing", last_part);
  return blocks;
}

Result<WeightRef> readVector(Weights& weights, const std::string& name, std::uint64_t length) {
  std::vector<std::uint64_t> shape = {length};
  if (const TensorEntry* tensor = weights.find(name)) {
    const auto& stored = tensor->shape;
    const bool flat = !stored.empty() && stored.back() == length &&
                      std::all_of(stored.begin(), stored.end() - 1, [](auto size) { return size == 1; });
    if (flat) shape = stored;
  }
  return weights.vector(name, shape);
}

Result<Norm> readLayerNorm(Weights& weights, const std::string& name, std::uint64_t length, float epsilon) {
  Norm norm{.kind = NormKind::kLayer, .weight = {}, .bias = {}, .epsilon = epsilon};
  TRY_ASSIGN(norm.weight, weights.vector(name + ".weight", length));
  TRY_ASSIGN(norm.bias, weights.vector(name + ".bias", length));
  return norm;
}

Result<void> readRwkvEnds(Weights& weights, const RwkvEnds& names, std::uint32_t vocabulary,
                          std::uint32_t width, float epsilon, bool tied, ModelSpec& spec) {
  spec.embedding_dim = width;
  spec.vocab_size = vocabulary;
  TRY_ASSIGN(spec.token_embedding, weights.matrix(names.embedding + ".weight", vocabulary, width));
  TRY_ASSIGN(spec.embedding_norm, readLayerNorm(weights, names.embedding_norm, width, epsilon));
  TRY_ASSIGN(spec.final_norm, readLayerNorm(weights, names.final_norm, width, kRwkvEpsilon));
  spec.tied_head = tied;
  if (tied) {
    spec.head.weight = spec.token_embedding;
    weights.ignore(names.head + ".weight");
    return {};
  }
  TRY_ASSIGN(spec.head.weight, weights.matrix(names.head + ".weight", vocabulary, width));
  return {};
}

}  // namespace vitrine::core::arch
