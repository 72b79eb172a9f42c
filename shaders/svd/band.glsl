// What the kernels of the two-stage reduction (band_panel.glsl, band_chase.comp) share.
#include "svd/doubles.glsl"

const uint BAND = 16;  // columns of a panel, diagonals below the main one

struct Reflection {
  double alpha;  // what x becomes
  double tau;
};

Reflection reflectionOf(double squares, double head) {
  Reflection r;
  double norm = root(squares);
  r.alpha = head > 0.0lf ? -norm : norm;
  // |v|^2 = 2 (|x|^2 - alpha head), the two of one sign.
  double halved = squares - r.alpha * head;
  r.tau = halved > 0.0lf ? 1.0lf / halved : 0.0lf;
  return r;
}
