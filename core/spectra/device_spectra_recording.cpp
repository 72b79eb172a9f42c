#include <cmath>

#include "core/spectra/device_spectra_impl.h"
#include "svd/multisection.params.h"

namespace vitrine::core {
namespace {

constexpr std::uint32_t kTile = 64;          // of gram.comp
constexpr std::uint32_t kTileThreads = 256;  // of tridiagonal_update.comp and tridiagonal_mirror.comp
constexpr std::uint32_t kProductSubgroups = 8;
constexpr std::uint32_t kStepGroups = 128,
                        kStepRows = 8;            // workgroups of a step at most, rows of each at least
constexpr std::uint32_t kMostDispatches = 1'024;  // of one submission: less than 20 ms

}  // namespace

Result<gpu::Commands*> DeviceSpectra::Impl::next() {
  if (!recorded.empty() && recorded.back().dispatches() < kMostDispatches) return &recorded.back();
  TRY(closeLast());
  TRY_ASSIGN(auto commands, gpu::Commands::create(device, "spectra"));
  recorded.push_back(std::move(commands));
  TRY(recorded.back().begin());
  recorded.back().mark("begin");
  return &recorded.back();
}

Result<void> DeviceSpectra::Impl::closeLast() {
  if (recorded.empty()) return {};
  recorded.back().mark(stage);
  recorded.back().barrier();
  return recorded.back().end();
}

Result<void> DeviceSpectra::Impl::record() {
  const bool in_pairs = form == SumForm::kPair;
  stage = kSpectraStages[0];
  if (given) {
    TRY_ASSIGN(gpu::Commands * commands, next());
    commands->copy(given, gram);
  } else {
    TRY(in_pairs ? recordPairGram() : recordGram());
    for (const bool of_gram : {false, true})
      TRY(in_pairs ? recordPairSquares(of_gram) : recordSquares(of_gram));
  }
  recorded.back().mark(stage);
  if (shape.by_band) {
    stage = kSpectraStages[1];
    TRY(recordBand());
    recorded.back().mark(stage);
  }
  stage = kSpectraStages[2];
  TRY(in_pairs ? recordPairColumns() : shape.by_band ? recordChase() : recordColumns());
  recorded.back().mark(stage);
  stage = kSpectraStages[3];
  TRY(in_pairs ? recordPairValues() : recordValues());
  recorded.back().mark(stage);
  recorded.back().copy(found, host);
  recorded.back().hostBarrier();
  return recorded.back().end();
}

Result<void> DeviceSpectra::Impl::recordGram() {
  TRY_ASSIGN(gpu::Commands * commands, next());
  // With fewer, larger threads once there are tiles enough to fill a GPU all the same.
  constexpr std::uint32_t kManyTiles = 1'000;
  const std::uint32_t side = gpu::divideUp(shape.n(), kTile), tiles = side * (side + 1) / 2;
  const std::uint32_t each = tiles * shape.count >= kManyTiles ? 8 : 4, of_thread = each * each;
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/gram", kTile * kTile / of_thread / kernels.lanes(),
                         {{0, shape.rows < shape.columns}, {1, each}, {2, shape.with_vectors}}));
  commands->dispatch(*kernel, {tiles, shape.count}, gramParams(), {.reads = {input}, .writes = {gram}});
  return {};
}

shader::GramParams DeviceSpectra::Impl::gramParams() const {
  return {.a = input.address(),
          .gram = gram.address(),
          .n = shape.n(),
          .long_side = shape.longSide(),
          .columns = shape.columns,
          .stride = shape.stride()};
}

Result<void> DeviceSpectra::Impl::recordSquares(bool of_gram) {
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels.get("svd/squares", 1, {{0, of_gram || shape.with_vectors}}));
  commands->dispatch(*kernel, {shape.squareParts(), shape.count}, squaresParams(of_gram),
                     {.reads = {of_gram ? gram : input}, .writes = {squares(of_gram)}});
  return {};
}

shader::SquaresParams DeviceSpectra::Impl::squaresParams(bool of_gram) const {
  return {.numbers = (of_gram ? gram : input).address(),
          .sums = squares(of_gram).address(),
          .rows = of_gram ? shape.n() : shape.rows,
          .columns = of_gram ? shape.n() : shape.columns,
          .stride = of_gram ? shape.stride() : shape.columns};
}

shader::TridiagonalParams DeviceSpectra::Impl::params(std::uint32_t column, std::uint32_t first) const {
  return {.gram = gram.address(),
          .panel = panel.address(),
          .vectors = vectors.address(),
          .products = products.address(),
          .parts = parts.address(),
          .result = tridiagonal().address(),
          .n = shape.n(),
          .stride = shape.stride(),
          .width = shape.width(),
          .slots = shape.slots(),
          .parts_room = shape.parts(),
          .column = column,
          .first = first,
          .kept = shape.kept()};
}

// By panels until the rest is small, of which a column is one dispatch.
Result<void> DeviceSpectra::Impl::recordColumns() {
  const std::uint32_t most = mostStepColumns();
  std::uint32_t first = 0;
  for (; shape.n() - first > most; first += shape.width()) {
    const std::uint32_t behind = first + shape.width();
    for (std::uint32_t column = first; column < behind; ++column) {
      TRY(recordColumn(column, first, false));
      TRY(recordProduct(column, first));
    }
    TRY(recordColumn(behind, first, true));
    TRY(recordUpdate(behind));
  }
  if (first > 0) TRY(recordMirror(first));
  return recordSteps(first);
}

Result<void> DeviceSpectra::Impl::recordMirror(std::uint32_t first) {
  constexpr std::uint32_t kSide = 32;  // of a tile of tridiagonal_mirror.comp
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/tridiagonal_mirror", kTileThreads / kernels.lanes()));
  const std::uint32_t tiles = gpu::divideUp(shape.n() - first, kSide);
  commands->dispatch(*kernel, {tiles * (tiles + 1) / 2, shape.count}, params(first, first),
                     {.reads = {}, .writes = {gram}});
  return {};
}

// As many columns as leave matrices that a GPU's cache holds, and whose three vectors fit a workgroup's
// shared memory: see tridiagonal_step.comp.
std::uint32_t DeviceSpectra::Impl::mostStepColumns() const {
  constexpr std::uint32_t kDouble = sizeof(double), kOthers = 1024;
  constexpr double kCache = 34e6;
  const std::uint32_t least = 2 * shape.width();
  if (reduction == Reduction::kPanels) return least;
  const std::uint32_t of_shared = (device.info().shared_memory_bytes - kOthers) / (3 * 2 * kDouble) * 2 - 2;
  const auto of_cache = static_cast<std::uint32_t>(std::sqrt(kCache / (kDouble * shape.count)));
  return std::max(least, std::min(of_shared, of_cache));
}

Result<void> DeviceSpectra::Impl::recordSteps(std::uint32_t first) {
  const std::uint32_t threads = device.info().software ? 256 : 512, subgroups = threads / kernels.lanes();
  const std::uint32_t left = shape.n() - first, pairs = left / 2 + 2;
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/tridiagonal_step", subgroups, {{0, subgroups}, {1, pairs}}));
  for (std::uint32_t column = first; column < shape.n(); ++column) {
    TRY_ASSIGN(gpu::Commands * commands, next());
    const std::uint32_t rows = std::max(1u, shape.n() - column - 1);
    const std::uint32_t groups = std::clamp(kStepGroups / shape.count, 1u, gpu::divideUp(rows, kStepRows));
    commands->dispatch(*kernel, {groups, shape.count}, params(column, first),
                       {.reads = {}, .writes = {gram, vectors, products, parts, tridiagonal()}});
  }
  return {};
}

Result<void> DeviceSpectra::Impl::recordColumn(std::uint32_t column, std::uint32_t first, bool finish_only) {
  TRY_ASSIGN(gpu::Commands * commands, next());
  const std::uint32_t subgroups = kColumnThreads / kernels.lanes();
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/tridiagonal_column", subgroups, {{0, subgroups}, {1, finish_only}}));
  shader::TridiagonalParams step = params(column, first);
  if (column > first) {
    step.norm_parts = columnGroups(column - 1);
    step.dot_parts = tilesFrom(column);
  }
  commands->dispatch(*kernel, {columnGroups(column), shape.count}, step,
                     {.reads = {gram, products}, .writes = {panel, vectors, parts, tridiagonal()}});
  return {};
}

Result<void> DeviceSpectra::Impl::recordProduct(std::uint32_t column, std::uint32_t first) {
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/tridiagonal_product", kProductSubgroups, {{0, kProductSubgroups}}));
  shader::TridiagonalParams step = params(column, first);
  step.norm_parts = columnGroups(column);
  const std::uint32_t dots = gpu::divideUp(2 * (column - first), kProductSubgroups);
  commands->dispatch(*kernel, {dots + tilesFrom(column + 1), shape.count}, step,
                     {.reads = {gram, panel, vectors}, .writes = {products, parts}});
  return {};
}

Result<void> DeviceSpectra::Impl::recordUpdate(std::uint32_t behind) {
  TRY_ASSIGN(gpu::Commands * commands, next());
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels.get("svd/tridiagonal_update", kTileThreads / kernels.lanes()));
  commands->dispatch(*kernel, {4 * tilesFrom(behind), shape.count}, params(behind, behind - shape.width()),
                     {.reads = {panel}, .writes = {gram}});
  return {};
}

// Points at once for each value: many, as long as the device has lanes to spare for them.
std::uint32_t DeviceSpectra::Impl::sectionPoints() const {
  const std::uint32_t all = shape.n() * shape.count;
  return std::min(all <= 3'000 ? 32u : all <= 6'000 ? 16u : 8u, kernels.lanes());
}

Result<void> DeviceSpectra::Impl::recordValues() {
  TRY_ASSIGN(gpu::Commands * commands, next());
  const std::uint32_t section = sectionPoints();
  constexpr double kBits = 55;
  const auto passes = static_cast<std::uint32_t>(std::ceil(kBits / std::log2(section + 1)));
  TRY_ASSIGN(const gpu::Kernel* scaled, kernels.get("svd/section_terms", 1));
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels.get("svd/multisection", 1, {{0, section}, {1, passes}}));
  const shader::MultisectionParams step{.tridiagonal = tridiagonal().address(),
                                        .terms = terms.address(),
                                        .bounds = bounds.address(),
                                        .values = values().address(),
                                        .n = shape.n(),
                                        .steps = shape.steps()};
  commands->dispatch(*scaled, {shape.count}, step, {.reads = {tridiagonal()}, .writes = {terms, bounds}});
  commands->dispatch(*kernel, {gpu::divideUp(shape.n(), kernels.lanes() / section), shape.count}, step,
                     {.reads = {terms, bounds}, .writes = {values()}});
  return {};
}

}  // namespace vitrine::core
