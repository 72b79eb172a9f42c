// Scalar functions of recurrent mixers.

float silu(float v) { return v / (1.0 + exp(-v)); }

// log(1 + exp(v)). Steps are small, and log is allowed an absolute error near 1: hence atanh's series for
// log(1 + u) = 2 atanh(u / (2 + u)), u <= 1.
float softplus(float v) {
  float u = exp(-abs(v)), s = u / (2.0 + u), q = s * s;
  float series = 1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 +
                 q * (1.0 / 13.0 + q / 15.0))))));
  return max(v, 0.0) + 2.0 * s * series;
}
