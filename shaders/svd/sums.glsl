// Sums of products of floats with at least twice a float's digits: in double precision, or (VARIANT_PAIR, for
// devices without it) as an unevaluated sum of two floats (Dekker 1971; Knuth's two-sum). Both take 8 bytes.
#ifdef VARIANT_PAIR
#define SUM vec2

vec2 twoProduct(float a, float b) {
  const float split = 4097.0;  // 2^12 + 1
  precise float p = a * b;
  precise float a_far = split * a, b_far = split * b;
  precise float a_high = a_far - (a_far - a), b_high = b_far - (b_far - b);
  precise float a_low = a - a_high, b_low = b - b_high;
  precise float rest = ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low;
  return vec2(p, rest);
}

vec2 addSums(vec2 x, vec2 y) {
  precise float sum = x.x + y.x;
  precise float part = sum - x.x;
  precise float rest = ((x.x - (sum - part)) + (y.x - part)) + (x.y + y.y);
  precise float high = sum + rest;
  precise float low = rest - (high - sum);
  return vec2(high, low);
}

vec2 addProduct(vec2 sum, float a, float b) { return addSums(sum, twoProduct(a, b)); }
vec2 addScaled(vec2 sum, vec2 a, float b) { return addSums(sum, addSums(twoProduct(a.x, b), twoProduct(a.y, b))); }
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
