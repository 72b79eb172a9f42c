// Follows the hidden states of a session while it reads: the last ones lie in a ring on the device, and of
// all of them a sum is kept from which singular values are found when they are asked for. That sum is the
// Gram matrix where a state is at most `widest_exact` wide, else a sketch of `rank` rows that is updated by
// blocks of rows (core/spectra/streaming_svd.h; here without vectors: the rows are sigma v^T, and what
// rounding does to them cannot grow, since every update diagonalizes them again).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/engine/kernels.h"

namespace vitrine::core {

struct HiddenStreamOptions {
  std::uint32_t window = 256;  // rows that the ring holds for certain
  std::uint32_t widest_exact = 1024;
  // Rows of the sketch, of whose values the first `shown` are told: those near the cut are off. Measured on
  // the hidden states of SmolLM2, 2,276 of width 576, four layers: these 32 are off by at most 3e-4 of the
  // largest; each of the first 8 by 6e-4 of itself, of 16 by 2e-3, of 32 by 5e-3.
  std::uint32_t rank = 128, shown = 32;
  bool window_only = false;  // no sum of all rows is kept

  bool operator==(const HiddenStreamOptions&) const = default;
};

// What a sketch knows of one slot's rows.
struct HiddenSketch {
  std::vector<double> sigma;  // descending
  double energy = 0;          // of all rows
  double left_out = 0, largest_left_out = 0;
  double slack() const { return left_out < largest_left_out ? left_out : largest_left_out; }
};

// Slot 0 is the embedding's output, slot l that of block l, the last one the final norm's: hidden.L of a
// trace.
class HiddenStream {
 public:
  // `stride`: floats between rows, a multiple of 4. At most `batch` rows are stored before each take().
  // kOutOfMemory with what it needs.
  static Result<HiddenStream> create(Kernels& kernels, std::uint32_t slots, std::uint32_t width,
                                     std::uint32_t stride, std::uint32_t batch, HiddenStreamOptions options);

  // Records that the rows of x go to the ring, from the step state's position on.
  Result<void> store(gpu::Commands& commands, std::uint32_t slot, gpu::Slice x, std::uint32_t tokens,
                     const gpu::Buffer& state);
  // The rows of positions [first, end) were stored in all slots, by what was submitted. Where they do not
  // follow those before, everything starts anew at `first`.
  Result<void> take(std::uint32_t first, std::uint32_t end);
  // The sequence was cut to `length`.
  void cut(std::uint32_t length);
  // Everything that was taken goes into the sums; take() lets some rows wait.
  Result<void> flush();

  const HiddenStreamOptions& options() const { return options_; }
  std::uint32_t slots() const { return slots_; }
  std::uint32_t width() const { return width_; }
  std::uint32_t stride() const { return stride_; }
  std::uint32_t ringRows() const { return ring_rows_; }
  // Positions that the sums cover, and how often they began anew.
  std::uint32_t first() const { return first_; }
  std::uint32_t end() const { return end_; }
  std::uint64_t restarts() const { return restarts_; }

  const gpu::Buffer& ring() const { return ring_; }  // (slots, ringRows(), stride) f32
  bool exact() const { return width_ <= options_.widest_exact; }
  const gpu::Buffer& grams() const { return grams_; }  // (slots, width, width) sums, where exact
  // Else, after flush(). Empty sigma where a row was not finite.
  const std::vector<HiddenSketch>& sketches() const { return sketches_; }

 private:
  explicit HiddenStream(Kernels& kernels) : kernels_(&kernels) {}
  void restart(std::uint32_t at);
  Result<void> addExact(std::uint32_t first, std::uint32_t end);
  Result<void> addBlock(std::uint32_t first, std::uint32_t rows);
  Result<void> multiplyBlock(std::uint32_t first, std::uint32_t rows);
  Result<void> turnBlock();
  std::uint32_t blockRows() const { return options_.rank + kBlock; }

  static constexpr std::uint32_t kBlock = 32;  // rows of an update

  Kernels* kernels_;
  HiddenStreamOptions options_;
  std::uint32_t slots_ = 0, width_ = 0, stride_ = 0, ring_rows_ = 0;
  std::uint32_t first_ = 0, end_ = 0, summed_ = 0;  // positions; those from summed_ on wait
  std::uint64_t restarts_ = 0;
  gpu::Buffer ring_, grams_;
  // Of the sketch: (slots, blockRows(), stride) f32 before and after an update, (slots, blockRows(),
  // blockRows()) products and turns.
  gpu::Buffer rows_, turned_, products_, turns_;
  std::vector<HiddenSketch> sketches_;
  gpu::Commands commands_;
};

}  // namespace vitrine::core
