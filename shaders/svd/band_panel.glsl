// Householder reduction of a symmetric matrix in two stages (Bischof, Lang, Sun 2000; Haidar, Ltaief, Dongarra 2011):
// to a band of BAND columns below the diagonal by panels, in matrix products, then from the band to tridiagonal form by
// chasing bulges. Of a panel, whose columns end TOP rows below their own:
//   band_column   one column: applies the reflection of the column before, sums what the next one needs
//   band_product  A V in parts;  band_sum adds them, V^T A V in parts
//   band_w        T of I - V T V^T (Schreiber, Van Loan 1989), W = A V T - V T^T (V^T A V) T / 2
//   band_update   A -= V W^T + W V^T
// Reflections are I - tau v v^T, v = x - alpha e, alpha = -sign |x|. The whole matrix is kept, not a triangle alone. Loads
// are of places clamped to the matrix, masked later: a load behind a branch waits for the one before. All
// sums over workgroups are of parts in a fixed order, so that the result is the same to the bit each time.
#include "svd/band.glsl"
#include "svd/band_panel.params.h"

layout(push_constant, scalar) uniform Push { BandPanelParams params; };

uint64_t batchPart(uint64_t address, uint64_t doubles) { return address + uint64_t(gl_WorkGroupID.y) * doubles * 8; }
Doubles gram() { return Doubles(batchPart(params.gram, params.n * params.stride)); }
Doubles panelV() { return Doubles(batchPart(params.panel, 2 * BAND * params.stride)); }
Doubles panelW() { return Doubles(uint64_t(panelV()) + uint64_t(BAND * params.stride) * 8); }
Doubles productsOf(uint slot) {
  return Doubles(batchPart(params.products, uint64_t(params.slots) * BAND * params.stride) + uint64_t(slot) * BAND * params.stride * 8);
}
Doubles band() { return Doubles(batchPart(params.band, params.band_rows * 2 * BAND)); }

// Scratch: parts of x^T (V, P), by column, of even and of odd steps; rows of (V, P) at the head of x, likewise; V^T V above the
// diagonal and tau on it; parts of V^T A V.
const uint SQUARE = BAND * BAND;
uint64_t scratchAt(uint doubles) {
  return batchPart(params.scratch, 2 * (params.room * BAND + BAND) + SQUARE + params.room * SQUARE) + uint64_t(doubles) * 8;
}
Doubles partsOf(uint step) { return Doubles(scratchAt(step % 2 * params.room * BAND)); }
Doubles headsOf(uint step) { return Doubles(scratchAt(2 * params.room * BAND + step % 2 * BAND)); }
Doubles overlaps() { return Doubles(scratchAt(2 * params.room * BAND + 2 * BAND)); }
Doubles squareParts() { return Doubles(scratchAt(2 * params.room * BAND + 2 * BAND + SQUARE)); }

const uint GROUP_ROWS = 128;  // rows of a workgroup of band_column, band_sum and band_w: a thread each
uint top() { return params.column + BAND; }
