// Plane rotations in one precision, built in the forms whose rounding is compared: [c s; -s c] [f; g] = [r;
// 0]. Pereira, Lotfi & Langou, "Numerical analysis of Givens rotation", arXiv:2211.04010. f and g are
// multiplied by a power of two first where their squares would leave the range of T.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

namespace vitrine::core {

enum class GivensForm {
  kDivide,      // d = sqrt(f^2 + g^2), c = |f| / d, r = sign(f) d, s = g / r
  kReciprocal,  // p = 1 / d, c = |f| p, s = sign(f) g p: one division, another rounding
  kTextbook,    // t = g / f, c = 1 / sqrt(1 + t^2), s = c t; with f / g where |g| > |f|
};
inline constexpr std::array kGivensForms = {GivensForm::kDivide, GivensForm::kReciprocal,
                                            GivensForm::kTextbook};
std::string_view name(GivensForm form);  // "divide", "reciprocal", "textbook"

template <typename T>
struct Givens {
  T c = 1, s = 0, r = 0;
};

// What f and g are multiplied by so that the square of the larger is far from the ends of the range: 1 where
// it is already.
template <typename T>
T givensScale(T f, T g) {
  using Limits = std::numeric_limits<T>;
  const T larger = std::max(std::abs(f), std::abs(g));
  const int exponent = std::ilogb(larger), room = Limits::max_exponent / 2 - 2;
  if (exponent <= room && exponent >= Limits::digits - room) return T(1);
  return std::ldexp(T(1), std::clamp(-exponent, -2 * room, 2 * room));
}

// Finite f and g. g = 0: c = 1, s = 0; f = 0: c = 0, s = sign(g), r = |g|.
template <typename T>
Givens<T> givens(T f, T g, GivensForm form) {
  if (g == 0) return {T(1), T(0), f};
  if (f == 0) return {T(0), std::copysign(T(1), g), std::abs(g)};
  const T scale = givensScale(f, g);
  f *= scale;
  g *= scale;
  const T d = std::sqrt(f * f + g * g), r = std::copysign(d, f);
  Givens<T> out{T(1), T(0), r / scale};
  switch (form) {
    case GivensForm::kDivide:
      out.c = std::abs(f) / d, out.s = g / r;
      break;
    case GivensForm::kReciprocal: {
      const T p = T(1) / d;
      out.c = std::abs(f) * p, out.s = g * std::copysign(p, f);
      break;
    }
    case GivensForm::kTextbook:
      if (std::abs(g) > std::abs(f)) {
        const T t = f / g;  // of s's sign, as c is not negative
        out.s = std::copysign(T(1) / std::sqrt(T(1) + t * t), t);
        out.c = out.s * t;
      } else {
        const T t = g / f;
        out.c = T(1) / std::sqrt(T(1) + t * t);
        out.s = out.c * t;
      }
      break;
  }
  return out;
}

}  // namespace vitrine::core
