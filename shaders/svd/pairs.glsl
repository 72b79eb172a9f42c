// Numbers as unevaluated sums of two floats, the low one at most half a unit of the high one: 48 bits, for devices
// without double precision (Dekker 1971; Knuth's two-sum; Joldes, Muller, Popescu, ACM TOMS 44, 2017). A sum is off by
// 2^-47 of its terms, a product or quotient by a little more of itself. Every step is `precise`, and what includes this
// is a form named pair, since spirv-opt would lose that. core/spectra/pair_arithmetic.h asks the driver.

// Whether fma() rounds once, which Vulkan does not promise.
layout(constant_id = 90) const bool FUSED = false;

// Exact; |a| >= |b|, or a = 0.
vec2 orderedSum(float a, float b) {
  precise float sum = a + b;
  precise float rest = b - (sum - a);
  return vec2(sum, rest);
}

// Exact.
vec2 twoSum(float a, float b) {
  precise float sum = a + b;
  precise float part = sum - a;
  precise float rest = (a - (sum - part)) + (b - part);
  return vec2(sum, rest);
}

// Exact, but for what underflows.
vec2 twoProduct(float a, float b) {
  precise float p = a * b;
  if (FUSED) {
    precise float rest = fma(a, b, -p);
    return vec2(p, rest);
  }
  const float split = 4097.0;  // 2^12 + 1
  precise float a_far = split * a, b_far = split * b;
  precise float a_high = a_far - (a_far - a), b_high = b_far - (b_far - b);
  precise float a_low = a - a_high, b_low = b - b_high;
  precise float rest = ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low;
  return vec2(p, rest);
}

vec2 add(vec2 a, vec2 b) {
  vec2 sum = twoSum(a.x, b.x);
  precise float rest = sum.y + (a.y + b.y);
  return orderedSum(sum.x, rest);
}

vec2 sub(vec2 a, vec2 b) { return add(a, -b); }

vec2 mul(vec2 a, vec2 b) {
  vec2 product = twoProduct(a.x, b.x);
  precise float rest = product.y + (a.x * b.y + a.y * b.x);
  return orderedSum(product.x, rest);
}

// By long division: each digit is a float.
vec2 divide(vec2 a, vec2 b) {
  precise float inverse = 1.0 / b.x;
  precise float first = a.x * inverse;
  vec2 rest = sub(a, mul(b, vec2(first, 0.0)));
  precise float second = rest.x * inverse;
  rest = sub(rest, mul(b, vec2(second, 0.0)));
  precise float third = rest.x * inverse;
  return add(orderedSum(first, second), vec2(third, 0.0));
}

// Of what is not negative; by two of Newton's steps.
vec2 root(vec2 x) {
  if (x.x <= 0.0) return vec2(0.0);
  vec2 guess = vec2(sqrt(x.x), 0.0);
  guess = 0.5 * add(guess, divide(x, guess));
  return 0.5 * add(guess, divide(x, guess));
}

// The same to the bit in all lanes, which must all be here.
vec2 addLanes(vec2 x) {
  for (uint distance = LANES / 2; distance > 0; distance /= 2) x = add(x, subgroupShuffleXor(x, distance));
  return x;
}

// 2^-e of a positive x from 2^e up to 2^(e + 1); e is kept where both are normal.
float inverseScale(float x) { return uintBitsToFloat(clamp(254 - (floatBitsToUint(x) >> 23), 1u, 253u) << 23); }

layout(buffer_reference, scalar, buffer_reference_align = 8) buffer Pairs { vec2 at[]; };
