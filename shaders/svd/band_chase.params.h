#ifndef VITRINE_SHADERS_SVD_BAND_CHASE_PARAMS_H
#define VITRINE_SHADERS_SVD_BAND_CHASE_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

// Some hops of some sweeps, see band_chase.comp; and, of band_result.comp, what they leave.
struct BandChaseParams {
  device_address band;    // (band_rows, 2 BAND) a matrix: element (i, j) in row i at i - j
  device_address result;  // (2, n) a matrix: diagonal, then what lies beside it
  uint n;
  uint band_rows;    // n and 3 BAND of zeros at least
  uint first_group;  // of sweeps
  uint dispatch;     // since the first
};

VITRINE_SHARED_END
#endif
