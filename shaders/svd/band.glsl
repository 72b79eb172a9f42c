// What the kernels of the two-stage reduction (band_panel.glsl, band_chase.comp) share.
#include "svd/doubles.glsl"

const uint BAND = 16;  // columns of a panel, diagonals below the main one
