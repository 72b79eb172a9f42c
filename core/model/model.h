// The weights of a ModelSpec on a device, packed (packed_matrix.h) and laid out as the engine's kernels want
// them (block_weights.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/model/block_weights.h"
#include "core/model/model_spec.h"

namespace vitrine::core {

class Model {
 public:
  // Refuses what does not fit into the device's memory before anything is uploaded, with the numbers.
  // kInvalidFile names a tensor and row with NaN or infinity. kCancelled when `stop` is requested.
  static Result<std::shared_ptr<const Model>> load(gpu::Device& device, ModelSpec spec,
                                                   const std::function<void(LoadProgress)>& progress = {},
                                                   std::stop_token stop = {});

  gpu::Device& device() const { return *device_; }
  const ModelSpec& spec() const { return spec_; }
  // The attention of a layer, or null where there is none.
  const AttentionSpec* attention(std::uint32_t layer) const { return spec_.blocks[layer].attention(); }
  std::uint32_t layers() const { return static_cast<std::uint32_t>(spec_.blocks.size()); }
  std::uint64_t weightBytes() const { return weight_bytes_; }
  const std::vector<std::string>& notices() const { return notices_; }  // types that were expanded

  const Matrix& embedding() const { return weights_.embedding; }
  const gpu::Buffer& positions() const { return weights_.positions; }  // (positions, d) f32, may be empty
  const std::optional<NormWeights>& embeddingNorm() const { return weights_.embedding_norm; }
  const Matrix& head() const { return spec_.tied_head ? weights_.embedding : weights_.head; }
  const NormWeights& finalNorm() const { return weights_.final_norm; }
  const BlockWeights& block(std::uint32_t layer) const { return weights_.blocks[layer]; }

 private:
  struct Weights {
    Matrix embedding, head;
    gpu::Buffer positions;
    std::optional<NormWeights> embedding_norm;
    NormWeights final_norm;
    std::vector<BlockWeights> blocks;
  };
  Model() = default;
  static Result<Weights> upload(WeightLoader& loader, const ModelSpec& spec);
  friend Result<std::uint64_t> packedWeightBytes(const ModelSpec& spec);

  gpu::Device* device_ = nullptr;
  ModelSpec spec_;
  std::uint64_t weight_bytes_ = 0;
  std::vector<std::string> notices_;
  Weights weights_;
};

// Bytes of packed weights that load() will take, without loading. Errors as packedLayout's, with the tensor's
// name.
Result<std::uint64_t> packedWeightBytes(const ModelSpec& spec);

}  // namespace vitrine::core
