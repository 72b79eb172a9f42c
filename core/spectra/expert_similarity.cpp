#include "core/spectra/expert_similarity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "core/spectra/dense_product.h"

namespace vitrine::core {

using Eigen::Index;
using Eigen::MatrixXd;

namespace {

bool isExpertDigit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::optional<std::string> nameWithoutExpert(const std::string& name) {
  if (const std::size_t open = name.rfind('['); open != std::string::npos && name.ends_with(']')) {
    const std::string_view inner = std::string_view(name).substr(open + 1, name.size() - open - 2);
    if (!inner.empty() && std::ranges::all_of(inner, isExpertDigit)) return name.substr(0, open);
  }
  constexpr std::string_view kMark = "experts.";
  for (std::size_t at = name.find(kMark); at != std::string::npos; at = name.find(kMark, at + 1)) {
    const std::size_t from = at + kMark.size();
    std::size_t to = from;
    while (to < name.size() && isExpertDigit(name[to])) ++to;
    if (to > from && to < name.size() && name[to] == '.') return name.substr(0, from) + "*" + name.substr(to);
  }
  return {};
}

ExpertCosines expertCosines(const MatrixXd& flat) {
  const MatrixXd gram = multiply(flat, flat, Side::kTransposed, Side::kAsIs);
  ExpertCosines to{.cosines = MatrixXd::Zero(gram.rows(), gram.cols())};
  for (Index b = 0; b < gram.cols(); ++b)
    for (Index a = 0; a < gram.rows(); ++a)
      if (const double norms = std::sqrt(gram(a, a)) * std::sqrt(gram(b, b)); norms > 0)
        to.cosines(a, b) = std::clamp(gram(a, b) / norms, -1.0, 1.0);
  if (const double energy = gram.trace(); energy > 0)
    to.common = std::max(0.0, gram.sum() / (energy * static_cast<double>(gram.rows())));
  return to;
}

MatrixXd subspaceOverlaps(std::span<const MatrixXd> bases) {
  const auto count = static_cast<Index>(bases.size());
  MatrixXd overlaps = MatrixXd::Zero(count, count);
  for (Index b = 0; b < count; ++b)
    for (Index a = 0; a <= b; ++a) {
      const MatrixXd &first = bases[static_cast<std::size_t>(a)],
                     &second = bases[static_cast<std::size_t>(b)];
      const Index columns = std::min(first.cols(), second.cols());
      if (columns == 0) continue;
      const double squares = multiply(first, second, Side::kTransposed, Side::kAsIs).squaredNorm();
      overlaps(a, b) = overlaps(b, a) = squares / static_cast<double>(columns);
    }
  return overlaps;
}

OffDiagonal offDiagonal(const MatrixXd& square) {
  const Index n = square.rows();
  if (n < 2) return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  OffDiagonal to{.mean = (square.sum() - square.trace()) / static_cast<double>(n * (n - 1)),
                 .most = -std::numeric_limits<double>::infinity()};
  for (Index b = 0; b < n; ++b)
    for (Index a = 0; a < n; ++a)
      if (a != b) to.most = std::max(to.most, square(a, b));
  return to;
}

}  // namespace vitrine::core
