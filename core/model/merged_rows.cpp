#include "core/model/merged_rows.h"

#include <algorithm>

#include "core/tensor/dequantize.h"

namespace vitrine::core {
Result<const std::vector<MergedRows::Factors>*> MergedRows::factorsOf(const Linear& linear) {
  if (const auto found = factors_.find(&linear); found != factors_.end()) return &found->second;
  std::vector<Factors> all;
  for (const LowRankUpdate& update : linear.updates) {
    Factors factors{.scale = double{update.scale} * update.factor};
    TRY_ASSIGN(factors.a, readFloats(rowsOf(update.a)));
    TRY_ASSIGN(factors.b, readFloats(rowsOf(update.b)));
    all.push_back(std::move(factors));
  }
  return &factors_.emplace(&linear, std::move(all)).first->second;
}

Result<std::span<const std::byte>> MergedRows::row(std::size_t index) {
  const StoredRow& stored = source_.rows[index];
  const auto bytes = bytesOf(stored, source_.type, source_.columns, scratch_);
  values_.resize(source_.columns);
  TRY(dequantize(source_.type, bytes, values_));
  if (stored.linear) {
    TRY_ASSIGN(const std::vector<Factors>* all, factorsOf(*stored.linear));
    sums_.assign(values_.begin(), values_.end());
    for (const Factors& factors : *all) {
      const std::size_t rank = factors.a.size() / source_.columns;
      for (std::size_t k = 0; k < rank; ++k) {
        const double weight = factors.scale * double{factors.b[stored.linear_row * rank + k]};
        const float* a = &factors.a[k * source_.columns];
        for (std::size_t c = 0; c < source_.columns; ++c) sums_[c] += weight * double{a[c]};
      }
    }
    std::ranges::transform(sums_, values_.begin(), [](double sum) { return static_cast<float>(sum); });
  }
  return std::as_bytes(std::span(values_));
}

}  // namespace vitrine::core
