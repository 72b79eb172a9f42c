// The engine: owns the model, the session and every compute submission on a thread of its own. All calls
// return at once; results arrive as snapshots. A newer request of the same kind replaces an older one that
// has not started, so a dragged slider never floods the queue. Abstract, so that the window can be tested
// without a device.
#pragma once

#include <functional>
#include <memory>

#include "core/engine/engine_types.h"

namespace vitrine::core {

class Engine {
 public:
  // `device` must outlive the engine. `on_snapshot` is called on the engine's thread after each publication
  // and must only wake somebody up.
  static std::unique_ptr<Engine> start(gpu::Device& device, std::function<void()> on_snapshot);
  virtual ~Engine() = default;  // stops what runs within one token and joins

  // The newest snapshot; never null. Cheap, from any thread.
  virtual std::shared_ptr<const Snapshot> snapshot() const = 0;

  // Replaces the model. The old one stays until the new one is complete, and when loading fails or is
  // cancelled.
  virtual void loadModel(std::filesystem::path path, LoadOptions options) = 0;
  virtual void cancelLoad() = 0;
  virtual void unloadModel() = 0;

  // Reads the prompt into the cache without generating (the maps of the prompt appear).
  virtual void setPrompt(std::string prompt) = 0;
  virtual void generate(GenerateRequest request) = 0;
  // From where the sequence stands.
  virtual void continueGeneration(std::uint32_t max_tokens, SamplingSettings sampling) = 0;
  virtual void step(SamplingSettings sampling) = 0;  // one token
  virtual void stop() = 0;                           // within one token
  virtual void truncate(std::uint32_t tokens) = 0;   // forget everything from this position on
  virtual void clearError() = 0;
  // Of one of the model's adapters (ModelSummary::adapters, Snapshot::adapter_scales), without loading it
  // again. What is being generated goes on with it from the next token; otherwise the sequence is read again,
  // so that its maps and the next tokens show it. stop() ends that reading, and the sequence with it.
  virtual void setAdapterScale(std::uint32_t adapter, float scale) = 0;

  virtual void setProbes(
      ProbeRequest request) = 0;  // stays until replaced; pictures follow the sequence as it grows

  // The map of one head as numbers, for export: (tokens, tokens), masked cells -1. Calls back on the engine's
  // thread.
  using MatrixCallback = std::function<void(Result<std::vector<float>>)>;
  virtual void readMap(std::uint32_t layer, std::uint32_t head, MatrixCallback callback) = 0;

 protected:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
};

}  // namespace vitrine::core
