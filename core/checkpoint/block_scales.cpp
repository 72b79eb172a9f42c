// FP8 weights come with scales of their own, a tensor beside each weight.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/checkpoint/parts.h"
#include "core/tensor/dequantize.h"

namespace vitrine::core {
namespace {

using nlohmann::json;
using BlockSize = std::array<std::uint64_t, 2>;

constexpr std::string_view kSuffix = "_scale_inv";

// nullopt: one block is the whole matrix.
Result<std::optional<BlockSize>> readBlockSize(const json& config) {
  constexpr std::uint64_t kDefault = 128;
  const auto quantization = config.find("quantization_config");
  if (quantization == config.end() || !quantization->is_object()) return BlockSize{kDefault, kDefault};
  const auto size = quantization->find("weight_block_size");
  if (size == quantization->end() || size->is_null()) return std::nullopt;
  const bool pair = size->is_array() && size->size() == 2 && std::ranges::all_of(*size, [](const json& n) {
                      return n.is_number_unsigned() && n != 0;
                    });
  if (!pair)
    return fail(ErrorCode::kInvalidFile, "config.json: weight_block_size must be two positive numbers");
  return size->get<BlockSize>();
}

const TensorEntry* findByName(const std::vector<TensorEntry>& sorted, const std::string& name) {
  const auto at = std::ranges::lower_bound(sorted, name, {}, &TensorEntry::name);
  return at != sorted.end() && at->name == name ? &*at : nullptr;
}

Result<BlockScales> scalesOf(const TensorEntry& weight, const TensorEntry& scales,
                             const std::optional<BlockSize>& configured) {
  if (weight.shape.size() != 2 || !info(scales.dtype).floating || info(scales.dtype).quantized)
    return fail(ErrorCode::kUnsupported, "tensor {}: scales of type {} for {} dimensions are not read",
                scales.name, name(scales.dtype), weight.shape.size());
  const std::uint64_t rows = weight.shape[0], columns = weight.shape[1];
  const bool whole = scales.elements() == 1;
  const BlockSize block = whole || !configured ? BlockSize{rows, columns} : *configured;
  if (rows == 0 || columns == 0)
    return fail(ErrorCode::kInvalidFile, "tensor {} is empty, but it has scales", weight.name);
  const auto blocks = [](std::uint64_t size, std::uint64_t step) { return size / step + (size % step != 0); };
  const std::vector<std::uint64_t> expected = {blocks(rows, block[0]), blocks(columns, block[1])};
  if (!whole && scales.shape != expected)
    return fail(ErrorCode::kInvalidFile, "tensor {}: expected shape ({}) for blocks of {} x {}, found ({})",
                scales.name, fmt::join(expected, ", "), block[0], block[1], fmt::join(scales.shape, ", "));
  return BlockScales{scales.bytes, scales.dtype, expected[1], block[0], block[1]};
}

}  // namespace

float BlockScales::at(std::uint64_t row, std::uint64_t column) const {
  const std::uint64_t size = info(dtype).block_bytes;
  const std::uint64_t index = row / block_rows * columns + column / block_columns;
  float value = 0;
  const bool expanded = dequantize(dtype, bytes.subspan(index * size, size), {&value, 1}).has_value();
  VITRINE_ASSERT(expanded);
  return value;
}

Result<void> attachBlockScales(CheckpointParts& parts) {
  TRY_ASSIGN(const std::optional<BlockSize> block, readBlockSize(parts.metadata));
  for (TensorEntry& tensor : parts.tensors) {
    if (tensor.dtype != DType::kF8_E4M3 && tensor.dtype != DType::kF8_E5M2) continue;
    if (const TensorEntry* other = findByName(parts.tensors, tensor.name + "_scale"))
      return fail(
          ErrorCode::kUnsupported,
          "tensor {}: FP8 weights with scales of this kind are not read; take the original model or a GGUF "
          "file of it",
          other->name);
    const TensorEntry* scales = findByName(parts.tensors, tensor.name + std::string(kSuffix));
    if (scales == nullptr) continue;
    TRY_ASSIGN(tensor.scales, scalesOf(tensor, *scales, block));
  }
  return {};
}

}  // namespace vitrine::core
