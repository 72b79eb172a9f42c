#ifndef VITRINE_SHADERS_SVD_SMALL_SVD_PARAMS_H
#define VITRINE_SHADERS_SVD_SMALL_SVD_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

// A batch of matrices, one workgroup each; every buffer holds one part a matrix, one after another.
struct SmallSvdParams {
  device_address a;       // (rows, columns) f32
  device_address work;    // (n, long_side) f64, n the shorter side
  device_address factor;  // (n, n) f64: row k is row k of R
  device_address sigma;   // (n) f64, in no order
  device_address
      vectors;  // (n, n) f64: row k is the vector of value k along the short side, zero where that is zero
  device_address sweeps;  // (1) u32: how many it took
  // jacobi_pairs.comp: rounds of n / 2 pairs i | j << 16 without a common column, of all matrices; first a
  // sweep's in which each pair is once, then `random_rounds` drawn at random.
  device_address pairs;
  uint n, long_side;
  uint columns;     // of a
  float tolerance;  // the cosine between columns that passes for zero
  uint most_sweeps;
  uint random_rounds;
};

VITRINE_SHARED_END
#endif
