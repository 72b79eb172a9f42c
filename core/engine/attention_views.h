// Attention maps, and those that recurrent mixers imply (core/model/map_source.h), computed on demand from a
// session's record (queries, keys, log-sum-exp): nothing of size tokens x tokens is kept for any head.
// Pictures are images that the canvas samples on the same device.
#pragma once

#include <memory>
#include <vector>

#include "core/engine/kernels.h"
#include "core/engine/session.h"

namespace vitrine::core {

class AttentionViews {
 public:
  // The session must have been made with probes, and have at least one token when a picture is asked for.
  static Result<std::unique_ptr<AttentionViews>> create(gpu::Device& device);
  ~AttentionViews();

  // The requested region clipped to the sequence and snapped outwards to whole cells; one pixel a cell where
  // cells are larger than pixels (the canvas magnifies), maximum or mean of several cells otherwise. Fills
  // received and entropy as well. The result's `request` says what the picture covers.
  Result<MapPicture> map(const Session& session, const MapRequest& request);
  Result<OverviewPicture> overview(const Session& session, const OverviewRequest& request);
  Result<RowValues> row(const Session& session, const RowRequest& request);
  Result<std::vector<HeadSummary>> heads(const Session& session);
  // (tokens, tokens), -1 where masked.
  Result<std::vector<float>> matrix(const Session& session, std::uint32_t layer, std::uint32_t head);

  double lastGpuMs() const;           // of the newest call; 0 without timestamps
  std::uint64_t memoryBytes() const;  // images and buffers held for the views

 private:
  AttentionViews();
  Result<void> check(const Session& session) const;
  Result<void> check(const Session& session, std::uint32_t layer, std::uint32_t head) const;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine::core
