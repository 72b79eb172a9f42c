// Griffin's recurrent block, token by token as its paper defines it.
#include <cmath>
#include <numbers>

#include "core/reference/reference_parts.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Matrix = ReferenceMatrix;

double gelu(double x) {
  return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

Result<Matrix> blockDiagonal(const WeightRef& weight, const WeightRef& bias, const Matrix& x) {
  TRY_ASSIGN(const Matrix w, expandWeights(weight));
  TRY_ASSIGN(const Matrix b, expandWeights(bias));
  const Index block = w.cols();
  Matrix y(x.rows(), x.cols());
  for (Index first = 0; first < x.cols(); first += block)
    y.middleCols(first, block) = x.middleCols(first, block) * w.middleRows(first, block);
  return Matrix(y.rowwise() + b.col(0).transpose());
}

}  // namespace

Result<Matrix> mix(const RgLruSpec& spec, const Matrix& in, ReferenceLayer& layer) {
  TRY_ASSIGN(const Matrix gate, apply(spec.gate, in));
  TRY_ASSIGN(Matrix x, apply(spec.input, in));
  TRY_ASSIGN(x, convolve(spec.conv, x));
  TRY_ASSIGN(const Matrix recurrence, blockDiagonal(spec.recurrence_gate, spec.recurrence_gate_bias, x));
  TRY_ASSIGN(const Matrix input, blockDiagonal(spec.input_gate, spec.input_gate_bias, x));
  TRY_ASSIGN(const Matrix lambda, expandWeights(spec.lambda));
  Matrix y(x.rows(), x.cols());
  layer.state = Matrix::Zero(1, x.cols());
  layer.decay = Matrix(x.rows(), x.cols());
  for (Index t = 0; t < x.rows(); ++t)
    for (Index i = 0; i < x.cols(); ++i) {
      const double log_a = -8 * sigmoid(recurrence(t, i)) * softplus(lambda(i, 0));
      const double a = t == 0 ? 0 : std::exp(log_a);
      const double root = t == 0 ? 1 : std::sqrt(-std::expm1(2 * log_a));
      layer.decay(t, i) = a;
      double& h = layer.state(0, i);
      h = a * h + root * sigmoid(input(t, i)) * x(t, i);
      y(t, i) = h * gelu(gate(t, i));
    }
  return apply(spec.output, y);
}

}  // namespace vitrine::core
