// Push constants of the canvas's drawing (ui/draw.vert, ui/draw.frag, ui/map.frag).
#ifndef VITRINE_SHADERS_UI_DRAW_PARAMS_H
#define VITRINE_SHADERS_UI_DRAW_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct DrawParams {
  device_address vertices;  // 5 words each: x, y, u, v as floats, colour
  device_address indices;   // 16 bits each
  float scale_x, scale_y;   // logical pixels to clip space
  float translate_x, translate_y;
  uint first_vertex;
  // Maps only:
  float low, high;  // ends of the colour range; on a log scale their log2
  uint log_scale;
  uint lut_row;          // of the colour map table
  uint masked, invalid;  // colours (red in the lowest byte) of cells with no key and of NaN
};

VITRINE_SHARED_END
#endif
