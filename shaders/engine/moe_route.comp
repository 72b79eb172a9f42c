#version 460
// The experts of a token and their weights (core/model/channels/moe.h says what of), one subgroup a token. The
// k-th choice is the best of what comes after the one before it, in the order of falling value and rising index:
// nothing has to be marked, and of equal values the first wins on every device.
#include "common/device.glsl"
#include "engine/moe_route.params.h"

layout(buffer_reference, scalar, buffer_reference_align = 8) readonly buffer StepStateRef { StepState it; };
layout(push_constant, scalar) uniform Push { MoeRouteParams params; };

layout(constant_id = 0) const uint SCORES = 0;  // core::RouterScores
layout(constant_id = 1) const bool NORMALIZE = false;
layout(constant_id = 2) const uint GROUP_SCORE = 0;  // core::GroupScore
layout(constant_id = 3) const uint EXPERTS = 64;
layout(constant_id = 4) const bool KEEP = false;  // the choices, for views
const uint kMine = (EXPERTS + LANES - 1) / LANES;  // experts of a lane: LANES apart
const uint SCORES_SOFTMAX = 0, SCORES_CHOSEN_SOFTMAX = 1, SCORES_SIGMOID = 2;
const uint GROUP_TOP_TWO_SUM = 1;
const float kLeast = -3.402823466e38;  // the smallest float
const uint kNobody = 0xffffffffu;

uint logits0;         // of the token's first logit
float peak, inverse;  // softmax: the largest logit, and 1 / sum of exp(logit - peak)
uint open_groups = kNobody;

float score(uint expert) {
  float logit = Floats(params.logits).at[logits0 + expert];
  if (SCORES == SCORES_SOFTMAX) return exp(logit - peak) * inverse;
  return SCORES == SCORES_SIGMOID ? 1.0 / (1.0 + exp(-logit)) : logit;
}

float correction(uint expert) {
  return params.correction != 0 ? Floats(params.correction).at[expert] : 0.0;
}

float choiceValue(uint expert) {
  return score(expert) + correction(expert);
}

bool isOpen(uint expert) {
  return params.groups == 1 || (open_groups >> (expert / (EXPERTS / params.groups)) & 1) != 0;
}

void sumSoftmax() {
  peak = kLeast;
  for (uint e = lane(); e < EXPERTS; e += LANES) peak = max(peak, Floats(params.logits).at[logits0 + e]);
  peak = subgroupMax(peak);
  float sum = 0.0;
  for (uint e = lane(); e < EXPERTS; e += LANES) sum += exp(Floats(params.logits).at[logits0 + e] - peak);
  inverse = 1.0 / subgroupAdd(sum);
}

float groupScore(uint group) {
  uint size = EXPERTS / params.groups;
  float best = kLeast, second = kLeast;
  for (uint i = lane(); i < size; i += LANES) {
    float value = choiceValue(group * size + i);
    second = max(second, min(best, value));
    best = max(best, value);
  }
  float top = subgroupMax(best);
  if (GROUP_SCORE != GROUP_TOP_TWO_SUM || size == 1) return top;
  // The lane that has the best one stands for choice with its second.
  uint owner = subgroupMin(best == top ? lane() : LANES);
  return top + subgroupMax(lane() == owner ? second : best);
}

void openBestGroups() {
  uint opened = 0;
  for (uint k = 0; k < params.top_groups; ++k) {
    float best = kLeast;
    uint which = 0;
    for (uint group = 0; group < params.groups; ++group) {
      float value = groupScore(group);
      if ((opened >> group & 1) != 0 || value <= best) continue;
      best = value;
      which = group;
    }
    opened |= 1u << which;
  }
  open_groups = opened;
}

void main() {
  uint token = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  if (token >= params.tokens) return;
  logits0 = token * params.logits_stride;
  if (SCORES == SCORES_SOFTMAX) sumSoftmax();
  if (params.groups > 1) openBestGroups();
  uint to = token * params.top_k, last = kNobody;
  float last_value = 0.0, first_score = 0.0, sum = 0.0;
  float scores[kMine], values[kMine];
  [[unroll]] for (uint i = 0; i < kMine; ++i) {
    uint e = min(lane() + i * LANES, EXPERTS - 1);
    scores[i] = score(e);
    values[i] = scores[i] + correction(e);
  }
  for (uint k = 0; k < params.top_k; ++k) {
    float best = kLeast, best_score = kLeast;
    uint which = kNobody;
    [[unroll]] for (uint i = 0; i < kMine; ++i) {
      uint e = lane() + i * LANES;
      float value = values[i];
      bool after = last == kNobody || value < last_value || (value == last_value && e > last);
      if (e < EXPERTS && isOpen(e) && after && (value > best || which == kNobody)) {
        best = value;
        best_score = scores[i];
        which = e;
      }
    }
    last_value = subgroupMax(which == kNobody ? kLeast : best);
    uint found = subgroupMin(best == last_value ? which : kNobody);
    // Logits that are no numbers have no best; they still name an expert that there is, and its weight.
    last = min(found, EXPERTS - 1);
    float weight = found == kNobody ? score(last) : subgroupMax(which == found ? best_score : kLeast);
    if (k == 0) first_score = weight;
    if (SCORES == SCORES_CHOSEN_SOFTMAX) weight = exp(weight - first_score);
    sum += weight;
    if (lane() == 0) {
      Uints(params.chosen).at[to + k] = last;
      Floats(params.weights).at[to + k] = weight;
    }
  }
  if (lane() != 0) return;
  float divisor = SCORES == SCORES_CHOSEN_SOFTMAX ? sum : (NORMALIZE ? sum + params.epsilon : 1.0);
  float factor = params.scale / divisor;
  for (uint k = 0; k < params.top_k; ++k) Floats(params.weights).at[to + k] *= factor;
  if (!KEEP) return;
  uint kept = (StepStateRef(params.state).it.position + token) * params.top_k;
  for (uint k = 0; k < params.top_k; ++k) {
    Uints(params.routing).at[2 * (kept + k)] = Uints(params.chosen).at[to + k];
    Floats(params.routing).at[2 * (kept + k) + 1] = Floats(params.weights).at[to + k];
  }
}
