#include "core/spectra/device_product.h"

namespace vitrine::core {

Result<void> recordProduct(Kernels& kernels, gpu::Commands& commands, const shader::ProductParams& params,
                           const ProductOperands& operands, const gpu::Access& access) {
  constexpr std::uint32_t kSide = 64;          // of a workgroup's tile
  constexpr std::uint32_t kManyTiles = 1'000;  // to fill a GPU with fewer, larger threads, which read less
  const std::uint32_t tiles = gpu::divideUp(params.m, kSide) * gpu::divideUp(params.n, kSide);
  const std::uint32_t each = tiles >= kManyTiles ? 8 : 4;
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/product", kSide * kSide / (each * each) / kernels.lanes(),
                         {{0, operands.a_transposed}, {1, operands.b_transposed}, {2, each}}));
  commands.dispatch(*kernel, {tiles, operands.batch, operands.parts}, params, access);
  return {};
}

}  // namespace vitrine::core
