#include "core/spectra/aspect_ratio.h"

#include <algorithm>
#include <cmath>

#include "core/spectra/lapack_spectrum.h"

namespace vitrine::core {
namespace {

// Evenly from 0 to `last`, both ends with them.
std::vector<std::uint64_t> startsUpTo(std::uint64_t last, std::size_t most) {
  std::vector<std::uint64_t> starts;
  const std::size_t count = std::min<std::size_t>(most, last + 1);
  for (std::size_t i = 0; i < count; ++i) starts.push_back(count == 1 ? 0 : i * last / (count - 1));
  return starts;
}

DenseMatrix windowAt(const DenseMatrix& matrix, const WindowShape& window, std::uint64_t row,
                     std::uint64_t column) {
  DenseMatrix out{window.rows, window.columns, {}};
  out.values.reserve(window.rows * window.columns);
  for (std::uint64_t r = row; r < row + window.rows; ++r) {
    const auto from = matrix.values.begin() + static_cast<std::ptrdiff_t>(r * matrix.columns + column);
    out.values.insert(out.values.end(), from, from + static_cast<std::ptrdiff_t>(window.columns));
  }
  return out;
}

}  // namespace

WindowShape windowOf(std::uint64_t rows, std::uint64_t columns, std::uint64_t side, double ratio) {
  const bool wide = rows < columns;
  const std::uint64_t narrow = std::min({side, rows, columns});
  const auto asked = static_cast<std::uint64_t>(std::llround(ratio * static_cast<double>(narrow)));
  const std::uint64_t longer = std::clamp(asked, narrow, std::max(rows, columns));
  return wide ? WindowShape{narrow, longer} : WindowShape{longer, narrow};
}

Result<std::vector<double>> pooledSpectrum(const DenseMatrix& matrix, const WindowShape& window,
                                           std::size_t positions, const std::stop_token& stop) {
  VITRINE_ASSERT(window.rows <= matrix.rows && window.columns <= matrix.columns);
  std::vector<double> pooled;
  for (const std::uint64_t row : startsUpTo(matrix.rows - window.rows, positions))
    for (const std::uint64_t column : startsUpTo(matrix.columns - window.columns, positions)) {
      TRY_ASSIGN(const Spectrum spectrum, lapackSpectrum(windowAt(matrix, window, row, column), stop));
      pooled.insert(pooled.end(), spectrum.sigma.begin(), spectrum.sigma.end());
    }
  std::ranges::sort(pooled, std::greater<>());
  return pooled;
}

std::optional<double> hillAlpha(std::span<const double> sigma, double floor) {
  const auto above =
      static_cast<std::size_t>(std::ranges::count_if(sigma, [&](double s) { return s > floor; }));
  if (above < 8) return std::nullopt;
  const std::size_t k = above / 2;
  double sum = 0;
  for (std::size_t i = 0; i < k; ++i) sum += 2 * std::log(sigma[i] / sigma[k]);
  if (!(sum > 1e-9 * static_cast<double>(k))) return std::nullopt;
  return 1 + static_cast<double>(k) / sum;
}

}  // namespace vitrine::core
