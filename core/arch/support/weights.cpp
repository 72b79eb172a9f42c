#include "core/arch/support/weights.h"

namespace vitrine::core::arch {
namespace {

WeightRef partOf(WeightRef whole, const RowPart& part) {
  whole.first_row = part.first;
  whole.rows = part.count;
  whole.run = part.run;
  whole.stride = part.stride;
  return whole;
}

}  // namespace

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

Result<WeightRef> Weights::matrixPart(const std::string& name, std::uint64_t rows, std::uint64_t columns,
                                      const RowPart& part) {
  TRY_ASSIGN(WeightRef whole, matrix(name, rows, columns));
  return partOf(whole, part);
}

Result<WeightRef> Weights::transposedPart(const std::string& name, std::uint64_t rows, std::uint64_t columns,
                                          const RowPart& part) {
  TRY_ASSIGN(WeightRef whole, matrix(name, columns, rows));
  if (info(whole.tensor->dtype).quantized)
    return fail(ErrorCode::kUnsupported,
                "tensor {}: a transposed matrix of type {}; only plain floats are read", name,
                core::name(whole.tensor->dtype));
  WeightRef read = partOf(whole, part);
  read.columns = columns;
  read.transposed = true;
  std::swap(read.first_row, read.first_column);
  return read;
}

Result<WeightRef> Weights::vectorPart(const std::string& name, std::uint64_t length, const RowPart& part) {
  TRY_ASSIGN(WeightRef whole, vector(name, length));
  return partOf(whole, part);
}

Result<WeightRef> Weights::stacked(const std::string& name, std::uint64_t count, std::uint64_t rows,
                                   std::uint64_t columns) {
  TRY_ASSIGN(const TensorEntry* tensor, take(name, {count, rows, columns}));
  return WeightRef{.tensor = tensor, .first_row = 0, .rows = count * rows, .columns = columns};
}

Result<WeightRef> Weights::vector(const std::string& name, std::uint64_t length) {
  return vector(name, std::vector<std::uint64_t>{length});
}

Result<WeightRef> Weights::vector(const std::string& name, const std::vector<std::uint64_t>& shape) {
  TRY_ASSIGN(const TensorEntry* tensor, take(name, shape));
  if (info(tensor->dtype).quantized)
    return fail(ErrorCode::kUnsupported, "tensor {}: a vector of type {}; vectors are read as plain floats",
                name, core::name(tensor->dtype));
  return WeightRef{.tensor = tensor, .first_row = 0, .rows = tensor->elements(), .columns = 1};
}

Result<WeightRef> Weights::convolution(const std::string& name, std::uint64_t channels,
                                       std::uint64_t kernel) {
  if (checkpoint_->format() == CheckpointFormat::kGguf) return matrix(name, channels, kernel);
  TRY_ASSIGN(const TensorEntry* tensor, take(name, {channels, 1, kernel}));
  return WeightRef{.tensor = tensor, .first_row = 0, .rows = channels, .columns = kernel};
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
