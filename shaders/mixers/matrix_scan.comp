#version 460
// Linear attention with a state S (values, keys) for each head, one subgroup a row of S with its lanes along the
// keys: S changes by a rule with each token, and y = scale S q.
//   decay  S = d S + b v k^T                         lightning attention, mLSTM
//   delta  S = d S + b (v - d S k) k^T               gated DeltaNet (Yang et al., arXiv:2412.06464)
//   erase  S = S diag(w) - (S e) u^T + v k^T         RWKV-7 (Peng et al., arXiv:2503.14456)
#include "common/device.glsl"
#include "engine/state.params.h"
#include "mixers/matrix_scan.params.h"

layout(push_constant, scalar) uniform Push { MatrixScanParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

layout(constant_id = 0) const uint KEYS = 64;
layout(constant_id = 1) const uint RULE = 0;
layout(constant_id = 2) const bool ONES = false;  // the last column's value is 1: it sums up the keys
const uint RULE_DECAY = 0, RULE_DELTA = 1, RULE_ERASE = 2;
const uint PER_LANE = (KEYS + LANES - 1) / LANES;

float load(uint64_t from, uint base, uint key) { return key < KEYS ? Floats(from).at[base + key] : 0.0; }

void main() {
  uint unit = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  uint head = unit / params.columns, column = unit % params.columns;
  if (head >= params.heads) return;
  bool fresh = StepStateRef(params.state).it.position == 0;
  bool ones = ONES && column + 1 == params.columns;
  uint values = ONES ? params.columns - 1 : params.columns;
  float s[PER_LANE];
  [[unroll]] for (uint i = 0; i < PER_LANE; ++i)
    s[i] = fresh ? 0.0 : load(params.s, unit * KEYS, i * LANES + lane());
  for (uint token = 0; token < params.tokens; ++token) {
    uint query_at = token * params.q_stride + head / params.key_group * KEYS;
    uint key_at = token * params.k_stride + head / params.key_group * KEYS;
    uint erase_at = token * params.erase_stride + head * KEYS;
    float k[PER_LANE];
    [[unroll]] for (uint i = 0; i < PER_LANE; ++i) k[i] = load(params.k, key_at, i * LANES + lane());
    float v = ones ? 1.0 : Floats(params.v).at[token * params.v_stride + head * values + column];
    float sum = 0.0, d = 1.0, b = 1.0;
    if (RULE == RULE_ERASE) {
      [[unroll]] for (uint i = 0; i < PER_LANE; ++i) sum += s[i] * load(params.erase, erase_at, i * LANES + lane());
      sum = subgroupAdd(sum);
      uint decay_at = token * params.decay_stride + head * KEYS;
      [[unroll]] for (uint i = 0; i < PER_LANE; ++i) {
        uint key = i * LANES + lane();
        s[i] = s[i] * load(params.decay, decay_at, key) - sum * load(params.write, erase_at, key) + v * k[i];
      }
    } else {
      uint gate = token * params.decay_stride + head;
      d = Floats(params.decay).at[gate];
      if (params.beta != 0) b = Floats(params.beta).at[gate];
      if (RULE == RULE_DELTA) {
        [[unroll]] for (uint i = 0; i < PER_LANE; ++i) sum += s[i] * k[i];
        sum = d * subgroupAdd(sum);
      }
      float add = b * (v - sum);
      [[unroll]] for (uint i = 0; i < PER_LANE; ++i) s[i] = d * s[i] + add * k[i];
    }
    float y = 0.0;
    [[unroll]] for (uint i = 0; i < PER_LANE; ++i) y += s[i] * load(params.q, query_at, i * LANES + lane());
    y = subgroupAdd(y);
    if (lane() == 0) Floats(params.y).at[token * params.y_stride + unit] = params.scale * y;
  }
  [[unroll]] for (uint i = 0; i < PER_LANE; ++i) {
    uint key = i * LANES + lane();
    if (key < KEYS) Floats(params.s).at[unit * KEYS + key] = s[i];
  }
}
