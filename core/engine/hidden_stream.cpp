#include "core/engine/hidden_stream.h"

#include <algorithm>
#include <cmath>

#include "core/engine/device_sums.h"
#include "core/spectra/parallel.h"
#include "core/spectra/running_gram.h"
#include "engine/hidden_store.params.h"
#include "svd/gram_append.params.h"
#include "svd/rotate_rows.params.h"
#include "svd/token_gram.params.h"

namespace vitrine::core {

Result<HiddenStream> HiddenStream::create(Kernels& kernels, std::uint32_t slots, std::uint32_t width,
                                          std::uint32_t stride, std::uint32_t batch,
                                          HiddenStreamOptions options) {
  HiddenStream to(kernels);
  to.options_ = options;
  to.slots_ = slots;
  to.width_ = width;
  to.stride_ = stride;
  to.ring_rows_ = options.window + batch;
  const bool exact = width <= options.widest_exact;
  const std::uint64_t row = std::uint64_t{slots} * stride * sizeof(float), n = to.blockRows(),
                      squares = slots * sizeof(double) * (exact ? std::uint64_t{width} * width : n * n);
  const std::uint64_t ring = to.ring_rows_ * row;
  const std::uint64_t sums = options.window_only ? 0 : exact ? squares : 2 * (n * row + squares);
  const gpu::MemoryUsage memory = kernels.device().memory();
  if (ring + sums > memory.available)
    return fail(ErrorCode::kOutOfMemory,
                "the spectra of hidden states need {:.2f} GB, {:.2f} GB are free on {}",
                1e-9 * double(ring + sums), 1e-9 * double(memory.available), kernels.device().info().name);
  const auto make = [&](gpu::Buffer& buffer, std::uint64_t bytes, const char* name) -> Result<void> {
    TRY_ASSIGN(buffer, gpu::Buffer::create(kernels.device(), bytes, gpu::MemoryKind::kDevice, name));
    return {};
  };
  TRY(make(to.ring_, ring, "hidden states"));
  if (sums > 0 && exact) {
    TRY(make(to.grams_, squares, "Gram matrices of hidden states"));
  } else if (sums > 0) {
    TRY(make(to.rows_, n * row, "sketches of hidden states"));
    TRY(make(to.turned_, n * row, "sketches of hidden states, turned"));
    TRY(make(to.products_, squares, "products of sketches"));
    TRY(make(to.turns_, squares, "turns of sketches"));
  }
  TRY_ASSIGN(to.commands_, gpu::Commands::create(kernels.device(), "spectra of hidden states"));
  to.restart(0);
  return to;
}

void HiddenStream::restart(std::uint32_t at) {
  first_ = end_ = summed_ = at;
  ++restarts_;
  sketches_.assign(exact() ? 0 : slots_, {});
}

Result<void> HiddenStream::store(gpu::Commands& commands, std::uint32_t slot, gpu::Slice x,
                                 std::uint32_t tokens, const gpu::Buffer& state) {
  TRY_ASSIGN(const gpu::Kernel* kernel, kernels_->get("engine/hidden_store", 1));
  const std::uint64_t bytes = std::uint64_t{ring_rows_} * stride_ * sizeof(float);
  const gpu::Slice ring(ring_, slot * bytes, bytes);
  const shader::HiddenStoreParams params{.state = state.address(),
                                         .x = x.address(),
                                         .ring = ring.address(),
                                         .row_stride = stride_ / 4,
                                         .rows = ring_rows_};
  commands.dispatch(*kernel, {gpu::divideUp(stride_ / 4, kernels_->lanes()), tokens}, params,
                    {.reads = {x, state}, .writes = {ring}});
  return {};
}

Result<void> HiddenStream::take(std::uint32_t first, std::uint32_t end) {
  if (first != end_) restart(first);
  end_ = end;
  if (exact() || options_.window_only) return end_ - summed_ >= kBlock ? flush() : Result<void>{};
  while (end_ - summed_ >= kBlock) TRY(addBlock(summed_, kBlock));
  return {};
}

void HiddenStream::cut(std::uint32_t length) {
  if (length < end_) restart(length);
}

Result<void> HiddenStream::flush() {
  if (options_.window_only) summed_ = end_;
  if (summed_ == end_) return {};
  if (exact()) return addExact(summed_, end_);
  while (summed_ < end_) TRY(addBlock(summed_, std::min(kBlock, end_ - summed_)));
  return {};
}

Result<void> HiddenStream::addExact(std::uint32_t first, std::uint32_t end) {
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels_->get("svd/gram_append", 1, {{7, false}}, name(sumFormOf(kernels_->device()))));
  const std::uint32_t side = gpu::divideUp(width_, 4);
  const shader::GramAppendParams params{.rows = ring_.address(),
                                        .grams = grams_.address(),
                                        .matrix_stride = ring_rows_ * (stride_ / 4),
                                        .row_stride = stride_ / 4,
                                        .width = width_,
                                        .first = first,
                                        .count = end - first,
                                        .ring = ring_rows_,
                                        .fresh = first == first_};
  TRY(commands_.begin());
  commands_.dispatch(*kernel, {gpu::divideUp(side * (side + 1) / 2, kernels_->lanes()), slots_}, params,
                     {.reads = {ring_}, .writes = {grams_}});
  TRY(commands_.end());
  TRY(commands_.submit());
  summed_ = end;
  return {};
}

// The sketch's rows and, below them, the block's: their products among each other.
Result<void> HiddenStream::multiplyBlock(std::uint32_t first, std::uint32_t rows) {
  const std::uint32_t n = blockRows();
  const std::uint64_t row = stride_ * sizeof(float), sketch = options_.rank * row;
  TRY(commands_.begin());
  if (first == first_) commands_.fill(rows_, 0);
  for (std::uint32_t slot = 0; slot < slots_; ++slot) {
    const std::uint64_t to = slot * n * row + sketch, from = std::uint64_t{slot} * ring_rows_ * row;
    for (std::uint32_t i = 0; i < rows;) {
      const std::uint32_t at = (first + i) % ring_rows_, together = std::min(rows - i, ring_rows_ - at);
      commands_.copy({ring_, from + at * row, together * row}, {rows_, to + i * row, together * row});
      i += together;
    }
    if (rows < kBlock) commands_.fill({rows_, to + rows * row, (kBlock - rows) * row}, 0);
  }
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels_->get("svd/token_gram", 1, {}, name(sumFormOf(kernels_->device()))));
  const shader::TokenGramParams params{.rows = rows_.address(),
                                       .gram = products_.address(),
                                       .row_stride = stride_ / 4,
                                       .ring = n,
                                       .window = n,
                                       .first = 0,
                                       .end = n,
                                       .begin = 0};
  const std::uint32_t tiles = gpu::divideUp(n, 4);
  commands_.dispatch(*kernel, {gpu::divideUp(tiles, kernels_->lanes()), tiles, slots_}, params,
                     {.reads = {rows_}, .writes = {products_}});
  TRY(commands_.end());
  TRY(commands_.submit());
  return {};
}

// rows_ becomes the sketch that turns_ makes of it.
Result<void> HiddenStream::turnBlock() {
  TRY_ASSIGN(const gpu::Kernel* kernel,
             kernels_->get("svd/rotate_rows", 1, {}, name(sumFormOf(kernels_->device()))));
  const shader::RotateRowsParams params{.rows = rows_.address(),
                                        .turns = turns_.address(),
                                        .rotated = turned_.address(),
                                        .n = blockRows(),
                                        .kept = options_.rank,
                                        .row_stride = stride_ / 4};
  TRY(commands_.begin());
  commands_.dispatch(*kernel, {gpu::divideUp(stride_ / 4, kernels_->lanes()), options_.rank, slots_}, params,
                     {.reads = {rows_, turns_}, .writes = {turned_}});
  TRY(commands_.end());
  TRY(commands_.submit());
  std::swap(rows_, turned_);
  return {};
}

Result<void> HiddenStream::addBlock(std::uint32_t first, std::uint32_t rows) {
  TRY(multiplyBlock(first, rows));
  const std::size_t n = blockRows(), rank = options_.rank;
  const SumForm form = sumFormOf(kernels_->device());
  std::vector<double> products(slots_ * n * n);
  TRY(gpu::download(kernels_->device(), products_, std::as_writable_bytes(std::span(products))));
  sumsToDoubles(products, form);
  std::vector<std::optional<Error>> errors(slots_);
  (void)runParallel(slots_, 0, {}, [&](std::size_t slot) {
    HiddenSketch& sketch = sketches_[slot];
    const std::span<double> values(&products[slot * n * n], n * n);
    for (std::size_t i = rank; i < n; ++i) sketch.energy += values[i * n + i];
    auto eigen = gramVectors(values);
    if (!eigen) {  // not finite: nothing is known from here on
      if (eigen.error().code != ErrorCode::kInvalidFile) errors[slot] = eigen.error();
      sketch = {.sigma = {}, .energy = std::numeric_limits<double>::quiet_NaN()};
      return;
    }
    sketch.sigma.assign(eigen->begin(), eigen->begin() + static_cast<std::ptrdiff_t>(rank));
    for (std::size_t i = rank; i < n; ++i) sketch.left_out += (*eigen)[i] * (*eigen)[i];
    sketch.largest_left_out += (*eigen)[rank] * (*eigen)[rank];
  });
  for (const auto& error : errors)
    if (error) return tl::unexpected(*error);
  doublesToSums(products, form);
  TRY(gpu::upload(kernels_->device(), std::as_bytes(std::span(products)), turns_));
  TRY(turnBlock());
  summed_ = first + rows;
  return {};
}

}  // namespace vitrine::core
