// The recording of DeviceSpectra's commands in pairs of floats; the buffers are those of doubles.
#include <cmath>

#include "core/spectra/device_spectra_impl.h"
#include "svd/gram.params.h"
#include "svd/pair_multisection.params.h"
#include "svd/pair_reduction.params.h"
#include "svd/squares.params.h"

namespace vitrine::core {
namespace {

constexpr std::uint32_t kPairTile = 64, kPairTileThreads = 256;  // of pair_gram.comp
constexpr std::uint32_t kPairRowSubgroups = 8;
constexpr std::uint32_t kPairWorkRows = 5;  // of pair_reduction.params.h

}  // namespace

Result<const gpu::Kernel*> DeviceSpectra::Impl::pairKernel(std::string_view name, std::uint32_t subgroups,
                                                           std::vector<gpu::Specialization> constants) {
  return core::pairKernel(kernels, pairs, name, subgroups, std::move(constants));
}

Result<void> DeviceSpectra::Impl::recordPairGram() {
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* kernel, pairKernel("svd/pair_gram", kPairTileThreads / kernels.lanes(),
                                                   {{0, shape.rows < shape.columns}}));
  const std::uint32_t side = gpu::divideUp(shape.n(), kPairTile), tiles = side * (side + 1) / 2;
  commands->dispatch(*kernel, {tiles, shape.count}, gramParams(), {.reads = {input}, .writes = {gram}});
  return {};
}

Result<void> DeviceSpectra::Impl::recordPairSquares(bool of_gram) {
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* kernel, pairKernel("svd/pair_squares", 1, {{0, of_gram}}));
  commands->dispatch(*kernel, {shape.squareParts(), shape.count}, squaresParams(of_gram),
                     {.reads = {of_gram ? gram : input}, .writes = {squares(of_gram)}});
  return {};
}

Result<void> DeviceSpectra::Impl::recordPairColumns() {
  VITRINE_ASSERT(shape.panel() >= kPairWorkRows * shape.stride());
  const std::uint32_t threads = device.info().software ? 256 : 512, subgroups = threads / kernels.lanes();
  constexpr std::uint32_t kManyRows = 4'096;  // that keep a device busy a few at a time
  constexpr std::uint32_t kInFlight = 4;      // numbers that a lane loads together
  TRY_ASSIGN(const gpu::Kernel* column_kernel, pairKernel("svd/pair_column", subgroups, {{0, subgroups}}));
  for (std::uint32_t column = 0; column < shape.n(); ++column) {
    TRY_ASSIGN(gpu::Commands * commands, next());
    const std::uint32_t below = shape.n() - column - 1, rows = below * shape.count >= kManyRows ? 4 : 1;
    const shader::PairReductionParams step{.gram = gram.address(),
                                           .work = panel.address(),
                                           .result = tridiagonal().address(),
                                           .n = shape.n(),
                                           .stride = shape.stride(),
                                           .work_room = static_cast<std::uint32_t>(shape.panel()),
                                           .column = column};
    commands->dispatch(*column_kernel, {1, shape.count}, step,
                       {.reads = {gram}, .writes = {panel, tridiagonal()}});
    if (below == 0) break;
    TRY_ASSIGN(const gpu::Kernel* rows_kernel,
               pairKernel("svd/pair_rows", kPairRowSubgroups,
                          {{0, kPairRowSubgroups}, {1, rows}, {2, kInFlight / rows}}));
    commands->dispatch(*rows_kernel, {gpu::divideUp(below, rows * kPairRowSubgroups), shape.count}, step,
                       {.reads = {}, .writes = {gram, panel}});
  }
  return {};
}

Result<void> DeviceSpectra::Impl::recordPairValues() {
  constexpr double kBits = 54;
  const std::uint32_t section = sectionPoints();
  const auto passes = static_cast<std::uint32_t>(std::ceil(kBits / std::log2(section + 1)));
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* kernel, pairKernel("svd/pair_multisection", 1, {{0, section}, {1, passes}}));
  commands->dispatch(
      *kernel, {gpu::divideUp(shape.n(), kernels.lanes() / section), shape.count},
      shader::PairMultisectionParams{
          .tridiagonal = tridiagonal().address(), .values = values().address(), .n = shape.n()},
      {.reads = {tridiagonal()}, .writes = {values()}});
  return {};
}

}  // namespace vitrine::core
