// Sums on a device with at least twice a float's digits (shaders/svd/sums.glsl): doubles, or pairs of floats
// where the device has no double precision. Both take 8 bytes.
#pragma once

#include <string_view>

#include "core/engine/kernels.h"

namespace vitrine::core {

inline bool sumsAreDoubles(const gpu::Device& device) {
  return device.info().features.float64;
}
// The form of the kernels that take them.
inline std::string_view sumForm(const gpu::Device& device) {
  return sumsAreDoubles(device) ? "double" : "pair";
}

// Numbers of a downloaded buffer, in place.
void sumsToDoubles(std::span<double> sums, bool doubles);
void doublesToSums(std::span<double> values, bool doubles);

// Calls work(0) .. work(count - 1) on as many threads as there are cores.
void forEachInParallel(std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace vitrine::core
