#version 460
// Sums of squares of a matrix's rows, in double precision: workgroup x of matrix y takes every gl_NumWorkGroups.x-th row.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/squares.params.h"

layout(push_constant, scalar) uniform Push { SquaresParams params; };

layout(constant_id = 0) const bool DOUBLE = false;

const uint AHEAD = 8;  // loads in flight

double squareOf(uint64_t numbers, uint i) {
  if (i >= params.columns) return 0.0lf;
  double value = DOUBLE ? Doubles(numbers).at[i] : double(Floats(numbers).at[i]);
  return value * value;
}

void main() {
  uint64_t matrix = params.numbers + uint64_t(gl_WorkGroupID.y) * params.rows * params.stride * (DOUBLE ? 8 : 4);
  double sum = 0.0lf;
  for (uint row = gl_WorkGroupID.x; row < params.rows; row += gl_NumWorkGroups.x) {
    uint64_t numbers = matrix + uint64_t(row) * params.stride * (DOUBLE ? 8 : 4);
    double of_row = 0.0lf;
    for (uint first = lane(); first < params.columns; first += AHEAD * LANES) {
      double squares[AHEAD];
      [[unroll]] for (uint i = 0; i < AHEAD; ++i) squares[i] = squareOf(numbers, first + i * LANES);
      [[unroll]] for (uint i = 0; i < AHEAD; ++i) of_row += squares[i];
    }
    sum += of_row;
  }
  sum = subgroupAdd(sum);
  if (lane() == 0) Doubles(params.sums).at[gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x] = sum;
}
