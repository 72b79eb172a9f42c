#include "core/tensor/dtype.h"

#include <array>

#include "gpu/error.h"

namespace vitrine::core {
namespace {

struct Row {
  DType type;
  DTypeInfo info;
};

constexpr bool kQuantized = true, kPlain = false;
constexpr bool kReal = true, kInteger = false;

constexpr std::array kTypes = {
    Row{DType::kF32, {"F32", 1, 4, kPlain, kReal}},
    Row{DType::kF16, {"F16", 1, 2, kPlain, kReal}},
    Row{DType::kBF16, {"BF16", 1, 2, kPlain, kReal}},
    Row{DType::kF64, {"F64", 1, 8, kPlain, kReal}},
    Row{DType::kI8, {"I8", 1, 1, kPlain, kInteger}},
    Row{DType::kI16, {"I16", 1, 2, kPlain, kInteger}},
    Row{DType::kI32, {"I32", 1, 4, kPlain, kInteger}},
    Row{DType::kI64, {"I64", 1, 8, kPlain, kInteger}},
    Row{DType::kU8, {"U8", 1, 1, kPlain, kInteger}},
    Row{DType::kU16, {"U16", 1, 2, kPlain, kInteger}},
    Row{DType::kU32, {"U32", 1, 4, kPlain, kInteger}},
    Row{DType::kU64, {"U64", 1, 8, kPlain, kInteger}},
    Row{DType::kBool, {"BOOL", 1, 1, kPlain, kInteger}},
    Row{DType::kQ8_0, {"Q8_0", 32, 34, kQuantized, kReal}},
    Row{DType::kQ4_0, {"Q4_0", 32, 18, kQuantized, kReal}},
    Row{DType::kQ4_1, {"Q4_1", 32, 20, kQuantized, kReal}},
    Row{DType::kQ5_0, {"Q5_0", 32, 22, kQuantized, kReal}},
    Row{DType::kQ5_1, {"Q5_1", 32, 24, kQuantized, kReal}},
    Row{DType::kQ2_K, {"Q2_K", 256, 84, kQuantized, kReal}},
    Row{DType::kQ3_K, {"Q3_K", 256, 110, kQuantized, kReal}},
    Row{DType::kQ4_K, {"Q4_K", 256, 144, kQuantized, kReal}},
    Row{DType::kQ5_K, {"Q5_K", 256, 176, kQuantized, kReal}},
    Row{DType::kQ6_K, {"Q6_K", 256, 210, kQuantized, kReal}},
    Row{DType::kIQ4_NL, {"IQ4_NL", 32, 18, kQuantized, kReal}},
    Row{DType::kIQ4_XS, {"IQ4_XS", 256, 136, kQuantized, kReal}},
    Row{DType::kMXFP4, {"MXFP4", 32, 17, kQuantized, kReal}},
    Row{DType::kF8_E4M3, {"F8_E4M3", 1, 1, kPlain, kReal}},
    Row{DType::kF8_E5M2, {"F8_E5M2", 1, 1, kPlain, kReal}},
};

constexpr bool rowsStandInEnumOrder() {
  for (std::size_t i = 0; i < kTypes.size(); ++i)
    if (kTypes[i].type != static_cast<DType>(i)) return false;
  return static_cast<std::size_t>(DType::kF8_E5M2) + 1 == kTypes.size();
}
static_assert(rowsStandInEnumOrder());

// ggml's numbering (enum ggml_type); empty names are numbers that ggml has withdrawn.
constexpr std::array<std::string_view, 41> kGgmlNames = {
    "F32",   "F16",    "Q4_0",  "Q4_1", "",     "",        "Q5_0",   "Q5_1",    "Q8_0",  "Q8_1",   "Q2_K",
    "Q3_K",  "Q4_K",   "Q5_K",  "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S",
    "IQ2_S", "IQ4_XS", "I8",    "I16",  "I32",  "I64",     "F64",    "IQ1_M",   "BF16",  "",       "",
    "",      "TQ1_0",  "TQ2_0", "",     "",     "",        "MXFP4",  "NVFP4"};

}  // namespace

const DTypeInfo& info(DType type) {
  const auto index = static_cast<std::size_t>(type);
  VITRINE_ASSERT(index < kTypes.size());
  return kTypes[index].info;
}

std::string_view name(DType type) {
  return info(type).name;
}

std::optional<DType> dtypeFromName(std::string_view name) {
  for (const Row& row : kTypes)
    if (row.info.name == name) return row.type;
  return std::nullopt;
}

std::string_view ggmlTypeName(std::uint32_t ggml_type) {
  return ggml_type < kGgmlNames.size() ? kGgmlNames[ggml_type] : std::string_view();
}

std::optional<DType> dtypeFromGgml(std::uint32_t ggml_type) {
  return dtypeFromName(ggmlTypeName(ggml_type));
}

std::uint64_t rowBytes(DType type, std::uint64_t elements) {
  const DTypeInfo& t = info(type);
  VITRINE_ASSERT(elements % t.block_size == 0);
  return elements / t.block_size * t.block_bytes;
}

}  // namespace vitrine::core
