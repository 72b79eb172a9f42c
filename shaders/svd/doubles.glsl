// Rows and scalars in double precision.
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer Doubles { double at[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) buffer DoublePairs { dvec2 at[]; };

// The device's square root and one step of Newton's: Vulkan promises no more than single precision of the former.
double root(double x) {
  if (x <= 0.0lf) return 0.0lf;
  double guess = sqrt(x);
  return 0.5lf * (guess + x / guess);
}

// A Householder reflection I - tau v v^T, v = x - alpha e, that makes alpha of the head of x and zero of the rest.
struct Reflection {
  double alpha, tau;
};

// Of x with this sum of squares. On the way of every column, so without the device's root and divisions, which take several
// times as long: single precision's and two of Newton's steps, on numbers that powers of two have brought near 1.
Reflection reflectionOf(double squares, double head) {
  uint exponent = unpackDouble2x32(squares).y >> 20 | 1u, half_exponent = exponent / 2;
  if (squares < 1e-290lf) return Reflection(0.0lf, 0.0lf);  // to the eye of a double, of zeros
  double down = packDouble2x32(uvec2(0, (2046 - exponent) << 20)), m = squares * down;  // in [1/2, 2)
  double guess = double(inversesqrt(float(m)));
  guess = fma(guess, fma(-0.5lf * m * guess, guess, 0.5lf), guess);
  guess = fma(guess, fma(-0.5lf * m * guess, guess, 0.5lf), guess);
  double norm = m * guess;
  norm = fma(0.5lf * guess, fma(-norm, norm, m), norm);
  double down_root = packDouble2x32(uvec2(0, (1534 - half_exponent) << 20));
  double up_root = packDouble2x32(uvec2(0, (512 + half_exponent) << 20));
  // |v|^2 = 2 (|x|^2 - alpha head), the two of one sign.
  double halved = fma(norm, abs(head) * down_root, m), inverse = double(1.0 / float(halved));
  inverse = fma(inverse, fma(-inverse, halved, 1.0lf), inverse);
  inverse = fma(inverse, fma(-inverse, halved, 1.0lf), inverse);
  return Reflection((head > 0.0lf ? -norm : norm) * up_root, inverse * down);
}
