#include "core/spectra/replaced_weights.h"

#include <cmath>

#include "core/model/linears.h"
#include "core/model/row_source.h"
#include "core/spectra/linear_matrix.h"

namespace vitrine::core {
namespace {

WeightRef wholeOf(const TensorEntry& tensor) {
  const std::uint64_t columns = tensor.shape.empty() ? 1 : tensor.shape.back();
  return {.tensor = &tensor, .rows = columns == 0 ? 0 : tensor.elements() / columns, .columns = columns};
}

// Where element (r, c) of the matrix is among the tensor's.
std::uint64_t elementAt(const WeightRef& at, std::uint64_t r, std::uint64_t c) {
  if (at.transposed) return (at.first_row + c) * at.tensor->shape.back() + at.storedColumn(r);
  return at.storedRow(r) * at.columns + c;
}

}  // namespace

Result<ReplacedWeights> ReplacedWeights::of(ModelSpec spec) {
  ReplacedWeights weights(spec.checkpoint);
  Result<void> merged;
  forEachLinear(spec, [&](Linear& linear) {
    if (!merged || linear.updates.empty()) return;
    merged = [&]() -> Result<void> {
      TRY_ASSIGN(const Eigen::MatrixXd sum, expandLinear(linear));
      return weights.set(linear.weight, sum);
    }();
  });
  if (!merged) return tl::unexpected(std::move(merged).error());
  return weights;
}

Result<std::shared_ptr<const std::vector<float>>> ReplacedWeights::current(const TensorEntry& tensor) const {
  if (const auto found = replaced_.find(tensor.name); found != replaced_.end()) return found->second;
  auto values = readFloats(rowsOf(wholeOf(tensor)));
  if (!values) return within(tensor.name, std::move(values).error());
  return std::make_shared<const std::vector<float>>(std::move(*values));
}

Result<void> ReplacedWeights::set(const WeightRef& at, const Eigen::MatrixXd& values) {
  VITRINE_ASSERT(static_cast<std::uint64_t>(values.rows()) == at.rows &&
                 static_cast<std::uint64_t>(values.cols()) == at.columns);
  const TensorEntry* tensor = checkpoint_->find(at.tensor->name);
  VITRINE_ASSERT(tensor && tensor->shape == at.tensor->shape);
  TRY_ASSIGN(const auto before, current(*tensor));
  auto after = std::make_shared<std::vector<float>>(*before);
  for (std::uint64_t r = 0; r < at.rows; ++r)
    for (std::uint64_t c = 0; c < at.columns; ++c)
      (*after)[elementAt(at, r, c)] =
          static_cast<float>(values(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c)));
  replaced_[tensor->name] = std::move(after);
  return {};
}

Result<void> ReplacedWeights::blend(const Checkpoint& other, double share) {
  for (const TensorEntry& tensor : checkpoint_->tensors()) {
    if (!info(tensor.dtype).floating) continue;
    const TensorEntry* with = other.find(tensor.name);
    if (!with || with->shape != tensor.shape)
      return fail(ErrorCode::kInvalidArgument, "{} of {} {} in {}: models are averaged tensor by tensor",
                  tensor.name, checkpoint_->displayName(), with ? "has another shape" : "is not",
                  other.displayName());
    TRY_ASSIGN(const auto here, current(tensor));
    auto there = readFloats(rowsOf(wholeOf(*with)));
    if (!there) return within(tensor.name, std::move(there).error());
    auto sum = std::make_shared<std::vector<float>>(here->size());
    for (std::size_t i = 0; i < sum->size(); ++i)
      (*sum)[i] = static_cast<float>(std::lerp(double{(*here)[i]}, double{(*there)[i]}, share));
    replaced_[tensor.name] = std::move(sum);
  }
  return {};
}

Result<ModelSpec> ReplacedWeights::spec() const {
  std::vector<ReplacedTensor> replaced;
  for (const auto& [name, values] : replaced_) replaced.push_back({name, values});
  TRY_ASSIGN(auto checkpoint, Checkpoint::withTensors(*checkpoint_, replaced));
  return readModelSpec(std::move(checkpoint));
}

}  // namespace vitrine::core
