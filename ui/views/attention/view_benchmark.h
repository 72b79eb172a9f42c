// How fast the Attention view's pictures come on a device, without a display: a long sequence, zoomed into,
// panned and zoomed out of, every frame computed and drawn as the window would. Rows for `vitrine bench`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/benchmark.h"

namespace vitrine::ui {

struct ViewBenchmarkOptions {
  std::uint32_t tokens = 16384;  // of arbitrary content: the cost does not depend on it
  std::uint32_t frames = 240;
  int width = 1280, height = 800;  // of the canvas, pixels
};

// Rows "view frame" (compute, draw and wait, ms), "view compute" and "view draw" (GPU, ms; 0 without
// timestamps) and "view memory" (MiB: pictures, canvas, and what the session keeps for them).
Result<std::vector<core::BenchmarkRow>> benchmarkAttentionView(
    std::shared_ptr<const core::Model> model, const ViewBenchmarkOptions& options,
    const std::function<void(const std::string&)>& progress);

}  // namespace vitrine::ui
