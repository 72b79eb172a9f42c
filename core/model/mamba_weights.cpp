#include "core/model/mamba_weights.h"

#include <cmath>

namespace vitrine::core {
namespace {

// What each channel's inputs are multiplied with, folded into its kernel.
Result<ConvWeights> convolution(WeightLoader& loader, const CausalConv& spec,
                                const std::vector<float>& scales) {
  ConvWeights weights;
  TRY_ASSIGN(const std::vector<float> stored, readFloats(rowsOf(spec.weight)));
  std::vector<float> by_tap(stored.size());
  for (std::size_t channel = 0; channel < spec.channels; ++channel)
    for (std::size_t tap = 0; tap < spec.kernel; ++tap)
      by_tap[tap * spec.channels + channel] =
          stored[channel * spec.kernel + tap] * (scales.empty() ? 1 : scales[channel]);
  TRY_ASSIGN(weights.weight, loader.vector(by_tap, "convolution"));
  if (spec.bias) {
    TRY_ASSIGN(const std::vector<float> bias, readFloats(rowsOf(spec.bias)));
    TRY_ASSIGN(weights.bias, loader.vector(bias, "convolution bias"));
  }
  return weights;
}

Result<gpu::Buffer> decayOf(WeightLoader& loader, const WeightRef& weight, bool is_log) {
  TRY_ASSIGN(std::vector<float> values, readFloats(rowsOf(weight)));
  if (is_log)
    for (float& value : values) value = -std::exp(value);
  return loader.vector(values, "state decay");
}

std::vector<float> channelScales(const Mamba2Spec& spec) {
  const std::size_t group_rows = std::size_t{spec.groups} * spec.state;
  std::vector<float> scales(spec.inner(), spec.scales.x);
  scales.insert(scales.end(), group_rows, spec.scales.b);
  scales.insert(scales.end(), group_rows, spec.scales.c);
  return scales;
}

}  // namespace

Result<ConvWeights> upload(WeightLoader& loader, const CausalConv& spec) {
  return convolution(loader, spec, {});
}

Result<MambaWeights> upload(WeightLoader& loader, const MambaSpec& spec) {
  MambaWeights weights;
  TRY_ASSIGN(weights.input, loader.linear(spec.input, "mamba input"));
  TRY_ASSIGN(weights.conv, upload(loader, spec.conv));
  TRY_ASSIGN(weights.parameters, loader.linear(spec.parameters, "mamba parameters"));
  TRY_ASSIGN(weights.step, loader.linear(spec.step, "mamba step"));
  TRY_ASSIGN(weights.decay, decayOf(loader, spec.decay, spec.decay_is_log));
  TRY_ASSIGN(weights.skip, loader.vector(spec.skip, "state skip"));
  TRY_ASSIGN(weights.output, loader.linear(spec.output, "mamba output"));
  return weights;
}

Result<Mamba2Weights> upload(WeightLoader& loader, const Mamba2Spec& spec) {
  Mamba2Weights weights;
  std::vector<float> bias;
  if (spec.input.bias) {
    TRY_ASSIGN(bias, readFloats(rowsOf(spec.input.bias)));
    for (float& value : bias) value /= spec.input_scale;
  }
  TRY_ASSIGN(weights.input, loader.matrix(rowsOf(spec.input), bias, "mamba input"));
  TRY_ASSIGN(weights.conv, convolution(loader, spec.conv, channelScales(spec)));
  TRY_ASSIGN(weights.dt_bias, loader.vector(spec.dt_bias, "step bias"));
  TRY_ASSIGN(weights.decay, decayOf(loader, spec.decay, spec.decay_is_log));
  TRY_ASSIGN(weights.skip, loader.vector(spec.skip, "state skip"));
  if (spec.norm) {
    TRY_ASSIGN(weights.gain, loader.vector(spec.norm->weight, "gated norm gain"));
  }
  TRY_ASSIGN(weights.output, loader.linear(spec.output, "mamba output"));
  return weights;
}

Result<ShortConvWeights> upload(WeightLoader& loader, const ShortConvSpec& spec) {
  ShortConvWeights weights;
  TRY_ASSIGN(weights.input, loader.linear(spec.input, "short convolution input"));
  TRY_ASSIGN(weights.conv, upload(loader, spec.conv));
  TRY_ASSIGN(weights.output, loader.linear(spec.output, "short convolution output"));
  return weights;
}

}  // namespace vitrine::core
