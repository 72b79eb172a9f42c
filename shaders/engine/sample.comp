#version 460
// The next token from the logits, in one workgroup: greedy, or temperature, then top-k, top-p and min-p in that order
// (Hugging Face's), then the inverse of the cumulative distribution at a counter-based random number. Probabilities
// are summed as integers in units of 2^-31, so the sums do not depend on the order of summation: the same seed gives the
// same token. Thresholds are found by counting in 8-bit digits of the logits' ordered bit patterns.
#include "common/device.glsl"
#include "engine/sample.params.h"
#include "engine/state.params.h"

layout(push_constant, scalar) uniform Push { SampleParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer SettingsRef { SampleSettings it; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

shared uint counts[256];
shared uint subgroup_keys[32];
shared uint subgroup_ids[32];
shared uint chosen, remaining;


// Bit patterns that order like the floats; NaN (which the host reports) sorts lowest.
uint orderedKey(float v) {
  if (isnan(v)) return 0;
  uint bits = floatBitsToUint(v);
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}
float keyValue(uint key) { return uintBitsToFloat((key & 0x80000000u) != 0 ? key & 0x7fffffffu : ~key); }

uint threads() { return gl_WorkGroupSize.x; }
uint self() { return gl_LocalInvocationIndex; }

// Largest key and the smallest id that has it.
uvec2 largest() {
  uint key = 0, id = 0;
  for (uint i = self(); i < params.vocab; i += threads()) {
    uint candidate = orderedKey(Floats(params.logits).at[i]);
    if (candidate > key) {
      key = candidate;
      id = i;
    }
  }
  uint best = subgroupMax(key);
  uint best_id = subgroupMin(key == best ? id : 0xffffffffu);
  if (subgroupElect()) {
    subgroup_keys[gl_SubgroupID] = best;
    subgroup_ids[gl_SubgroupID] = best_id;
  }
  barrier();
  for (uint s = 0; s < gl_NumSubgroups; ++s) {
    if (subgroup_keys[s] > best || (subgroup_keys[s] == best && subgroup_ids[s] < best_id)) {
      best = subgroup_keys[s];
      best_id = subgroup_ids[s];
    }
  }
  return uvec2(best, best_id);
}

struct Scale {
  float top;          // the largest logit
  float temperature;
  float unit;         // 2^31 / sum of exp((logit - top) / temperature)
};

float weightOf(uint key, Scale scale) { return key == 0 ? 0.0 : exp((keyValue(key) - scale.top) / scale.temperature); }
uint massOf(uint key, Scale scale) { return uint(weightOf(key, scale) * scale.unit + 0.5); }

// The smallest key such that the keys at or above it number at least `wanted` (by count), or weigh at least
// `wanted` (by mass): radix selection from the most significant digit down.
uint thresholdKey(uint floor_key, uint wanted, bool by_mass, Scale scale) {
  uint prefix = 0, left = wanted;
  for (int shift = 24; shift >= 0; shift -= 8) {
    for (uint i = self(); i < 256; i += threads()) counts[i] = 0;
    barrier();
    for (uint i = self(); i < params.vocab; i += threads()) {
      uint key = orderedKey(Floats(params.logits).at[i]);
      bool inside = shift == 24 || (key >> (shift + 8)) == (prefix >> (shift + 8));
      if (inside && key >= floor_key) atomicAdd(counts[(key >> shift) & 255], by_mass ? massOf(key, scale) : 1);
    }
    barrier();
    if (self() == 0) {
      uint digit = 255, need = left;
      while (digit > 0 && counts[digit] < need) {
        need -= counts[digit];
        --digit;
      }
      chosen = digit;
      remaining = need;
    }
    barrier();
    prefix |= chosen << shift;
    left = remaining;
    barrier();
  }
  return max(prefix, floor_key);
}

float totalWeight(Scale scale) {
  float sum = 0.0;
  for (uint i = self(); i < params.vocab; i += threads()) sum += weightOf(orderedKey(Floats(params.logits).at[i]), scale);
  sum = subgroupAdd(sum);
  if (subgroupElect()) subgroup_keys[gl_SubgroupID] = floatBitsToUint(sum);
  barrier();
  float total = 0.0;
  for (uint s = 0; s < gl_NumSubgroups; ++s) total += uintBitsToFloat(subgroup_keys[s]);
  barrier();
  return total;
}

uint totalMass(uint floor_key, Scale scale) {
  uint sum = 0;
  for (uint i = self(); i < params.vocab; i += threads()) {
    uint key = orderedKey(Floats(params.logits).at[i]);
    if (key >= floor_key) sum += massOf(key, scale);
  }
  sum = subgroupAdd(sum);
  barrier();
  if (subgroupElect()) subgroup_keys[gl_SubgroupID] = sum;
  barrier();
  uint total = 0;
  for (uint s = 0; s < gl_NumSubgroups; ++s) total += subgroup_keys[s];
  barrier();
  return total;
}

// pcg hash (O'Neill; Jarzynski and Olano, JCGT 2020) of seed and position.
uint randomBits(uint low, uint high, uint position) {
  uint v = position * 747796405u + low;
  for (int round = 0; round < 3; ++round) {
    v = v * 747796405u + 2891336453u + high * uint(round + 1);
    uint word = ((v >> ((v >> 28) + 4)) ^ v) * 277803737u;
    v = (word >> 22) ^ word;
  }
  return v;
}

uint sampleFrom(uint floor_key, uint total, Scale scale, uint bits) {
  // Threads own consecutive ids so that the cumulative order is the order of ids.
  uint share = (params.vocab + threads() - 1) / threads(), first = self() * share;
  uint sum = 0;
  for (uint i = first; i < min(first + share, params.vocab); ++i) {
    uint key = orderedKey(Floats(params.logits).at[i]);
    if (key >= floor_key) sum += massOf(key, scale);
  }
  uint wide_high, wide_low;
  umulExtended(bits, total, wide_high, wide_low);  // target = floor(bits / 2^32 * total), below total
  uint inside = subgroupInclusiveAdd(sum);
  if (gl_SubgroupInvocationID == gl_SubgroupSize - 1) subgroup_keys[gl_SubgroupID] = inside;
  barrier();
  uint before = inside - sum;
  for (uint s = 0; s < gl_SubgroupID; ++s) before += subgroup_keys[s];
  if (wide_high >= before && wide_high < before + sum) {
    uint running = before;
    for (uint i = first; i < min(first + share, params.vocab); ++i) {
      uint key = orderedKey(Floats(params.logits).at[i]);
      if (key >= floor_key) running += massOf(key, scale);
      if (wide_high < running) {
        chosen = i;
        break;
      }
    }
  }
  barrier();
  return chosen;
}

void main() {
  SampleSettings settings = SettingsRef(params.settings).it;
  uint position = StepStateRef(params.state).it.tokens;  // of the new token
  uvec2 best = largest();
  uint id = best.y;
  barrier();
  if (settings.temperature > 0.0) {
    Scale scale = Scale(keyValue(best.x), settings.temperature, 0.0);
    scale.unit = 2147483648.0 / totalWeight(scale);
    uint floor_key = 1;  // leaves NaN out
    if (settings.top_k > 0 && settings.top_k < params.vocab)
      floor_key = thresholdKey(floor_key, settings.top_k, false, scale);
    if (settings.top_p < 1.0) {
      uint total = totalMass(floor_key, scale);
      uint wanted = max(1, uint(ceil(settings.top_p * float(total))));
      floor_key = thresholdKey(floor_key, wanted, true, scale);
    }
    if (settings.min_p > 0.0) floor_key = max(floor_key, orderedKey(scale.top + settings.temperature * log(settings.min_p)));
    floor_key = min(floor_key, best.x);
    uint total = totalMass(floor_key, scale);
    id = sampleFrom(floor_key, total, scale, randomBits(settings.seed_low, settings.seed_high, position));
  }
  if (self() == 0) {
    Uints(params.next_id).at[0] = id;
    Uints(params.ring).at[position % params.ring_size] = id;
    StepStateRef(params.state).it.position = position;
    StepStateRef(params.state).it.tokens = position + 1;
  }
}
