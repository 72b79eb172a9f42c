#include "core/model/merged_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/tensor/dequantize.h"

namespace vitrine::core {
namespace {

// Rounds to nearest even; the value is finite or stays what it is.
std::uint16_t floatToBfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (!std::isfinite(value)) return static_cast<std::uint16_t>(bits >> 16);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

std::uint16_t narrowed(DType type, float value) {
  return type == DType::kF16 ? floatToHalf(value) : floatToBfloat16(value);
}

}  // namespace

DType mergedType(DType stored) {
  return stored == DType::kF16 || stored == DType::kBF16 ? stored : DType::kF32;
}

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
  if (!stored.linear && type_ == source_.type) return bytes;
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
  if (type_ == DType::kF32) return std::as_bytes(std::span(values_));
  out_.resize(values_.size() * sizeof(std::uint16_t));
  for (std::size_t c = 0; c < values_.size(); ++c) {
    const std::uint16_t bits = narrowed(type_, values_[c]);
    std::memcpy(&out_[c * sizeof bits], &bits, sizeof bits);
  }
  return std::span<const std::byte>(out_);
}

}  // namespace vitrine::core
