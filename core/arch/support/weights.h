// Finds tensors by name and holds their shape and type against what the hyper-parameters promise; remembers
// which were asked for, so that what nobody reads can be reported.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/model/model_spec.h"
#include "gpu/error.h"

namespace vitrine::core::arch {

// Rows of a larger matrix: `count` of them from `first` on, in runs as in WeightRef. Of a matrix that is
// stored transposed: its columns.
struct RowPart {
  std::uint64_t first = 0, count = 0;
  std::uint64_t run = 0, stride = 0;
};

class Weights {
 public:
  explicit Weights(const Checkpoint& checkpoint) : checkpoint_(&checkpoint) {}

  const TensorEntry* find(const std::string& name) const { return checkpoint_->find(name); }
  bool has(const std::string& name) const { return find(name) != nullptr; }
  Result<WeightRef> matrix(const std::string& name, std::uint64_t rows, std::uint64_t columns);
  // `count` matrices in one tensor (count, rows, columns), as one with their rows below each other.
  Result<WeightRef> stacked(const std::string& name, std::uint64_t count, std::uint64_t rows,
                            std::uint64_t columns);
  Result<WeightRef> vector(const std::string& name, std::uint64_t length);
  // Parts of fused tensors: of a matrix of `rows` rows, stored as (rows, columns) or as (columns, rows), and
  // of a vector.
  Result<WeightRef> matrixPart(const std::string& name, std::uint64_t rows, std::uint64_t columns,
                               const RowPart& part);
  Result<WeightRef> transposedPart(const std::string& name, std::uint64_t rows, std::uint64_t columns,
                                   const RowPart& part);
  Result<WeightRef> vectorPart(const std::string& name, std::uint64_t length, const RowPart& part);
  // A vector that is stored with a shape of its own.
  Result<WeightRef> vector(const std::string& name, const std::vector<std::uint64_t>& shape);
  // The kernels of a convolution by channels: (channels, 1, kernel) in PyTorch, (channels, kernel) in GGUF.
  Result<WeightRef> convolution(const std::string& name, std::uint64_t channels, std::uint64_t kernel);

  // A tensor that is known and rightly left alone.
  void ignore(const std::string& name) { read_.insert(name); }
  std::vector<std::string> unread() const;

 private:
  Result<const TensorEntry*> take(const std::string& name, const std::vector<std::uint64_t>& shape);

  const Checkpoint* checkpoint_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace vitrine::core::arch
