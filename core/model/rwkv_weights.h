// Weights of RWKV's mixers on the device (specs in mixers/rwkv.h and channels/rwkv.h).
#pragma once

#include "core/model/model_spec.h"
#include "core/model/weight_loader.h"

namespace vitrine::core {

struct Rwkv4Weights {
  gpu::Buffer mixes;  // (3, width) f32: parts of this token's input in what key, value, receptance read
  Matrix key, value, receptance, output;
  gpu::Buffer decay, first;  // (channels) f32: w, u
};

struct LowRankWeights {
  Matrix inner, outer;
};

struct Rwkv7Weights {
  gpu::Buffer mixes;  // (6, width) f32: of r, w, k, v, a, g
  Matrix receptance, key, value, output;
  LowRankWeights decay, rate, gate;
  std::optional<LowRankWeights> residual;
  gpu::Buffer key_scale, key_rate, bonus, gain, bias;  // (width) f32
};

struct RwkvChannelWeights {
  gpu::Buffer mixes;  // (1 or 2, width) f32: of key, receptance
  Matrix key, value;
  std::optional<Matrix> receptance;
};

Result<Rwkv4Weights> upload(WeightLoader& loader, const Rwkv4Spec& spec);
Result<Rwkv7Weights> upload(WeightLoader& loader, const Rwkv7Spec& spec);
Result<RwkvChannelWeights> upload(WeightLoader& loader, const RwkvChannelSpec& spec);

}  // namespace vitrine::core
