// What happens to a finished pair of output rows (row, row + 1) of one token. Needs `params` (MatmulParams).
layout(constant_id = 4) const uint EPILOGUE = 0;
const uint EPILOGUE_STORE = 0, EPILOGUE_ADD = 1, EPILOGUE_QKV = 2, EPILOGUE_GLU = 3, EPILOGUE_GATED = 4, EPILOGUE_ACTIVATE = 5,
           EPILOGUE_MULTIPLY_SIGMOID = 6, EPILOGUE_SCALE_ROWS = 7;
layout(constant_id = 5) const uint ACTIVATION = 0;  // core::Activation
layout(constant_id = 6) const bool HAS_BIAS = false;
layout(constant_id = 7) const bool CACHE_F16 = true;
layout(constant_id = 9) const bool SCALED = false;
layout(constant_id = 11) const bool LOW_RANK = false;  // adapters add to the product
layout(buffer_reference, scalar, buffer_reference_align = 8) readonly buffer LowRankTermRef { LowRankTerm it; };
#include "engine/qkv_target.glsl"
#include "engine/soft_cap.glsl"

#include "engine/activation.glsl"

vec2 scaled(vec2 pair) {
  pair *= params.scale;
  return params.soft_cap > 0.0 ? vec2(softCap(pair.x, params.soft_cap), softCap(pair.y, params.soft_cap)) : pair;
}

float lowRank(LowRankTerm term, uint row, uint token) {
  uvec2 span = UVec2s(term.spans).at[row];
  uint from = token * (term.z_stride / 4) + span.x, b = row * (term.width / 4);
  float sum = 0.0;
  for (uint i = 0; i < span.y; ++i) sum += dot(Vec4s(term.b).at[b + i], Vec4s(params.z).at[from + i]);
  return sum;
}

void emitPair(uint row, uint token, vec2 pair) {
  if (LOW_RANK) {
    LowRankTerm term = LowRankTermRef(params.low_rank).it;
    pair.x += lowRank(term, row, token);
    if (row + 1 < params.rows) pair.y += lowRank(term, row + 1, token);
  }
  if (HAS_BIAS) {
    pair.x += Floats(params.bias).at[row];
    if (row + 1 < params.rows) pair.y += Floats(params.bias).at[row + 1];
  }
  if (SCALED) pair = scaled(pair);
  uint index = token * params.y_stride + row;
  bool second = row + 1 < params.rows;
  if (EPILOGUE == EPILOGUE_QKV) {
    emitQkv(QkvTargetRef(params.aux).it, params.first_row + row, token, pair);
  } else if (EPILOGUE == EPILOGUE_GLU) {
    Floats(params.y).at[token * params.y_stride + row / 2] = activate(pair.x) * pair.y;
  } else if (EPILOGUE == EPILOGUE_GATED) {
    Floats(params.y).at[index] = activate(Floats(params.aux).at[index]) * pair.x;
    if (second) Floats(params.y).at[index + 1] = activate(Floats(params.aux).at[index + 1]) * pair.y;
  } else if (EPILOGUE == EPILOGUE_ACTIVATE) {
    Floats(params.y).at[index] = activate(pair.x);
    if (second) Floats(params.y).at[index + 1] = activate(pair.y);
  } else if (EPILOGUE == EPILOGUE_MULTIPLY_SIGMOID) {
    Floats(params.y).at[index] /= 1.0 + exp(-pair.x);
    if (second) Floats(params.y).at[index + 1] /= 1.0 + exp(-pair.y);
  } else if (EPILOGUE == EPILOGUE_SCALE_ROWS) {
    Floats(params.y).at[index] = pair.x * Floats(params.aux).at[Uints(params.low_rank).at[row]];
    if (second) Floats(params.y).at[index + 1] = pair.y * Floats(params.aux).at[Uints(params.low_rank).at[row + 1]];
  } else if (EPILOGUE == EPILOGUE_ADD) {
    Floats(params.y).at[index] += pair.x;
    if (second) Floats(params.y).at[index + 1] += pair.y;
  } else {
    Floats(params.y).at[index] = pair.x;
    if (second) Floats(params.y).at[index + 1] = pair.y;
  }
}
