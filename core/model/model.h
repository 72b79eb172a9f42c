// The weights of a ModelSpec on a device, packed (packed_matrix.h) and laid out as the engine's kernels want
// them: q, k and v rows of a layer in one matrix where their types agree, gate and up rows alternating, and
// the rows of q and k in the order in which rotary pairs are adjacent.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/model/model_spec.h"
#include "core/model/packed_matrix.h"
#include "gpu/buffer.h"
#include "gpu/device.h"

namespace vitrine::core {

struct Matrix {
  PackedLayout layout;
  gpu::Buffer buffer = {};
  gpu::Buffer bias = {};  // (rows) f32, may be empty

  // The planes inside `buffer`; high and scale may be empty.
  gpu::Slice low() const;
  gpu::Slice high() const;
  gpu::Slice scale() const;
};

struct AttentionWeights {
  struct Part {
    Matrix matrix;
    std::uint32_t first_row = 0;  // in the concatenated q, k, v rows
  };
  std::vector<Part> qkv;  // one part, or several where the stored types differ
  Matrix output;
  gpu::Buffer query_gain, key_gain;  // (head_dim) f32, empty without QK norm
};

struct MlpWeights {
  std::optional<Matrix> gate_up;   // rows gate 0, up 0, gate 1, up 1 ..
  std::optional<Matrix> gate, up;  // apart where their types differ; up alone without a gate
  Matrix down;
};

struct BlockWeights {
  gpu::Buffer mixer_gain, channel_gain;  // (d) f32, ones for a norm without gain
  AttentionWeights attention;
  MlpWeights mlp;
};

struct LoadProgress {
  std::uint64_t done = 0, total = 0;  // bytes of packed weights
};

class Model {
 public:
  // Refuses what does not fit into the device's memory before anything is uploaded, with the numbers.
  // kInvalidFile names a tensor and row with NaN or infinity. kCancelled when `stop` is requested.
  static Result<std::shared_ptr<const Model>> load(gpu::Device& device, ModelSpec spec,
                                                   const std::function<void(LoadProgress)>& progress = {},
                                                   std::stop_token stop = {});

  gpu::Device& device() const { return *device_; }
  const ModelSpec& spec() const { return spec_; }
  const AttentionSpec& attention(std::uint32_t layer) const;
  std::uint32_t layers() const { return static_cast<std::uint32_t>(spec_.blocks.size()); }
  std::uint64_t weightBytes() const { return weight_bytes_; }
  const std::vector<std::string>& notices() const { return notices_; }  // types that were expanded

  const Matrix& embedding() const { return embedding_; }
  const Matrix& head() const { return spec_.tied_head ? embedding_ : head_; }
  const gpu::Buffer& finalGain() const { return final_gain_; }
  const BlockWeights& block(std::uint32_t layer) const { return blocks_[layer]; }

 private:
  friend class ModelLoader;
  Model() = default;
  gpu::Device* device_ = nullptr;
  ModelSpec spec_;
  std::uint64_t weight_bytes_ = 0;
  std::vector<std::string> notices_;
  Matrix embedding_, head_;
  gpu::Buffer final_gain_;
  std::vector<BlockWeights> blocks_;
};

// Bytes of packed weights that load() will take, without loading. Errors as packedLayout's, with the tensor's
// name.
Result<std::uint64_t> packedWeightBytes(const ModelSpec& spec);

}  // namespace vitrine::core
