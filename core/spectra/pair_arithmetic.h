// Pairs of floats (shaders/svd/pairs.glsl) on a device: whether its driver computes them as written. Their
// exact sums and products come out as zeros and noise where a driver reorders or contracts arithmetic in
// spite of NoContraction.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/engine/device_sums.h"

namespace vitrine::core {

struct PairArithmetic {
  bool fused = false;  // fma() rounds once, which spares a product most of its steps
};
// Computes hard cases on the device. kUnsupported with the first that came out wrong.
Result<PairArithmetic> pairArithmeticOf(Kernels& kernels);

// Kernels::get in the form "pair".
Result<const gpu::Kernel*> pairKernel(Kernels& kernels, const PairArithmetic& arithmetic,
                                      std::string_view name, std::uint32_t subgroups,
                                      std::vector<gpu::Specialization> constants = {});

// The cases: a, b of each, values that pairs of floats have.
std::vector<double> pairOperands();
// What is wrong with a + b, a b, a / b and the root of |a| of each case.
std::optional<std::string> pairMistake(std::span<const double> operands, std::span<const double> results);

}  // namespace vitrine::core
