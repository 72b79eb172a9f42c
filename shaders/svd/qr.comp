#version 460
// R of the QR decomposition with column pivoting of tall matrices (or of the transposes of wide ones), by Householder
// reflections in double precision: what one-sided Jacobi rotations converge on quickly, and whose small singular values
// they keep even in single precision, since pivoting leaves rows that differ in size alone (Drmac and Veselic 2008).
// Columns are not exchanged: a row of R holds its numbers where the columns were. A workgroup a matrix, a subgroup a
// column at a time.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/small_svd.params.h"

layout(push_constant, scalar) uniform Push { SmallSvdParams params; };
// Columns that other subgroups have changed.
layout(buffer_reference, scalar, buffer_reference_align = 8) coherent buffer SharedDoubles { double at[]; };

layout(constant_id = 0) const bool WIDE = false;  // rows < columns: vectors of the long side lie as they are wanted
layout(constant_id = 1) const uint SUBGROUPS = 8;

shared double remaining[128];  // squares of a column below the rows that are done; -1 of a column that is done

// The largest column, the first of equal ones.
uint pivot() {
  double most = -1.0lf;
  uint found = 0;
  for (uint j = lane(); j < params.n; j += LANES)
    if (remaining[j] > most) {
      most = remaining[j];
      found = j;
    }
  return subgroupMin(most == subgroupMax(most) ? found : params.n);
}

void load(uint64_t a, SharedDoubles work) {
  uint n = params.n, m = params.long_side;
  for (uint i = gl_LocalInvocationIndex; i < n * m; i += SUBGROUPS * LANES) {
    // Neighbouring threads read neighbours in memory.
    uint column = WIDE ? i / m : i % n, row = WIDE ? i % m : i / n;
    work.at[column * m + row] = double(Floats(a).at[i]);
  }
  memoryBarrierBuffer();
  barrier();
  for (uint j = gl_SubgroupID; j < n; j += SUBGROUPS) {
    double squares = 0.0lf;
    for (uint i = lane(); i < m; i += LANES) squares = fma(work.at[j * m + i], work.at[j * m + i], squares);
    squares = subgroupAdd(squares);
    if (lane() == 0) remaining[j] = squares;
  }
  barrier();
}

struct Reflected {
  double entry, rest;  // of row k; the squares below it
};

// Takes the reflection of column p, of which v is what lies from row k on, less alpha in front, to column j.
Reflected reflect(SharedDoubles work, uint p, uint j, uint k, double alpha, double tau) {
  const uint AHEAD = 8;  // loads in flight
  uint m = params.long_side;
  double dot = 0.0lf;
  for (uint first = k + lane(); first < m; first += AHEAD * LANES) {
    double v[AHEAD], a[AHEAD];
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) {
      uint row = min(first + i * LANES, m - 1);
      v[i] = work.at[p * m + row];
      a[i] = work.at[j * m + row];
    }
    [[unroll]] for (uint i = 0; i < AHEAD; ++i)
      if (first + i * LANES < m) dot = fma(first + i * LANES == k ? v[i] - alpha : v[i], a[i], dot);
  }
  dot = subgroupAdd(dot) * tau;
  Reflected column = Reflected(0.0lf, 0.0lf);
  for (uint first = k + lane(); first < m; first += AHEAD * LANES) {
    double v[AHEAD], a[AHEAD];
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) {
      uint row = min(first + i * LANES, m - 1);
      v[i] = work.at[p * m + row];
      a[i] = work.at[j * m + row];
    }
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) {
      uint row = first + i * LANES;
      if (row >= m) continue;
      double left = fma(-dot, row == k ? v[i] - alpha : v[i], a[i]);
      work.at[j * m + row] = left;
      if (row == k)
        column.entry = left;
      else
        column.rest = fma(left, left, column.rest);
    }
  }
  return Reflected(subgroupAdd(column.entry), subgroupAdd(column.rest));  // one lane has the entry
}

void main() {
  uint n = params.n, m = params.long_side, matrix = gl_WorkGroupID.x;
  SharedDoubles work = SharedDoubles(params.work + uint64_t(matrix) * n * m * 8);
  Doubles factor = Doubles(params.factor + uint64_t(matrix) * n * n * 8);
  load(params.a + uint64_t(matrix) * n * m * 4, work);
  for (uint k = 0; k < n; ++k) {
    uint p = pivot();
    double squares = remaining[p], head = work.at[p * m + k], norm = root(squares);
    double alpha = head > 0.0lf ? -norm : norm, halved = squares - alpha * head;
    double tau = halved > 0.0lf ? 1.0lf / halved : 0.0lf;
    barrier();
    for (uint j = gl_SubgroupID; j < n; j += SUBGROUPS) {
      Reflected column = Reflected(alpha, -1.0lf);
      if (j != p && remaining[j] >= 0.0lf) column = reflect(work, p, j, k, alpha, tau);
      if (lane() != 0) continue;
      factor.at[k * n + j] = j == p || column.rest >= 0.0lf ? column.entry : 0.0lf;
      remaining[j] = column.rest;
    }
    memoryBarrierBuffer();
    barrier();
  }
}
