#include "ui/canvas/picture_reader.h"

#include <algorithm>

namespace vitrine::ui {

Result<void> PictureReader::want(std::shared_ptr<const gpu::Image> picture) {
  TRY(collect());
  if (!picture || pending_ || picture == read_) return {};
  VITRINE_ASSERT(picture->format() == VK_FORMAT_R32_SFLOAT);
  const std::uint64_t bytes = std::uint64_t(picture->width()) * picture->height() * sizeof(float);
  if (!buffer_ || buffer_.size() < bytes) {
    TRY_ASSIGN(buffer_, gpu::Buffer::create(device_, bytes, gpu::MemoryKind::kReadback, "picture values"));
  }
  if (!commands_.handle()) {
    TRY_ASSIGN(commands_, gpu::Commands::create(device_, "picture values"));
  }
  TRY(commands_.begin());
  commands_.barrier();  // the engine wrote it in an earlier submission
  commands_.copyFromImage(*picture, gpu::Slice(buffer_, 0, bytes));
  commands_.hostBarrier();
  TRY(commands_.end());
  TRY_ASSIGN(done_, commands_.submit());
  pending_ = std::move(picture);
  return {};
}

Result<void> PictureReader::collect() {
  if (!pending_) return {};
  TRY_ASSIGN(const std::uint64_t completed, device_.completed());
  if (completed < done_) return {};
  const auto values = buffer_.mappedAs<float>().first(std::size_t(pending_->width()) * pending_->height());
  values_.assign(values.begin(), values.end());
  read_ = std::move(pending_);
  pending_ = nullptr;
  return {};
}

std::span<const float> PictureReader::values(const gpu::Image* picture) const {
  if (!picture || picture != read_.get()) return {};
  return values_;
}

}  // namespace vitrine::ui
