#include "core/engine/device_sums.h"

#include <bit>

namespace vitrine::core {
namespace {

struct FloatPair {
  float high, low;
};

}  // namespace

void sumsToDoubles(std::span<double> sums, SumForm form) {
  if (form == SumForm::kDouble) return;
  for (double& sum : sums) {
    const auto pair = std::bit_cast<FloatPair>(sum);
    sum = double{pair.high} + double{pair.low};
  }
}

void doublesToSums(std::span<double> values, SumForm form) {
  if (form == SumForm::kDouble) return;
  for (double& value : values) {
    const auto high = static_cast<float>(value);
    value = std::bit_cast<double>(FloatPair{high, static_cast<float>(value - double{high})});
  }
}

}  // namespace vitrine::core
