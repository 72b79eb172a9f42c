// Speed of a model on a device: prompt processing (ppN) and generation (tgN) in tokens per second, as
// llama-bench names them, and what the probes of an open attention view cost.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/engine/session.h"

namespace vitrine::core {

struct BenchmarkOptions {
  std::vector<std::uint32_t> prefill = {64, 512};
  std::vector<std::uint32_t> decode = {128};
  std::vector<std::uint32_t> depths = {0};  // tokens before those that are generated
  std::uint32_t repetitions = 5;            // after one that is not counted
  CacheType cache = CacheType::kF16;
  bool probes = true;  // also with the attention view's probes and pictures
};

struct BenchmarkRow {
  std::string name, unit;  // "pp512", "tokens/s"
  double median = 0, min = 0, max = 0;
  std::uint32_t n = 0;
};

// The largest session that a run opens, for what must fit beside the weights.
SessionOptions largestSession(const BenchmarkOptions& options);

// Rows ppN and tgN (tgN @ dM behind M tokens), then tgN with "+ view" (attention view open) and "view cost"
// in percent of generation time.
Result<std::vector<BenchmarkRow>> runBenchmark(std::shared_ptr<const Model> model,
                                               const BenchmarkOptions& options,
                                               const std::function<void(const std::string&)>& progress);

}  // namespace vitrine::core
