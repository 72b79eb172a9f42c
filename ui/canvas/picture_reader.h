// The values of a picture on the host, for numbers in cells and for the hovered cell: copied behind the work
// that is queued, one picture at a time, never waited for.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "gpu/buffer.h"
#include "gpu/commands.h"
#include "gpu/image.h"

namespace vitrine::ui {

class PictureReader {
 public:
  explicit PictureReader(gpu::Device& device) : device_(device) {}

  // Wants the values of `picture` (R32_SFLOAT). Cheap to call every frame.
  Result<void> want(std::shared_ptr<const gpu::Image> picture);
  // Whether a copy is under way: worth looking again soon.
  bool busy() const { return pending_ != nullptr; }
  // Row-major values, width * height, if they are those of `picture`; otherwise empty.
  std::span<const float> values(const gpu::Image* picture) const;

 private:
  Result<void> collect();
  gpu::Device& device_;
  gpu::Buffer buffer_;
  gpu::Commands commands_;
  std::shared_ptr<const gpu::Image> pending_, read_;
  std::uint64_t done_ = 0;
  std::vector<float> values_;
};

}  // namespace vitrine::ui
