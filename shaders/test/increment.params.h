// values[i] += step for i < count.
#ifndef VITRINE_SHADERS_TEST_INCREMENT_PARAMS_H
#define VITRINE_SHADERS_TEST_INCREMENT_PARAMS_H
#include "common/shared.h"

VITRINE_SHARED_BEGIN
struct IncrementParams {
  device_address values;  // uint
  uint count;
  uint step;
};
VITRINE_SHARED_END
#endif
