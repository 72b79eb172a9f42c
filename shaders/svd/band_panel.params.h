#ifndef VITRINE_SHADERS_SVD_BAND_PANEL_PARAMS_H
#define VITRINE_SHADERS_SVD_BAND_PANEL_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

// One step of the reduction to a band, see band_panel.glsl. Doubles; each matrix of
// the batch has its own part of every buffer, one after another.
struct BandPanelParams {
  device_address gram;      // (n, stride)
  device_address panel;     // (2, BAND, stride): the panel's V, then its W
  device_address products;  // (slots, BAND, stride): A V in parts
  device_address scratch;   // (scratch_room), see band_panel.glsl
  device_address band;      // (band_rows, 2 BAND): element (i, j) in row i at i - j
  uint n, stride;
  uint room;       // parts of sums that scratch has room for
  uint slots;      // of products
  uint band_rows;  // n and some rows of zeros
  uint column;     // the panel's first
  uint groups;     // of 128 rows behind the panel: parts of sums
  uint step;       // the panel's column that is reduced
};

VITRINE_SHARED_END
#endif
