// Device memory of one session: the caches, the activations of one batch and what the probes keep.
#pragma once

#include <vector>

#include "core/engine/session.h"
#include "gpu/commands.h"

namespace vitrine::core {

struct LayerBuffers {        // those of attention are empty where a layer has none
  gpu::Buffer k, v;          // (kv_heads, context, head_dim); of latent attention k alone
  gpu::Buffer q_store;       // (heads, q_rows, head_dim), probes only
  gpu::Buffer lse, summary;  // (heads, context); summary with probes only
  // Of a layer whose mixer implies a map (core/model/map_source.h), probes only: k and q_store are those of
  // its groups in f32, lse and summary as attention's, terms (heads, context, 3) f32.
  gpu::Buffer terms;
  gpu::Buffer log_decay;         // (heads) f32 where it is the same for all tokens, or empty
  gpu::Buffer qkv_target;        // shader::QkvTarget
  std::uint32_t rope_table = 0;  // index into SessionBuffers::rope_tables
  // What recurrent mixers carry from token to token, of MixerMemory::state floats, or empty. At position 0 a
  // kernel starts from its initial state, whatever lies here.
  std::vector<gpu::Buffer> mixer_states;
  gpu::Buffer channel_state;
  gpu::Buffer decays;   // (context, keptDecays()) f32 where a state decays, probes only
  gpu::Buffer routing;  // (context, top_k, 2) words, of a mixture of experts with probes
};

struct SessionBuffers {
  // `batch`: most tokens of one forward pass.
  static Result<SessionBuffers> create(const Model& model, const SessionOptions& options, std::uint32_t batch,
                                       std::uint32_t max_splits);

  std::vector<LayerBuffers> layers;
  std::vector<gpu::Buffer> rope_tables;  // (context, rotary_dim / 2) pairs of cos, sin
  gpu::Buffer state, ids, settings;      // shader::StepState, (batch) u32, shader::SampleSettings
  gpu::Buffer adapter_scales;            // (adapters) f32; empty where none runs beside the weights
  gpu::Buffer ring;                      // (kRingSize) u32, read by the host
  // (batch, stride) f32; those behind the first five only for models that need them
  gpu::Buffer x, normed, q, o, act;
  gpu::Buffer qkv;                   // QK norm
  gpu::Buffer gate;                  // split gates
  gpu::Buffer delta, channel_input;  // of x's width, see Forward
  std::vector<gpu::Buffer> scratch;  // MixerMemory::scratch
  std::vector<std::uint32_t> scratch_strides;
  gpu::Buffer logits;            // (vocab_stride)
  gpu::Buffer partial, arrived;  // split attention

  std::uint32_t x_stride = 0, q_stride = 0, qkv_stride = 0, o_stride = 0, act_stride = 0,
                vocab_stride = 0;  // floats
  std::uint32_t q_step = 1, q_rows = 0;
};

inline constexpr std::uint32_t kRingSize = 64;

// Every q_step-th query is kept so that all layers' queries fit the budget.
std::uint32_t queryStoreStep(const ModelSpec& spec, const SessionOptions& options);

}  // namespace vitrine::core
