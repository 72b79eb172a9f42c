#ifndef VITRINE_SHADERS_ENGINE_ATTENTION_PARAMS_H
#define VITRINE_SHADERS_ENGINE_ATTENTION_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct AttentionParams {
  device_address state;    // StepState
  device_address q;        // (tokens, q_stride) f32
  device_address k, v;     // (kv_heads, context, head_dim) f16 or f32; the same where VALUE_DIM < HEAD_DIM
  device_address o;        // (tokens, o_stride) f32
  device_address lse;      // (heads, context) f32, natural log-sum-exp of the scores, sink included
  device_address summary;  // (heads, context) two words: halves entropy (bits, a sink counts as a key), first
                           // mass | local mass, previous
  device_address partial;  // (rows, splits, VALUE_DIM + 8) f32, where there is more than one split
  device_address arrived;  // (units) counters, zero before and after
  device_address head_terms;  // (2, heads) f32: ALiBi slopes, sinks; or 0
  uint heads, kv_heads, context;
  uint q_stride, o_stride;
  uint tokens;
  uint splits;  // parts in which the keys are divided, each a workgroup
  uint window;  // keys that a query sees, itself included; 0: all
  float scale;
  float soft_cap;
};

VITRINE_SHARED_END
#endif
