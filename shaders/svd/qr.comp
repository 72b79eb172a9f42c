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

void main() {
  uint n = params.n, m = params.long_side, matrix = gl_WorkGroupID.x;
  SharedDoubles work = SharedDoubles(params.work + uint64_t(matrix) * n * m * 8);
  Doubles factor = Doubles(params.factor + uint64_t(matrix) * n * n * 8);
  load(params.a + uint64_t(matrix) * n * m * 4, work);
  for (uint k = 0; k < n; ++k) {
    uint p = pivot();
    double squares = 0.0lf;
    for (uint i = k + lane(); i < m; i += LANES) squares = fma(work.at[p * m + i], work.at[p * m + i], squares);
    squares = subgroupAdd(squares);
    double head = work.at[p * m + k], norm = root(squares);
    double alpha = head > 0.0lf ? -norm : norm, halved = squares - alpha * head;
    double tau = halved > 0.0lf ? 1.0lf / halved : 0.0lf;
    barrier();
    for (uint j = gl_SubgroupID; j < n; j += SUBGROUPS) {
      double entry = 0.0lf, rest = -1.0lf;
      if (j == p) {
        entry = alpha;
      } else if (remaining[j] >= 0.0lf) {
        double dot = 0.0lf;
        for (uint i = k + lane(); i < m; i += LANES) {
          double v = work.at[p * m + i] - (i == k ? alpha : 0.0lf);
          dot = fma(v, work.at[j * m + i], dot);
        }
        dot = subgroupAdd(dot) * tau;
        rest = 0.0lf;
        for (uint i = k + lane(); i < m; i += LANES) {
          double v = work.at[p * m + i] - (i == k ? alpha : 0.0lf), left = fma(-dot, v, work.at[j * m + i]);
          work.at[j * m + i] = left;
          if (i == k)
            entry = left;
          else
            rest = fma(left, left, rest);
        }
        entry = subgroupAdd(entry);  // one lane has it
        rest = subgroupAdd(rest);
      }
      if (lane() != 0) continue;
      factor.at[k * n + j] = entry;
      remaining[j] = rest;
    }
    memoryBarrierBuffer();
    barrier();
  }
}
