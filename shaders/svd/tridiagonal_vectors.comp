#version 460
// Eigenvectors of a tridiagonal matrix T from its eigenvalues by twisted factorizations (Fernando 1997; Dhillon and
// Parlett 2004; LAPACK's dlar1v): of T - lambda the pivots from above and from below meet where what is left is
// smallest, and the vector follows from there to both ends. A thread an eigenvalue. Vectors of values closer than
// rounding are not orthogonal: whoever calls measures that.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/vectors.params.h"

layout(push_constant, scalar) uniform Push { VectorsParams params; };

const double LEAST = 1e-30lf;  // as in multisection.comp

double pivotOf(double value) { return abs(value) < LEAST ? -LEAST : value; }

void main() {
  uint k = gl_GlobalInvocationID.x, n = params.n, stride = params.stride;
  if (k >= n) return;
  Doubles t = Doubles(params.tridiagonal), z = Doubles(params.vectors), from_below = Doubles(params.scratch);
  double bound = Doubles(params.bounds).at[0], scale = bound > 0.0lf ? 1.0lf / bound : 0.0lf;
  double lambda = Doubles(params.values).at[k] * scale;

  // Pivots from above into z, from below into scratch.
  double above = 1.0lf, below = 1.0lf;
  for (uint i = 0; i < n; ++i) {
    double beside = i > 0 ? t.at[n + i - 1] * scale : 0.0lf;
    above = pivotOf(t.at[i] * scale - lambda - beside * beside / above);
    z.at[i * stride + k] = above;
    uint j = n - 1 - i;
    beside = i > 0 ? t.at[n + j] * scale : 0.0lf;
    below = pivotOf(t.at[j] * scale - lambda - beside * beside / below);
    from_below.at[j * stride + k] = below;
  }
  uint twist = 0;
  double least = 0.0lf;
  for (uint i = 0; i < n; ++i) {
    double left = z.at[i * stride + k] + from_below.at[i * stride + k] - (t.at[i] * scale - lambda);
    if (i > 0 && abs(left) >= least) continue;
    least = abs(left);
    twist = i;
  }

  double squares = 1.0lf, entry = 1.0lf;
  for (uint i = twist; i > 0; --i) {
    entry *= -t.at[n + i - 1] * scale / z.at[(i - 1) * stride + k];
    z.at[(i - 1) * stride + k] = entry;
    squares += entry * entry;
  }
  z.at[twist * stride + k] = entry = 1.0lf;
  for (uint i = twist + 1; i < n; ++i) {
    entry *= -t.at[n + i - 1] * scale / from_below.at[i * stride + k];
    z.at[i * stride + k] = entry;
    squares += entry * entry;
  }
  double inverse = 1.0lf / root(squares);
  for (uint i = 0; i < n; ++i) z.at[i * stride + k] *= inverse;
}
