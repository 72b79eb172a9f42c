#include "core/methods/support/suited_matrices.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace vitrine::core::methods {
namespace {

bool isSuited(const NamedMatrix& matrix, const SizeLimit& limit) {
  return (limit.elements == 0 || matrix.rows * matrix.columns <= limit.elements) &&
         (limit.short_side == 0 || std::min(matrix.rows, matrix.columns) <= limit.short_side);
}

std::string textOf(const SizeLimit& limit) {
  return limit.short_side == 0
             ? fmt::format("{} elements", limit.elements)
             : fmt::format("{} elements and a short side of {}", limit.elements, limit.short_side);
}

}  // namespace

Result<AnalysisInput> suitedMatrices(AnalysisInput input, const SizeLimit& limit) {
  const auto beyond = [&](const NamedMatrix& matrix) { return !isSuited(matrix, limit); };
  const auto found = std::ranges::find_if(input.matrices, beyond);
  if (found == input.matrices.end()) return input;
  const NamedMatrix first = *found;
  const std::size_t lost = std::erase_if(input.matrices, beyond);
  if (input.matrices.empty())
    return fail(ErrorCode::kInvalidArgument, "{} of {} x {} is too large: expected at most {}", first.name,
                first.rows, first.columns, textOf(limit));
  input.left_out.push_back(fmt::format("Left out: {} matri{} of more than {}, such as {} of {} x {}.", lost,
                                       lost == 1 ? "x" : "ces", textOf(limit), first.name, first.rows,
                                       first.columns));
  return input;
}

std::vector<std::uint64_t> drawnIndices(std::uint64_t of, std::uint64_t count, std::uint64_t seed) {
  std::vector<std::uint64_t> all(of);
  std::iota(all.begin(), all.end(), std::uint64_t{0});
  if (count >= of) return all;
  std::mt19937_64 random(seed);
  for (std::uint64_t i = 0; i < count; ++i) std::swap(all[i], all[i + random() % (of - i)]);
  all.resize(count);
  std::ranges::sort(all);
  return all;
}

DenseMatrix drawnBlock(const DenseMatrix& matrix, std::uint64_t rows, std::uint64_t columns,
                       std::uint64_t seed) {
  if (matrix.rows <= rows && matrix.columns <= columns) return matrix;
  const auto down = drawnIndices(matrix.rows, rows, seed),
             across = drawnIndices(matrix.columns, columns, ~seed);
  DenseMatrix block{down.size(), across.size(), {}};
  block.values.reserve(down.size() * across.size());
  for (const std::uint64_t r : down)
    for (const std::uint64_t c : across) block.values.push_back(matrix.values[r * matrix.columns + c]);
  return block;
}

}  // namespace vitrine::core::methods
