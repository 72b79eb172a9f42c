#version 460
// Lengths of a matrix's columns. A thread a column.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/ordered.params.h"

layout(push_constant, scalar) uniform Push { OrderedParams params; };

void main() {
  uint column = gl_GlobalInvocationID.x;
  if (column >= params.columns) return;
  const uint AHEAD = 8;  // loads in flight
  Doubles from = Doubles(params.from);
  double squares[AHEAD];
  [[unroll]] for (uint i = 0; i < AHEAD; ++i) squares[i] = 0.0lf;
  for (uint first = 0; first < params.rows; first += AHEAD) {
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) {
      uint row = min(first + i, params.rows - 1);
      double value = from.at[row * params.stride + column];
      squares[i] += first + i < params.rows ? value * value : 0.0lf;
    }
  }
  double sum = 0.0lf;
  [[unroll]] for (uint i = 0; i < AHEAD; ++i) sum += squares[i];
  Doubles(params.lengths).at[column] = root(sum);
}
