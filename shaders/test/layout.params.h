// A parameter struct with members of every width: C++ and scalar block layout must agree on its size.
#ifndef VITRINE_SHADERS_TEST_LAYOUT_PARAMS_H
#define VITRINE_SHADERS_TEST_LAYOUT_PARAMS_H
#include "common/shared.h"

VITRINE_SHARED_BEGIN
struct LayoutParams {
  float scales[3];
  uint count;
  device_address out_values;
  int offset;  // 4 bytes of padding follow in C++
};
VITRINE_SHARED_END
#endif
