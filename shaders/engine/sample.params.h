#ifndef VITRINE_SHADERS_ENGINE_SAMPLE_PARAMS_H
#define VITRINE_SHADERS_ENGINE_SAMPLE_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

// Read by the sampler at every step, so that settings can change without recording the step again.
struct SampleSettings {
  float temperature;  // 0: greedy
  float top_p;        // 1: off
  float min_p;        // 0: off
  uint top_k;         // 0: off
  uint seed_low, seed_high;
  uint unused0, unused1;
};

struct SampleParams {
  device_address logits;    // (vocab) f32
  device_address settings;  // SampleSettings
  device_address state;     // StepState: becomes that of a batch of this one token
  device_address next_id;   // u32: the id that the next step embeds
  device_address ring;      // (ring_size) u32, host visible: entry position % ring_size
  uint vocab, ring_size;
};

VITRINE_SHARED_END
#endif
