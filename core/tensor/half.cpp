// Conversions between float32 and the 16-bit and 8-bit floating formats.
#include <bit>
#include <cstdint>

#include "core/tensor/dequantize.h"

namespace vitrine::core {

float halfToFloat(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1f;
  const std::uint32_t fraction = half & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000 | fraction << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  // Zero or subnormal: fraction * 2^-24, which float32 holds exactly as a normal number.
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

std::uint16_t floatToHalf(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000);
  const std::uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)  // NaN stays a quiet NaN and keeps the top of its payload
    return static_cast<std::uint16_t>(sign | 0x7e00 | ((magnitude >> 13) & 0x3ff));
  // 65520 is halfway between the largest half and the next power of two, and rounds to even: to infinity.
  if (magnitude >= std::bit_cast<std::uint32_t>(65520.0f)) return static_cast<std::uint16_t>(sign | 0x7c00);
  if (magnitude < std::bit_cast<std::uint32_t>(0x1p-14f)) {
    // Subnormal half: adding 0.5 puts the unit of 2^-24 at the last bit of the sum, and the addition itself
    // rounds to nearest even.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1;
  const std::uint32_t rounded = magnitude + 0xfff + odd - (112u << 23);
  return static_cast<std::uint16_t>(sign | rounded >> 13);
}

float e4m3ToFloat(std::uint8_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x80) << 24;
  const std::uint32_t exponent = (bits >> 3) & 15, fraction = bits & 7;
  if (exponent == 15 && fraction == 7) return std::bit_cast<float>(sign | 0x7fc00000);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 120) << 23 | fraction << 20);
  const float magnitude = static_cast<float>(fraction) * 0x1p-9f;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

// The upper half of a half.
float e5m2ToFloat(std::uint8_t bits) {
  return halfToFloat(static_cast<std::uint16_t>(bits << 8));
}

float bfloat16ToFloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace vitrine::core
