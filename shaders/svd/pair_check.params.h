#ifndef VITRINE_SHADERS_SVD_PAIR_CHECK_PARAMS_H
#define VITRINE_SHADERS_SVD_PAIR_CHECK_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct PairCheckParams {
  device_address operands;  // (count, 2) pairs of floats: a, b
  device_address results;   // (count, 4): a + b, a b, a / b, the root of |a|
  uint count;
};

VITRINE_SHARED_END
#endif
