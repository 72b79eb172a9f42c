// Needs ACTIVATION, a core::Activation.
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
