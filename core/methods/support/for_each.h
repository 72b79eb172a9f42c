// Work on many matrices at once, one thread a matrix.
#pragma once

#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "core/methods/analysis.h"
#include "core/spectra/parallel.h"

namespace vitrine::core::methods {

// `work(i)` -> Result<T> for i < count, in any order, on input.threads threads; the results in order. The
// first error in that order; kCancelled when stopped between two.
template <typename T, typename Work>
Result<std::vector<T>> forEach(const AnalysisInput& input, std::size_t count, const Work& work) {
  std::vector<std::optional<Result<T>>> found(count);
  std::mutex reporting;
  std::size_t done = 0;
  TRY(runParallel(count, input.threads, input.stop, [&](std::size_t i) {
    found[i] = work(i);
    const std::lock_guard lock(reporting);
    if (input.progress) input.progress(++done, count);
  }));
  std::vector<T> results;
  for (auto& result : found) {
    if (!*result) return tl::unexpected(std::move(*result).error());
    results.push_back(std::move(**result));
  }
  return results;
}

// work(matrix, of) of each matrix, `of` its NamedMatrix; errors name it.
template <typename T, typename Work>
Result<std::vector<T>> forEachMatrix(const AnalysisInput& input, const Work& work) {
  return forEach<T>(input, input.matrices.size(), [&](std::size_t i) -> Result<T> {
    const NamedMatrix& matrix = input.matrices[i];
    TRY_ASSIGN(const DenseMatrix dense, matrix.load());
    Result<T> result = work(dense, matrix);
    if (!result) return within(matrix.name, std::move(result).error());
    return result;
  });
}

}  // namespace vitrine::core::methods
