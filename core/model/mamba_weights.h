// Weights of the state space mixers and of the short convolution on the device (specs in mixers/).
#pragma once

#include "core/model/model_spec.h"
#include "core/model/weight_loader.h"

namespace vitrine::core {

struct ConvWeights {
  gpu::Buffer weight;  // (kernel, channels) f32
  gpu::Buffer bias;    // (channels) f32, or empty
};

struct MambaWeights {
  Matrix input, parameters, step, output;
  ConvWeights conv;
  gpu::Buffer decay, skip;  // A (inner, state), D (inner): f32
};

struct Mamba2Weights {
  Matrix input, output;  // the input's bias divided by input_scale, which the product multiplies with
  ConvWeights conv;      // scales of x, B and C folded in
  gpu::Buffer dt_bias, decay, skip;  // (heads) f32 each
  gpu::Buffer gain;                  // (inner) f32 of the norm, or empty
};

struct ShortConvWeights {
  Matrix input, output;
  ConvWeights conv;
};

Result<ConvWeights> upload(WeightLoader& loader, const CausalConv& spec);
Result<MambaWeights> upload(WeightLoader& loader, const MambaSpec& spec);
Result<Mamba2Weights> upload(WeightLoader& loader, const Mamba2Spec& spec);
Result<ShortConvWeights> upload(WeightLoader& loader, const ShortConvSpec& spec);

}  // namespace vitrine::core
