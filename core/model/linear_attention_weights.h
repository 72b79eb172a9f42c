// Weights of Griffin's recurrent block and of linear attention on the device (specs in mixers/).
#pragma once

#include "core/model/mamba_weights.h"
#include "core/model/model_spec.h"
#include "core/model/weight_loader.h"

namespace vitrine::core {

struct RgLruWeights {
  Matrix gate, input, output;
  ConvWeights conv;
  gpu::Buffer recurrence_gate, input_gate;            // (channels, channels / blocks) f32
  gpu::Buffer recurrence_gate_bias, input_gate_bias;  // (channels) f32
  gpu::Buffer speed;                                  // (channels) f32: 8 softplus(lambda)
};

struct MlstmWeights {
  Matrix query, key, value, output_gate, input_gate, forget_gate, output;
  gpu::Buffer gain, bias;  // (heads * value_dim) f32; bias may be empty
};

struct LightningWeights {
  Matrix query, key, value, gate, output;
  gpu::Buffer decay;  // (heads) f32: e^-slope
  gpu::Buffer gain;   // (heads * head_dim) f32
};

struct DeltaNetWeights {
  Matrix qkv, gate, beta, step, output;
  ConvWeights conv;
  gpu::Buffer rate, dt_bias;  // (value_heads) f32: e^decay, dt_bias
  gpu::Buffer gain;           // (value_heads * value_dim) f32: the norm's, for each head again
};

Result<RgLruWeights> upload(WeightLoader& loader, const RgLruSpec& spec);
Result<MlstmWeights> upload(WeightLoader& loader, const MlstmSpec& spec);
Result<LightningWeights> upload(WeightLoader& loader, const LightningSpec& spec);
Result<DeltaNetWeights> upload(WeightLoader& loader, const DeltaNetSpec& spec);

}  // namespace vitrine::core
