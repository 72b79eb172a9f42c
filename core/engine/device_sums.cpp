#include "core/engine/device_sums.h"

#include <atomic>
#include <bit>
#include <thread>

namespace vitrine::core {
namespace {

struct FloatPair {
  float high, low;
};

}  // namespace

void sumsToDoubles(std::span<double> sums, bool doubles) {
  if (doubles) return;
  for (double& sum : sums) {
    const auto pair = std::bit_cast<FloatPair>(sum);
    sum = double{pair.high} + double{pair.low};
  }
}

void doublesToSums(std::span<double> values, bool doubles) {
  if (doubles) return;
  for (double& value : values) {
    const auto high = static_cast<float>(value);
    value = std::bit_cast<double>(FloatPair{high, static_cast<float>(value - double{high})});
  }
}

void forEachInParallel(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < std::min(cores, count); ++i) others.emplace_back(run);
  run();
}

}  // namespace vitrine::core
