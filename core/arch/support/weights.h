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

  // A tensor that is known and rightly left alone.
  void ignore(const std::string& name) { read_.insert(name); }
  std::vector<std::string> unread() const;

 private:
  Result<const TensorEntry*> take(const std::string& name, const std::vector<std::uint64_t>& shape);

  const Checkpoint* checkpoint_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace vitrine::core::arch
