#include "core/model/rwkv_weights.h"

#include <cmath>

namespace vitrine::core {
namespace {

enum class Mix { kThis, kPast };  // whose part a stored mix is: this token's or the one before

// One below the other, as parts of this token.
Result<gpu::Buffer> mixesOf(WeightLoader& loader, const std::vector<WeightRef>& mixes, Mix mix) {
  std::vector<float> all;
  for (const WeightRef& one : mixes) {
    TRY_ASSIGN(const std::vector<float> values, readFloats(rowsOf(one)));
    for (const float value : values) all.push_back(mix == Mix::kPast ? 1 - value : value);
  }
  return loader.vector(all, "token shift");
}

Result<LowRankWeights> upload(WeightLoader& loader, const LowRank& spec, const std::string& name) {
  LowRankWeights weights;
  TRY_ASSIGN(weights.inner, loader.linear(spec.inner, name));
  TRY_ASSIGN(weights.outer, loader.linear(spec.outer, name));
  return weights;
}

}  // namespace

Result<Rwkv4Weights> upload(WeightLoader& loader, const Rwkv4Spec& spec) {
  Rwkv4Weights weights;
  TRY_ASSIGN(weights.mixes, mixesOf(loader, {spec.mix_key, spec.mix_value, spec.mix_receptance}, Mix::kThis));
  TRY_ASSIGN(weights.key, loader.linear(spec.key, "time mixing key"));
  TRY_ASSIGN(weights.value, loader.linear(spec.value, "time mixing value"));
  TRY_ASSIGN(weights.receptance, loader.linear(spec.receptance, "time mixing receptance"));
  TRY_ASSIGN(weights.output, loader.linear(spec.output, "time mixing output"));
  TRY_ASSIGN(std::vector<float> decay, readFloats(rowsOf(spec.decay)));
  if (spec.decay_is_log)
    for (float& value : decay) value = -std::exp(value);
  TRY_ASSIGN(weights.decay, loader.vector(decay, "time decay"));
  TRY_ASSIGN(weights.first, loader.vector(spec.first, "time first"));
  return weights;
}

Result<Rwkv7Weights> upload(WeightLoader& loader, const Rwkv7Spec& spec) {
  Rwkv7Weights weights;
  TRY_ASSIGN(weights.mixes, mixesOf(loader, spec.mixes, Mix::kPast));
  TRY_ASSIGN(weights.receptance, loader.linear(spec.receptance, "time mixing receptance"));
  TRY_ASSIGN(weights.key, loader.linear(spec.key, "time mixing key"));
  TRY_ASSIGN(weights.value, loader.linear(spec.value, "time mixing value"));
  TRY_ASSIGN(weights.output, loader.linear(spec.output, "time mixing output"));
  TRY_ASSIGN(weights.decay, upload(loader, spec.decay, "time decay"));
  TRY_ASSIGN(weights.rate, upload(loader, spec.rate, "learning rate"));
  TRY_ASSIGN(weights.gate, upload(loader, spec.gate, "time mixing gate"));
  if (spec.residual) {
    TRY_ASSIGN(weights.residual, upload(loader, *spec.residual, "value residual"));
  }
  TRY_ASSIGN(weights.key_scale, loader.vector(spec.key_scale, "key scale"));
  TRY_ASSIGN(weights.key_rate, loader.vector(spec.key_rate, "key rate"));
  TRY_ASSIGN(weights.bonus, loader.vector(spec.bonus, "bonus"));
  TRY_ASSIGN(weights.gain, loader.vector(spec.norm.weight, "head norm gain"));
  TRY_ASSIGN(weights.bias, loader.vector(spec.norm.bias, "head norm bias"));
  return weights;
}

Result<RwkvChannelWeights> upload(WeightLoader& loader, const RwkvChannelSpec& spec) {
  RwkvChannelWeights weights;
  TRY_ASSIGN(weights.mixes, mixesOf(loader, spec.mixes, spec.mixes_past ? Mix::kPast : Mix::kThis));
  TRY_ASSIGN(weights.key, loader.linear(spec.key, "channel mixing key"));
  TRY_ASSIGN(weights.value, loader.linear(spec.value, "channel mixing value"));
  if (spec.receptance) {
    TRY_ASSIGN(weights.receptance, loader.linear(*spec.receptance, "channel mixing receptance"));
  }
  return weights;
}

}  // namespace vitrine::core
