// Products of matrices in double precision on a device: shaders/svd/product.comp.
#pragma once

#include "core/engine/kernels.h"
#include "gpu/commands.h"
#include "svd/product.params.h"

namespace vitrine::core {

struct ProductOperands {
  bool a_transposed = false, b_transposed = false;
  std::uint32_t batch = 1, parts = 1;  // parts: of the inner side, to be added up by who reads C
};

Result<void> recordProduct(Kernels& kernels, gpu::Commands& commands, const shader::ProductParams& params,
                           const ProductOperands& operands, const gpu::Access& access);

}  // namespace vitrine::core
