#include "core/model/linear_attention_weights.h"

#include <algorithm>
#include <cmath>

namespace vitrine::core {
namespace {

// The numbers of a vector, each passed through f.
template <typename F>
Result<gpu::Buffer> mapped(WeightLoader& loader, const WeightRef& weight, std::string name, F f) {
  TRY_ASSIGN(std::vector<float> values, readFloats(rowsOf(weight)));
  for (float& value : values) value = static_cast<float>(f(double{value}));
  return loader.vector(values, std::move(name));
}

Result<gpu::Buffer> plain(WeightLoader& loader, const WeightRef& weight, std::string name) {
  return mapped(loader, weight, std::move(name), [](double v) { return v; });
}

Result<gpu::Buffer> gainOf(WeightLoader& loader, const Norm& norm, std::uint32_t repeats = 1) {
  TRY_ASSIGN(const std::vector<float> stored, readFloats(rowsOf(norm.weight)));
  std::vector<float> gain;
  for (std::uint32_t i = 0; i < repeats; ++i)
    for (const float value : stored) gain.push_back(value + norm.gain_offset);
  return loader.vector(gain, "head norm gain");
}

double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

}  // namespace

Result<RgLruWeights> upload(WeightLoader& loader, const RgLruSpec& spec) {
  constexpr double kSpeed = 8;
  RgLruWeights weights;
  TRY_ASSIGN(weights.gate, loader.linear(spec.gate, "recurrent block gate"));
  TRY_ASSIGN(weights.input, loader.linear(spec.input, "recurrent block input"));
  TRY_ASSIGN(weights.output, loader.linear(spec.output, "recurrent block output"));
  TRY_ASSIGN(weights.conv, upload(loader, spec.conv));
  TRY_ASSIGN(weights.recurrence_gate, plain(loader, spec.recurrence_gate, "recurrence gate"));
  TRY_ASSIGN(weights.input_gate, plain(loader, spec.input_gate, "input gate"));
  TRY_ASSIGN(weights.recurrence_gate_bias, plain(loader, spec.recurrence_gate_bias, "recurrence gate bias"));
  TRY_ASSIGN(weights.input_gate_bias, plain(loader, spec.input_gate_bias, "input gate bias"));
  TRY_ASSIGN(weights.speed,
             mapped(loader, spec.lambda, "recurrence speed", [](double v) { return kSpeed * softplus(v); }));
  return weights;
}

Result<MlstmWeights> upload(WeightLoader& loader, const MlstmSpec& spec) {
  MlstmWeights weights;
  TRY_ASSIGN(weights.query, loader.linear(spec.query, "mLSTM query"));
  TRY_ASSIGN(weights.key, loader.linear(spec.key, "mLSTM key"));
  TRY_ASSIGN(weights.value, loader.linear(spec.value, "mLSTM value"));
  TRY_ASSIGN(weights.output_gate, loader.linear(spec.output_gate, "mLSTM output gate"));
  TRY_ASSIGN(weights.input_gate, loader.linear(spec.input_gate, "mLSTM input gate"));
  TRY_ASSIGN(weights.forget_gate, loader.linear(spec.forget_gate, "mLSTM forget gate"));
  TRY_ASSIGN(weights.output, loader.linear(spec.output, "mLSTM output"));
  TRY_ASSIGN(weights.gain, gainOf(loader, spec.norm));
  if (spec.norm.bias) {
    TRY_ASSIGN(weights.bias, plain(loader, spec.norm.bias, "head norm bias"));
  }
  return weights;
}

Result<LightningWeights> upload(WeightLoader& loader, const LightningSpec& spec) {
  LightningWeights weights;
  TRY_ASSIGN(weights.query, loader.linear(spec.query, "lightning query"));
  TRY_ASSIGN(weights.key, loader.linear(spec.key, "lightning key"));
  TRY_ASSIGN(weights.value, loader.linear(spec.value, "lightning value"));
  TRY_ASSIGN(weights.gate, loader.linear(spec.gate, "lightning gate"));
  TRY_ASSIGN(weights.output, loader.linear(spec.output, "lightning output"));
  std::vector<float> decay;
  for (const float slope : spec.slopes) decay.push_back(static_cast<float>(std::exp(-double{slope})));
  TRY_ASSIGN(weights.decay, loader.vector(decay, "lightning decay"));
  TRY_ASSIGN(weights.gain, gainOf(loader, spec.norm));
  return weights;
}

Result<DeltaNetWeights> upload(WeightLoader& loader, const DeltaNetSpec& spec) {
  DeltaNetWeights weights;
  RowSource qkv = rowsOf(spec.query);
  append(qkv, rowsOf(spec.key));
  append(qkv, rowsOf(spec.value));
  TRY_ASSIGN(weights.qkv, loader.matrix(qkv, {}, "deltanet q, k, v"));
  TRY_ASSIGN(weights.gate, loader.linear(spec.gate, "deltanet gate"));
  TRY_ASSIGN(weights.beta, loader.linear(spec.beta, "deltanet beta"));
  TRY_ASSIGN(weights.step, loader.linear(spec.step, "deltanet step"));
  TRY_ASSIGN(weights.output, loader.linear(spec.output, "deltanet output"));
  TRY_ASSIGN(weights.conv, upload(loader, spec.conv));
  TRY_ASSIGN(weights.rate, mapped(loader, spec.decay, "deltanet decay",
                                  [&spec](double v) { return spec.decay_is_log ? std::exp(v) : -v; }));
  TRY_ASSIGN(weights.dt_bias, plain(loader, spec.dt_bias, "deltanet step bias"));
  TRY_ASSIGN(weights.gain, gainOf(loader, spec.norm, spec.value_heads));
  return weights;
}

}  // namespace vitrine::core
