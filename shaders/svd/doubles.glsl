// Rows and scalars in double precision.
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer Doubles { double at[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) buffer DoublePairs { dvec2 at[]; };

// The device's square root and one step of Newton's: Vulkan promises no more than single precision of the former.
double root(double x) {
  if (x <= 0.0lf) return 0.0lf;
  double guess = sqrt(x);
  return 0.5lf * (guess + x / guess);
}
