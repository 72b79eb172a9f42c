#include "core/spectra/matrix_catalogue.h"

#include <algorithm>
#include <charconv>

#include "core/model/row_source.h"

namespace vitrine::core {
namespace {

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

// The digits from `at` on, leading zeros dropped.
std::string_view digits(std::string_view text, std::size_t& at) {
  while (at < text.size() && text[at] == '0') ++at;
  const std::size_t first = at;
  while (at < text.size() && isDigit(text[at])) ++at;
  return text.substr(first, at - first);
}

}  // namespace

bool matchesAnyGlob(std::string_view text, std::string_view globs) {
  constexpr std::string_view kBetween = " ,";
  bool any = false;
  for (std::size_t at = globs.find_first_not_of(kBetween); at != std::string_view::npos;
       at = globs.find_first_not_of(kBetween, at)) {
    any = true;
    const std::size_t end = std::min(globs.find_first_of(kBetween, at), globs.size());
    if (matchesGlob(text, globs.substr(at, end - at))) return true;
    at = end;
  }
  return !any;
}

bool matchesGlob(std::string_view text, std::string_view glob) {
  std::size_t t = 0, g = 0, star = std::string_view::npos, retry = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      retry = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', g) == std::string_view::npos;
}

bool naturallyLess(std::string_view a, std::string_view b) {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (isDigit(a[i]) && isDigit(b[j])) {
      const std::string_view x = digits(a, i), y = digits(b, j);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else if (a[i] != b[j]) {
      return a[i] < b[j];
    } else {
      ++i;
      ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

std::vector<StoredMatrix> matricesOf(const Checkpoint& checkpoint, std::string_view glob) {
  std::vector<StoredMatrix> found;
  for (const TensorEntry& tensor : checkpoint.tensors()) {
    std::vector<std::uint64_t> shape;
    std::ranges::copy_if(tensor.shape, std::back_inserter(shape), [](std::uint64_t n) { return n != 1; });
    // The last dimension is how rows are stored, also where it is 1: a column is stored as its transpose.
    if (!info(tensor.dtype).floating || shape.size() < 2 || tensor.shape.back() == 1) continue;
    const std::uint64_t columns = shape.back(), rows = shape[shape.size() - 2];
    const std::uint64_t stack = tensor.elements() / (rows * columns);
    for (std::uint64_t i = 0; i < stack; ++i) {
      std::string name = stack == 1 ? tensor.name : fmt::format("{}[{}]", tensor.name, i);
      if (!matchesAnyGlob(name, glob)) continue;
      found.push_back({std::move(name), &tensor, i * rows, rows, columns});
    }
  }
  std::ranges::sort(found, naturallyLess, &StoredMatrix::name);
  return found;
}

WeightRef placeOf(const StoredMatrix& matrix) {
  return {
      .tensor = matrix.tensor, .first_row = matrix.first_row, .rows = matrix.rows, .columns = matrix.columns};
}

Result<DenseMatrix> readMatrix(const StoredMatrix& matrix) {
  TRY_ASSIGN(std::vector<float> values, readFloats(rowsOf(placeOf(matrix))));
  DenseMatrix dense{matrix.rows, matrix.columns, std::move(values)};
  if (auto finite = requireFinite(dense); !finite) return within(matrix.name, finite.error());
  return dense;
}

}  // namespace vitrine::core
