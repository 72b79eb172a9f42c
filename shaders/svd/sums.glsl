// Sums of products of floats with at least twice a float's digits: in double precision, or (VARIANT_PAIR, for
// devices without it) as an unevaluated sum of two floats (Dekker 1971; Knuth's two-sum). Both take 8 bytes.
#ifdef VARIANT_PAIR
#include "svd/pairs.glsl"
#define SUM vec2

vec2 addProduct(vec2 sum, float a, float b) { return add(sum, twoProduct(a, b)); }
vec2 addScaled(vec2 sum, vec2 a, float b) { return add(sum, mul(a, vec2(b, 0.0))); }
float rounded(vec2 sum) { return sum.x; }
const vec2 kNoSum = vec2(0.0);
#else
#define SUM double

double addProduct(double sum, float a, float b) { return fma(double(a), double(b), sum); }
double addScaled(double sum, double a, float b) { return fma(a, double(b), sum); }
float rounded(double sum) { return float(sum); }
const double kNoSum = 0.0lf;
#endif

layout(buffer_reference, scalar, buffer_reference_align = 8) buffer Sums { SUM at[]; };
