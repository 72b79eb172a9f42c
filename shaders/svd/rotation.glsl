// One-sided Jacobi rotations: of columns with aa = |a|^2, bb = |b|^2, ab = a.b. Needs REAL.
// FORM is core/spectra/jacobi_sweeps.h's RotationForm.
layout(constant_id = 3) const uint FORM = 3;
const uint DIVIDE = 0, RECIPROCAL = 1, TEXTBOOK = 2, RUTISHAUSER = 3;

struct Rotation {
  REAL c, s, tau;  // tau of Rutishauser's form, which does not use c
};

Rotation rotationOf(REAL aa, REAL bb, REAL ab) {
  REAL zeta = (bb - aa) / (REAL(2) * ab), one = zeta < REAL(0) ? REAL(-1) : REAL(1);
  REAL cotangent = abs(zeta) + sqrt(REAL(1) + zeta * zeta);
  if (FORM == RUTISHAUSER) {
    REAL t = one / cotangent, c = REAL(1) / sqrt(REAL(1) + t * t), s = c * t;
    return Rotation(c, s, s / (REAL(1) + c));
  }
  if (FORM == TEXTBOOK || cotangent > REAL(1e8)) {  // whose square might be too large
    REAL t = one / cotangent, c = REAL(1) / sqrt(REAL(1) + t * t);
    return Rotation(c, c * t, REAL(0));
  }
  REAL d = sqrt(REAL(1) + cotangent * cotangent);
  if (FORM == DIVIDE) return Rotation(cotangent / d, one / d, REAL(0));
  REAL p = REAL(1) / d;
  return Rotation(cotangent * p, one * p, REAL(0));
}

void turn(Rotation by, inout REAL a, inout REAL b) {
  REAL old = a;
  if (FORM == RUTISHAUSER) {
    a = old - by.s * (b + by.tau * old);
    b = b + by.s * (old - by.tau * b);
  } else {
    a = by.c * old - by.s * b;
    b = by.s * old + by.c * b;
  }
}
