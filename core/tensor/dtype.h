// Element types of stored tensors. Quantized types are ggml's block formats (ggml-common.h of ggml-org/ggml).
// FP8: Micikevicius et al. 2022, arXiv:2209.05433; MXFP4: Rouhani et al. 2023, arXiv:2310.10537.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vitrine::core {

enum class DType : std::uint8_t {
  kF32,
  kF16,
  kBF16,
  kF64,
  kI8,
  kI16,
  kI32,
  kI64,
  kU8,
  kU16,
  kU32,
  kU64,
  kBool,
  kQ8_0,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,  // blocks of 32
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,  // super-blocks of 256
  kIQ4_NL,
  kIQ4_XS,
  kMXFP4,  // OCP Microscaling: blocks of 32 with a power of two
  kF8_E4M3,
  kF8_E5M2,  // OCP 8-bit floats, as safetensors has them
};

struct DTypeInfo {
  std::string_view name;      // "F16", "Q4_K"
  std::uint32_t block_size;   // elements in a block, 1 for plain types
  std::uint32_t block_bytes;  // bytes of a block
  bool quantized;
  bool floating;  // dequantizes to real numbers (floats and all quantized types)
};

const DTypeInfo& info(DType type);
std::string_view name(DType type);
std::optional<DType> dtypeFromName(
    std::string_view name);  // "F16", "BF16", "I32", "Q4_K" (safetensors spelling)
std::optional<DType> dtypeFromGgml(std::uint32_t ggml_type);  // GGUF's type number
std::string_view ggmlTypeName(std::uint32_t ggml_type);       // also of types we do not read; "" for no type

// Bytes of a contiguous row of `elements`; `elements` must be a multiple of the block size.
std::uint64_t rowBytes(DType type, std::uint64_t elements);

}  // namespace vitrine::core
