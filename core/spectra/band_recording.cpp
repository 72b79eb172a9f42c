// The reduction in two stages: to a band, then from the band to tridiagonal form.
#include <cmath>

#include "core/spectra/device_spectra_impl.h"
#include "svd/band_chase.params.h"
#include "svd/band_panel.params.h"

namespace vitrine::core {
namespace {

// Of the kernels in shaders/svd.
constexpr std::uint32_t kBlockThreads = 256, kBlock = 64;  // band_product, band_update
constexpr std::uint32_t kResultThreads = 128;
constexpr std::uint32_t kColumnParts = 4;  // threads of a row of band_column
// Of band_chase: sweeps of a workgroup, hops of a dispatch, dispatches from a group's start to the next
// one's.
constexpr std::uint32_t kSweeps = 4, kSteps = 4, kLag = 3;
static_assert((kLag - 1) * kSteps >= 2 * kSweeps);

// Workgroups that a product is cut into: a few for each of a GPU's cores.
constexpr std::uint32_t kWantedGroups = 512;

// Where two stages are faster than one, measured: their many small dispatches take no longer for several
// matrices, so that fewer rows are enough with these.
constexpr double kLeastForBand = 3'400;

}  // namespace

bool DeviceSpectra::Impl::isByBand(const SpectraBatchShape& wanted) const {
  if (reduction != Reduction::kAuto) return reduction == Reduction::kBand;
  return wanted.n() * std::sqrt(double(wanted.count)) >= kLeastForBand;
}

Result<void> DeviceSpectra::Impl::recordBand() {
  TRY_ASSIGN(gpu::Commands * commands, next());
  commands->fill(band, 0);
  std::uint32_t first = 0;
  for (; shape.n() - first > kBand; first += kBand) TRY(recordBandPanel(first));
  return recordBandColumn(first, 0);  // keeps what is left, a block on the diagonal
}

shader::BandPanelParams DeviceSpectra::Impl::bandParams(std::uint32_t first, std::uint32_t step) const {
  return {
      .gram = gram.address(),
      .panel = panel.address(),
      .products = band_products.address(),
      .scratch = band_scratch.address(),
      .band = band.address(),
      .n = shape.n(),
      .stride = shape.stride(),
      .room = shape.bandRoom(),
      .slots = 1,
      .band_rows = shape.bandRows(),
      .column = first,
      .groups = std::max(1u, gpu::divideUp(shape.n() - std::min(first + kBand, shape.n()), kBandGroupRows)),
      .step = step};
}

Result<void> DeviceSpectra::Impl::recordBandPanel(std::uint32_t first) {
  for (std::uint32_t step = 0; step <= kBand; ++step) TRY(recordBandColumn(first, step));

  const std::uint32_t rows = shape.n() - first - kBand, blocks = gpu::divideUp(rows, kBlock);
  shader::BandPanelParams params = bandParams(first, 0);
  params.slots = std::clamp(kWantedGroups / (blocks * shape.count), 1u, kBandSlots);
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* product, kernels.get("svd/band_product", kBlockThreads / kernels.lanes()));
  commands->dispatch(*product, {blocks * params.slots, shape.count}, params,
                     {.reads = {gram, panel}, .writes = {band_products}});

  const std::uint32_t subgroups = kBandGroupRows / kernels.lanes();
  TRY_ASSIGN(const gpu::Kernel* sum, kernels.get("svd/band_sum", subgroups));
  commands->dispatch(*sum, {params.groups, shape.count}, params,
                     {.reads = {panel}, .writes = {band_products, band_scratch}});
  TRY_ASSIGN(const gpu::Kernel* w, kernels.get("svd/band_w", subgroups));
  commands->dispatch(*w, {params.groups, shape.count}, params,
                     {.reads = {band_products, band_scratch}, .writes = {panel}});
  TRY_ASSIGN(const gpu::Kernel* update, kernels.get("svd/band_update", kBlockThreads / kernels.lanes()));
  commands->dispatch(*update, {blocks * (blocks + 1) / 2, shape.count}, params,
                     {.reads = {panel}, .writes = {gram}});
  return {};
}

Result<void> DeviceSpectra::Impl::recordBandColumn(std::uint32_t first, std::uint32_t step) {
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/band_column", kColumnParts * kBandGroupRows / kernels.lanes()));
  const shader::BandPanelParams params = bandParams(first, step);
  commands->dispatch(*kernel, {params.groups, shape.count}, params,
                     {.reads = {gram}, .writes = {panel, band_scratch, band}});
  return {};
}

// Group g of sweeps starts in dispatch g * kLag.
Result<void> DeviceSpectra::Impl::recordChase() {
  const std::uint32_t n = shape.n(), sweeps = n > 2 ? n - 2 : 0, groups = gpu::divideUp(sweeps, kSweeps);
  shader::BandChaseParams params{.band = band.address(),
                                 .result = tridiagonal().address(),
                                 .n = n,
                                 .band_rows = shape.bandRows(),
                                 .first_group = 0,
                                 .dispatch = 0};
  const auto endOf = [&](std::uint32_t group) {
    const std::uint32_t hops = (n - 2 - group * kSweeps) / kBand + 1;
    return group * kLag + gpu::divideUp(hops + 2 * (kSweeps - 1), kSteps);
  };
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels.get("svd/band_chase", 2 * kSweeps * kBand / kernels.lanes(),
                                                    {{0, kSweeps}, {1, kSteps}, {2, kLag}}));
  for (; params.first_group < groups; ++params.dispatch) {
    while (params.first_group < groups && endOf(params.first_group) <= params.dispatch) ++params.first_group;
    const std::uint32_t end = std::min(groups, params.dispatch / kLag + 1);
    if (end <= params.first_group) continue;
    TRY_ASSIGN(gpu::Commands * commands, next());
    commands->dispatch(*kernel, {end - params.first_group, shape.count}, params,
                       {.reads = {}, .writes = {band}});
  }
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* result, kernels.get("svd/band_result", kResultThreads / kernels.lanes()));
  commands->dispatch(*result, {gpu::divideUp(n, kResultThreads), shape.count}, params,
                     {.reads = {band}, .writes = {tridiagonal()}});
  return {};
}

}  // namespace vitrine::core
