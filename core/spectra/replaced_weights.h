// A model with other numbers in some of its matrices, in memory: what a method makes of weights becomes a
// checkpoint, which is read, uploaded and run as any other. Replaced tensors are float32; the others stay as
// they are stored.
#pragma once

#include <Eigen/Core>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/model/model_spec.h"

namespace vitrine::core {

// Copies share what they have replaced so far, so that variants of a model cost what they differ by.
class ReplacedWeights {
 public:
  explicit ReplacedWeights(std::shared_ptr<const Checkpoint> checkpoint)
      : checkpoint_(std::move(checkpoint)) {}
  // With the spec's adapters merged: they are part of the matrices then. Errors of reading.
  static Result<ReplacedWeights> of(ModelSpec spec);

  // The matrix or vector (a column) that `at`, of a spec of this checkpoint, refers to, rounded to float32;
  // what else its tensor holds stays. `values` has its shape. Errors of expanding the tensor.
  Result<void> set(const WeightRef& at, const Eigen::MatrixXd& values);
  // W <- (1 - share) W + share W_other for every floating tensor, vectors included. Errors: kInvalidArgument
  // names a tensor that `other` lacks or has in another shape; those of expanding.
  Result<void> blend(const Checkpoint& other, double share);

  // Without adapters. A number that is not finite is found when the model is loaded. Errors as
  // readModelSpec()'s.
  Result<ModelSpec> spec() const;

 private:
  Result<std::shared_ptr<const std::vector<float>>> current(const TensorEntry& tensor) const;

  std::shared_ptr<const Checkpoint> checkpoint_;
  std::map<std::string, std::shared_ptr<const std::vector<float>>> replaced_;  // by the tensor's name
};

}  // namespace vitrine::core
