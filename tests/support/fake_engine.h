// An engine that does nothing but remember what it was asked and show the snapshot that a test publishes.
#pragma once

#include <utility>
#include <vector>

#include "core/engine/engine.h"

namespace vitrine::tests {

class FakeEngine : public core::Engine {
 public:
  std::shared_ptr<const core::Snapshot> snapshot() const override { return snapshot_; }
  void loadModel(std::filesystem::path path, core::LoadOptions options) override {
    loaded.push_back(std::move(path));
    load_options = options;
  }
  void cancelLoad() override { ++cancelled; }
  void unloadModel() override { ++unloaded; }
  void setAdapterScale(std::uint32_t adapter, float scale) override {
    adapter_scales.emplace_back(adapter, scale);
  }
  void setPrompt(std::string prompt) override { prompts.push_back(std::move(prompt)); }
  void generate(core::GenerateRequest request) override { generated.push_back(std::move(request)); }
  void continueGeneration(std::uint32_t max_tokens, core::SamplingSettings) override {
    continued.push_back(max_tokens);
  }
  void step(core::SamplingSettings) override { ++stepped; }
  void stop() override { ++stopped; }
  void truncate(std::uint32_t tokens) override { truncated.push_back(tokens); }
  void clearError() override { ++errors_cleared; }
  void setProbes(core::ProbeRequest request) override { probes = std::move(request); }
  void readMap(std::uint32_t, std::uint32_t, MatrixCallback callback) override {
    callback(fail(ErrorCode::kUnsupported, "the fake engine has no maps"));
  }

  // Gives the snapshot the next sequence number and makes it the newest.
  void publish(core::Snapshot snapshot) {
    snapshot.sequence = ++sequence_;
    snapshot_ = std::make_shared<const core::Snapshot>(std::move(snapshot));
  }

  std::vector<std::filesystem::path> loaded;
  core::LoadOptions load_options;
  std::vector<std::pair<std::uint32_t, float>> adapter_scales;
  std::vector<std::string> prompts;
  std::vector<core::GenerateRequest> generated;
  std::vector<std::uint32_t> continued, truncated;
  int cancelled = 0, unloaded = 0, stepped = 0, stopped = 0, errors_cleared = 0;
  core::ProbeRequest probes;

 private:
  std::uint64_t sequence_ = 0;
  std::shared_ptr<const core::Snapshot> snapshot_ = std::make_shared<const core::Snapshot>();
};

}  // namespace vitrine::tests
