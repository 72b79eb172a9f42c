// Exact expansion of stored elements to float32, for every floating and quantized type.
#pragma once

#include <cstddef>
#include <span>

#include "core/tensor/dtype.h"
#include "gpu/error.h"

namespace vitrine::core {

// `bytes` holds whole blocks of `type`; `out` receives block_size values a block. Sizes must agree.
Result<void> dequantize(DType type, std::span<const std::byte> bytes, std::span<float> out);

float halfToFloat(std::uint16_t half);
std::uint16_t floatToHalf(float value);  // round to nearest even, overflow to infinity
float bfloat16ToFloat(std::uint16_t bits);
float e4m3ToFloat(std::uint8_t bits);  // without infinities: 0x7F and 0xFF are NaN, the largest value is 448
float e5m2ToFloat(std::uint8_t bits);

}  // namespace vitrine::core
