#include "core/arch/support/weights.h"

namespace vitrine::core::arch {

Result<const TensorEntry*> Weights::take(const std::string& name, const std::vector<std::uint64_t>& shape) {
  TRY_ASSIGN(const TensorEntry* tensor, checkpoint_->require(name));
  if (tensor->shape != shape)
    return fail(ErrorCode::kInvalidFile, "tensor {}: expected shape ({}), found ({})", name,
                fmt::join(shape, ", "), fmt::join(tensor->shape, ", "));
  if (!info(tensor->dtype).floating)
    return fail(ErrorCode::kInvalidFile, "tensor {}: expected weights, found integers ({})", name,
                core::name(tensor->dtype));
  read_.insert(name);
  if (tensor->scales) read_.insert(name + "_scale_inv");
  return tensor;
}

Result<WeightRef> Weights::matrix(const std::string& name, std::uint64_t rows, std::uint64_t columns) {
  TRY_ASSIGN(const TensorEntry* tensor, take(name, {rows, columns}));
  return WeightRef{.tensor = tensor, .first_row = 0, .rows = rows, .columns = columns};
}

Result<WeightRef> Weights::vector(const std::string& name, std::uint64_t length) {
  TRY_ASSIGN(const TensorEntry* tensor, take(name, {length}));
  if (info(tensor->dtype).quantized)
    return fail(ErrorCode::kUnsupported, "tensor {}: a vector of type {}; vectors are read as plain floats",
                name, core::name(tensor->dtype));
  return WeightRef{.tensor = tensor, .first_row = 0, .rows = length, .columns = 1};
}

std::vector<std::string> Weights::unread() const {
  std::vector<std::string> names;
  for (const TensorEntry& tensor : checkpoint_->tensors()) {
    // Tables that old checkpoints carry along; every reader computes them from the hyper-parameters.
    const bool table = tensor.name.ends_with("rotary_emb.inv_freq");
    if (!table && !read_.contains(tensor.name)) names.push_back(tensor.name);
  }
  return names;
}

}  // namespace vitrine::core::arch
