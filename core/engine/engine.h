// The engine's thread: owns the model, the session and every compute submission. All calls return at once; results
// arrive as snapshots. A newer request of the same kind replaces an older one that has not started, so a dragged
// slider never floods the queue.
#pragma once

#include <functional>
#include <memory>

#include "core/engine/engine_types.h"

namespace vitrine::core {

class Engine {
 public:
  // `device` must outlive the engine. `on_snapshot` is called on the engine's thread after each publication and
  // must only wake somebody up.
  static std::unique_ptr<Engine> start(gpu::Device& device, std::function<void()> on_snapshot);
  ~Engine();  // stops what runs within one token and joins

  // The newest snapshot; never null. Cheap, from any thread.
  std::shared_ptr<const Snapshot> snapshot() const;

  // Replaces the model. The old one stays until the new one is complete, and when loading fails or is cancelled.
  void loadModel(std::filesystem::path path, LoadOptions options = {});
  void cancelLoad();
  void unloadModel();

  // Reads the prompt into the cache without generating (the maps of the prompt appear).
  void setPrompt(std::string prompt);
  void generate(GenerateRequest request);
  void continueGeneration(std::uint32_t max_tokens, SamplingSettings sampling);  // from where the sequence stands
  void step(SamplingSettings sampling);   // one token
  void stop();                            // within one token
  void truncate(std::uint32_t tokens);    // forget everything from this position on
  void clearError();

  void setProbes(ProbeRequest request);  // stays until replaced; pictures follow the sequence as it grows

  // The map of one head as numbers, for export: (tokens, tokens), masked cells -1. Calls back on the engine's thread.
  using MatrixCallback = std::function<void(Result<std::vector<float>>)>;
  void readMap(std::uint32_t layer, std::uint32_t head, MatrixCallback callback);

 private:
  Engine();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine::core
