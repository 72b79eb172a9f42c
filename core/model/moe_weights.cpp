#include "core/model/moe_weights.h"

#include <algorithm>

namespace vitrine::core {
namespace {

// One matrix of all experts' rows, in the experts' order.
class Stack {
 public:
  Result<void> add(const RowSource& rows, const std::vector<float>& bias) {
    if (all_.rows.empty()) {
      all_.type = rows.type;
      all_.columns = rows.columns;
    }
    const TensorEntry& tensor = *rows.rows.front().tensor;
    if (rows.type != all_.type)
      return fail(ErrorCode::kUnsupported,
                  "tensor {} is of type {}, other experts of the layer are of type {}; expected one type",
                  tensor.name, name(rows.type), name(all_.type));
    append(all_, rows);
    bias_.insert(bias_.end(), bias.begin(), bias.end());
    return {};
  }

  Result<Matrix> pack(WeightLoader& loader, std::string name) {
    const bool biased = std::ranges::any_of(bias_, [](float value) { return value != 0; });
    return loader.matrix(all_, biased ? bias_ : std::vector<float>{}, std::move(name));
  }

 private:
  RowSource all_;
  std::vector<float> bias_;
};

Result<std::vector<float>> biasOf(const WeightRef& bias, std::uint64_t rows) {
  if (!bias) return std::vector<float>(rows, 0.0f);
  return readFloats(rowsOf(bias));
}

Result<void> addGateUp(Stack& stack, const ExpertSpec& expert) {
  if (expert.gate_up) {
    TRY_ASSIGN(const auto bias, biasOf(expert.gate_up->bias, expert.gate_up->weight.rows));
    return stack.add(rowsOf(*expert.gate_up), bias);
  }
  const WeightRef &gate = expert.gate->weight, &up = expert.up->weight;
  if (gate.tensor->valueType() != up.tensor->valueType())
    return fail(ErrorCode::kUnsupported, "tensors {} and {} are of types {} and {}; expected one type",
                gate.tensor->name, up.tensor->name, name(gate.tensor->valueType()),
                name(up.tensor->valueType()));
  TRY_ASSIGN(const auto gate_bias, biasOf(expert.gate->bias, gate.rows));
  TRY_ASSIGN(const auto up_bias, biasOf(expert.up->bias, up.rows));
  std::vector<float> bias;
  for (std::size_t i = 0; i < gate_bias.size(); ++i) bias.insert(bias.end(), {gate_bias[i], up_bias[i]});
  return stack.add(interleave(*expert.gate, *expert.up), bias);
}

// The experts' kernels take no updates beside their weights.
Result<void> refuseUpdates(const MoeSpec& spec) {
  for (const ExpertSpec& expert : spec.experts)
    for (const Linear* linear : {expert.gate ? &*expert.gate : nullptr, expert.up ? &*expert.up : nullptr,
                                 expert.gate_up ? &*expert.gate_up : nullptr, &expert.down})
      if (linear && !linear->updates.empty())
        return fail(ErrorCode::kUnsupported,
                    "tensor {}: adapters of experts run only when they are merged into the weights "
                    "(--merge-adapters)",
                    linear->updates.front().a.tensor->name);
  return {};
}

}  // namespace

Result<MoeWeights> upload(WeightLoader& loader, const MoeSpec& spec) {
  MoeWeights weights;
  if (!loader.mergesUpdates()) TRY(refuseUpdates(spec));
  TRY_ASSIGN(weights.router, loader.linear(spec.router.linear, "router"));
  if (spec.router.correction) {
    TRY_ASSIGN(const auto correction, readFloats(rowsOf(spec.router.correction)));
    TRY_ASSIGN(weights.correction, loader.vector(correction, "router correction"));
  }
  Stack gate_up, down;
  for (const ExpertSpec& expert : spec.experts) {
    TRY(addGateUp(gate_up, expert));
    TRY_ASSIGN(const auto bias, biasOf(expert.down.bias, expert.down.weight.rows));
    TRY(down.add(rowsOf(expert.down), bias));
  }
  TRY_ASSIGN(weights.gate_up, gate_up.pack(loader, "experts' gate and up"));
  TRY_ASSIGN(weights.down, down.pack(loader, "experts' down"));
  if (spec.shared) {
    TRY_ASSIGN(weights.shared, upload(loader, *spec.shared));
  }
  if (spec.shared_gate) {
    TRY_ASSIGN(weights.shared_gate, loader.linear(*spec.shared_gate, "shared expert's gate"));
  }
  return weights;
}

}  // namespace vitrine::core
