// What happens to a finished pair of output rows (row, row + 1) of one token. Needs `params` (MatmulParams).
layout(constant_id = 4) const uint EPILOGUE = 0;
const uint EPILOGUE_STORE = 0, EPILOGUE_ADD = 1, EPILOGUE_QKV = 2, EPILOGUE_GLU = 3, EPILOGUE_GATED = 4, EPILOGUE_ACTIVATE = 5;
layout(constant_id = 5) const uint ACTIVATION = 0;  // core::Activation
layout(constant_id = 6) const bool HAS_BIAS = false;
layout(constant_id = 7) const bool CACHE_F16 = true;
layout(constant_id = 9) const bool SCALED = false;
#include "engine/qkv_target.glsl"

float activate(float v) {
  if (ACTIVATION == 0) return v / (1.0 + exp(-v));
  if (ACTIVATION == 2) {  // tanh form; written with exp so that large inputs stay finite
    float inner = 0.7978845608028654 * (v + 0.044715 * v * v * v);
    return v / (1.0 + exp(-2.0 * inner));
  }
  if (ACTIVATION == 3) return max(v, 0.0);
  if (ACTIVATION == 4) return max(v, 0.0) * max(v, 0.0);
  if (ACTIVATION == 5) return 1.0 / (1.0 + exp(-v));
  // erf form: Abramowitz and Stegun 7.1.26 is too coarse; a continued product of exp gives 1.2e-7 (Numerical Recipes erfc).
  float z = abs(v) * 0.7071067811865476, t = 1.0 / (1.0 + 0.5 * z);
  float poly = t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807 +
               t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  float complement = t * exp(-z * z - 1.26551223 + poly);
  return v >= 0.0 ? v * (1.0 - 0.5 * complement) : v * 0.5 * complement;
}

vec2 scaled(vec2 pair) {
  pair *= params.scale;
  // Beyond 15 tanh is 1 in float, and its exponentials would overflow on some devices.
  return params.soft_cap > 0.0 ? params.soft_cap * tanh(clamp(pair / params.soft_cap, -15.0, 15.0)) : pair;
}

void emitPair(uint row, uint token, vec2 pair) {
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
  } else if (EPILOGUE == EPILOGUE_ADD) {
    Floats(params.y).at[index] += pair.x;
    if (second) Floats(params.y).at[index + 1] += pair.y;
  } else {
    Floats(params.y).at[index] = pair.x;
    if (second) Floats(params.y).at[index + 1] = pair.y;
  }
}
