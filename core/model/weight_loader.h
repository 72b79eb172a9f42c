// Packs the weights of a spec and brings them to a device; without a device it only counts their bytes, so
// that what will be uploaded and what is announced cannot differ. Errors: kInvalidFile names the tensor and
// row with NaN or infinity; kCancelled when the stop token says so.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "core/model/merged_rows.h"
#include "core/model/packed_matrix.h"
#include "core/model/row_source.h"
#include "gpu/buffer.h"
#include "gpu/commands.h"
#include "gpu/device.h"

namespace vitrine::core {

struct LoadProgress {
  std::uint64_t done = 0, total = 0;  // bytes of packed weights
};

struct MatrixUpdate;  // matrix_update.h

struct Matrix {
  PackedLayout layout;
  bool fits_halves = true;  // every weight lies well within the range of a half float
  gpu::Buffer buffer = {};
  gpu::Buffer bias = {};                            // (rows) f32, may be empty
  std::shared_ptr<const MatrixUpdate> update = {};  // what adapters add while it runs; null without any

  // The planes inside `buffer`; high and scale may be empty.
  gpu::Slice low() const;
  gpu::Slice high() const;
  gpu::Slice scale() const;
};

struct NormWeights {
  NormKind kind = NormKind::kRms;
  float epsilon = 0;
  gpu::Buffer gain = {}, bias = {};  // (columns) f32: ones where there is no gain; bias may be empty
};

class WeightLoader {
 public:
  WeightLoader() = default;  // counts
  static Result<WeightLoader> create(gpu::Device& device, std::function<void(LoadProgress)> progress,
                                     std::uint64_t total, std::stop_token stop);

  // Adapters are merged into the weights, or else kept beside them, as a Matrix's update.
  void mergeUpdates(bool merge) { merge_ = merge; }
  bool mergesUpdates() const { return merge_; }

  Result<Matrix> matrix(const RowSource& source, const std::vector<float>& bias, std::string name);
  Result<Matrix> linear(const Linear& linear, std::string name);
  // As many floats as given, zeros up to whole vec4s and beyond, as the activations have them.
  Result<gpu::Buffer> vector(const std::vector<float>& values, std::string name);
  Result<gpu::Buffer> vector(const WeightRef& weight, std::string name);
  // Rows of float32 numbers that are no tensor of the checkpoint.
  Result<Matrix> plain(std::span<const float> values, std::uint64_t columns, std::string name);
  Result<gpu::Buffer> bytes(std::span<const std::byte> data, std::string name);
  Result<NormWeights> norm(const Norm& norm, std::uint64_t columns);
  Result<std::optional<NormWeights>> norm(const std::optional<Norm>& norm, std::uint64_t columns);

  Result<void> finish();
  std::uint64_t bytes() const { return done_; }                        // so far
  const std::set<DType>& expanded() const { return expanded_; }        // kept in a wider format than stored
  const std::set<DType>& dequantized() const { return dequantized_; }  // because adapters were merged

 private:
  Result<void> uploadRows(const RowSource& source, MergedRows* merged, Matrix& to);
  Result<void> send(std::span<const std::byte> data, const gpu::Slice& to, std::uint64_t at);

  gpu::Device* device_ = nullptr;
  std::function<void(LoadProgress)> progress_;
  std::stop_token stop_;
  std::optional<gpu::Uploader> uploader_;
  std::set<DType> expanded_, dequantized_;
  bool merge_ = false;
  std::uint64_t done_ = 0, total_ = 0;
};

}  // namespace vitrine::core
