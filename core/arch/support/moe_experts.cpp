// The ways in which files store a layer's experts.
#include <utility>

#include "core/arch/support/moe.h"

namespace vitrine::core::arch {
namespace {

// Rows of one of several matrices that lie below each other in a tensor.
WeightRef part(const WeightRef& all, std::uint64_t first_row, std::uint64_t rows) {
  WeightRef one = all;
  one.first_row = first_row;
  one.rows = rows;
  return one;
}

}  // namespace

Result<std::vector<ExpertSpec>> MoeReader::oneByOne(const std::string& layer) {
  std::vector<ExpertSpec> experts(experts_);
  for (std::uint32_t e = 0; e < experts_; ++e) {
    const auto name = [&](std::string_view part) {
      return fmt::format("{}{}.{}.{}", layer, traits_.experts, e, part);
    };
    TRY_ASSIGN(experts[e].gate, linear(name(traits_.gate), width_, embedding_));
    TRY_ASSIGN(experts[e].up, linear(name(traits_.up), width_, embedding_));
    TRY_ASSIGN(experts[e].down, linear(name(traits_.down), embedding_, width_));
  }
  return experts;
}

Result<std::vector<ExpertSpec>> MoeReader::fused(const std::string& in_name, const std::string& out_name) {
  const std::uint64_t width = width_, model = embedding_;
  TRY_ASSIGN(const WeightRef in, weights_.stacked(in_name + ".weight", experts_, 2 * width, model));
  TRY_ASSIGN(const WeightRef out, weights_.stacked(out_name + ".weight", experts_, model, width));
  std::vector<ExpertSpec> experts(experts_);
  for (std::uint64_t e = 0; e < experts_; ++e) {
    experts[e].gate = Linear{part(in, e * 2 * width, width), {}};
    experts[e].up = Linear{part(in, e * 2 * width + width, width), {}};
    experts[e].down = Linear{part(out, e * model, model), {}};
  }
  return experts;
}

Result<WeightRef> MoeReader::biases(const std::string& name, std::uint64_t length) {
  TRY_ASSIGN(WeightRef all, weights_.matrix(name, experts_, length));
  if (info(all.tensor->dtype).quantized)
    return fail(ErrorCode::kUnsupported, "tensor {}: biases of type {}; biases are read as plain floats",
                name, core::name(all.tensor->dtype));
  all.rows *= std::exchange(all.columns, 1);
  return all;
}

Result<std::vector<ExpertSpec>> MoeReader::transposed(const std::string& layer) {
  const std::uint64_t width = width_, model = embedding_;
  const std::string in_name = fmt::format("{}{}", layer, traits_.fused_in);
  const std::string out_name = fmt::format("{}{}", layer, traits_.fused_out);
  TRY_ASSIGN(const WeightRef in, weights_.stacked(in_name, experts_, model, 2 * width));
  TRY_ASSIGN(const WeightRef out, weights_.stacked(out_name, experts_, width, model));
  if (info(in.tensor->dtype).quantized || info(out.tensor->dtype).quantized)
    return fail(ErrorCode::kUnsupported, "tensor {}: transposed experts of type {}; expected plain floats",
                in_name, core::name(in.tensor->dtype));
  TRY_ASSIGN(const WeightRef in_bias, biases(in_name + "_bias", 2 * width));
  TRY_ASSIGN(const WeightRef out_bias, biases(out_name + "_bias", model));
  const auto turned = [](const WeightRef& all, std::uint64_t first, std::uint64_t rows,
                         std::uint64_t columns) {
    return WeightRef{
        .tensor = all.tensor, .first_row = first, .rows = rows, .columns = columns, .transposed = true};
  };
  std::vector<ExpertSpec> experts(experts_);
  for (std::uint64_t e = 0; e < experts_; ++e) {
    experts[e].gate_up =
        Linear{turned(in, e * model, 2 * width, model), part(in_bias, e * 2 * width, 2 * width)};
    experts[e].down = Linear{turned(out, e * width, model, width), part(out_bias, e * model, model)};
  }
  return experts;
}

// Old files have a tensor for each expert.
Result<std::vector<ExpertSpec>> MoeReader::ggufOneByOne(const std::string& layer) {
  std::vector<ExpertSpec> experts(experts_);
  for (std::uint32_t e = 0; e < experts_; ++e) {
    const auto name = [&](std::string_view part) { return fmt::format("{}ffn_{}.{}", layer, part, e); };
    TRY_ASSIGN(experts[e].gate, linear(name("gate"), width_, embedding_));
    TRY_ASSIGN(experts[e].up, linear(name("up"), width_, embedding_));
    TRY_ASSIGN(experts[e].down, linear(name("down"), embedding_, width_));
  }
  return experts;
}

Result<std::vector<ExpertSpec>> MoeReader::stacked(const std::string& layer) {
  const std::uint64_t width = width_, model = embedding_;
  const std::string names[] = {layer + "ffn_gate_exps", layer + "ffn_up_exps", layer + "ffn_down_exps"};
  const std::uint64_t rows[] = {width, width, model}, columns[] = {model, model, width};
  WeightRef weights[3], bias[3];
  for (std::size_t i = 0; i < 3; ++i) {
    TRY_ASSIGN(weights[i], weights_.stacked(names[i] + ".weight", experts_, rows[i], columns[i]));
    if (!traits_.biased) continue;
    TRY_ASSIGN(bias[i], biases(names[i] + ".bias", rows[i]));
  }
  const auto linear = [&](std::size_t i, std::uint64_t e) {
    Linear one{part(weights[i], e * rows[i], rows[i]), {}};
    if (bias[i]) one.bias = part(bias[i], e * rows[i], rows[i]);
    return one;
  };
  std::vector<ExpertSpec> experts(experts_);
  for (std::uint64_t e = 0; e < experts_; ++e) {
    experts[e].gate = linear(0, e);
    experts[e].up = linear(1, e);
    experts[e].down = linear(2, e);
  }
  return experts;
}

Result<std::vector<ExpertSpec>> MoeReader::readExperts(const std::string& layer) {
  if (hparams_.isGguf()) {
    const std::string gate_up = layer + "ffn_gate_up_exps";
    if (weights_.has(layer + "ffn_gate.0.weight")) return ggufOneByOne(layer);
    if (!traits_.biased && weights_.has(gate_up + ".weight")) return fused(gate_up, layer + "ffn_down_exps");
    return stacked(layer);
  }
  switch (traits_.tensors) {
    case ExpertTensors::kFused:
      return fused(fmt::format("{}{}", layer, traits_.fused_in),
                   fmt::format("{}{}", layer, traits_.fused_out));
    case ExpertTensors::kTransposed:
      return transposed(layer);
    case ExpertTensors::kOneByOne:
      break;
  }
  return oneByOne(layer);
}

}  // namespace vitrine::core::arch
