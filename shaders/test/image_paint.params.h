// Of test/image_paint and test/image_sample.
#ifndef VITRINE_SHADERS_TEST_IMAGE_PAINT_PARAMS_H
#define VITRINE_SHADERS_TEST_IMAGE_PAINT_PARAMS_H
#include "common/shared.h"

VITRINE_SHARED_BEGIN
struct ImagePaintParams {
  float scale;
};
VITRINE_SHARED_END
#endif
