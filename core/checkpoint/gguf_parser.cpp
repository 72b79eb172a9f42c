#include "core/checkpoint/gguf_parser.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "core/checkpoint/byte_reader.h"
#include "core/checkpoint/json.h"
#include "core/checkpoint/parts.h"

namespace vitrine::core {
namespace {

using nlohmann::json;

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr std::uint64_t kDefaultAlignment = 32, kLargestAlignment = 1 << 16;
constexpr int kDeepestArray = 4;
constexpr std::uint32_t kMostDimensions = 4;

enum class ValueType : std::uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64,
  kEnd
};

// The fewest bytes that a value takes: a string its length, an array its element type and count.
std::uint64_t smallestSize(ValueType type) {
  constexpr std::array<std::uint64_t, 13> kSizes = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};
  return kSizes[static_cast<std::size_t>(type)];
}

struct TensorInfo {
  std::string name;
  DType type = DType::kF32;
  std::vector<std::uint64_t> shape;
  std::uint64_t offset = 0;
};

class Parser {
 public:
  explicit Parser(std::span<const std::byte> bytes) : bytes_(bytes), reader_(bytes) {}
  Result<GgufFile> parse();

 private:
  Result<void> checkVersion();
  Result<std::string_view> string(std::string_view what);
  Result<std::string> nameString(std::string_view what);
  Result<ValueType> valueType();
  Result<json> value(ValueType type, int depth);
  Result<json> array(int depth);
  Result<void> keyValue(json& metadata);
  Result<TensorInfo> tensorInfo();
  Result<std::uint64_t> alignment(const json& metadata) const;
  Result<std::vector<TensorEntry>> place(std::vector<TensorInfo> infos, std::uint64_t alignment) const;

  std::span<const std::byte> bytes_;
  ByteReader reader_;
};

Result<void> Parser::checkVersion() {
  TRY_ASSIGN(const auto magic, reader_.read<std::uint32_t>("the magic number"));
  VITRINE_ASSERT(magic == kMagic);
  TRY_ASSIGN(const auto version, reader_.read<std::uint32_t>("the version"));
  if (version == 2 || version == 3) return {};
  if ((version & 0xffff) == 0 && version != 0)
    return fail(ErrorCode::kUnsupported, "big-endian GGUF; convert it with gguf-py's gguf_convert_endian.py");
  if (version == 1)
    return fail(ErrorCode::kUnsupported,
                "GGUF version 1; convert the original model again (versions 2 and 3 are read)");
  return fail(ErrorCode::kUnsupported, "GGUF version {} (versions 2 and 3 are read)", version);
}

Result<std::string_view> Parser::string(std::string_view what) {
  TRY_ASSIGN(const auto length, reader_.read<std::uint64_t>(what));
  TRY_ASSIGN(const auto bytes, reader_.take(length, what));
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Result<std::string> Parser::nameString(std::string_view what) {
  const std::uint64_t at = reader_.position();
  TRY_ASSIGN(const std::string_view name, string(what));
  if (auto checked = checkName(name); !checked)
    return within(fmt::format("{} at byte {}", what, at), checked.error());
  return std::string(name);
}

Result<ValueType> Parser::valueType() {
  const std::uint64_t at = reader_.position();
  TRY_ASSIGN(const auto type, reader_.read<std::uint32_t>("a value type"));
  if (type >= static_cast<std::uint32_t>(ValueType::kEnd))
    return fail(ErrorCode::kInvalidFile, "value type {} at byte {} is none of the {} that exist", type, at,
                static_cast<std::uint32_t>(ValueType::kEnd));
  return static_cast<ValueType>(type);
}

template <typename T>
Result<json> number(ByteReader& reader) {
  TRY_ASSIGN(const T value, reader.read<T>("a value"));
  return json(value);
}

Result<json> Parser::value(ValueType type, int depth) {
  switch (type) {
    case ValueType::kU8:
      return number<std::uint8_t>(reader_);
    case ValueType::kI8:
      return number<std::int8_t>(reader_);
    case ValueType::kU16:
      return number<std::uint16_t>(reader_);
    case ValueType::kI16:
      return number<std::int16_t>(reader_);
    case ValueType::kU32:
      return number<std::uint32_t>(reader_);
    case ValueType::kI32:
      return number<std::int32_t>(reader_);
    case ValueType::kF32:
      return number<float>(reader_);
    case ValueType::kU64:
      return number<std::uint64_t>(reader_);
    case ValueType::kI64:
      return number<std::int64_t>(reader_);
    case ValueType::kF64:
      return number<double>(reader_);
    case ValueType::kBool: {
      TRY_ASSIGN(const auto truth, reader_.read<std::uint8_t>("a truth value"));
      if (truth > 1) return fail(ErrorCode::kInvalidFile, "a truth value is {}, neither 0 nor 1", truth);
      return json(truth == 1);
    }
    case ValueType::kString: {
      TRY_ASSIGN(const std::string_view text, string("a string"));
      return json(validUtf8(text));
    }
    case ValueType::kArray:
      return array(depth + 1);
    case ValueType::kEnd:
      break;
  }
  VITRINE_ASSERT(!"a value type that valueType() refuses");
  return json();
}

Result<json> Parser::array(int depth) {
  if (depth > kDeepestArray)
    return fail(ErrorCode::kInvalidFile, "arrays are nested more than {} deep", kDeepestArray);
  TRY_ASSIGN(const ValueType type, valueType());
  TRY_ASSIGN(const std::uint64_t count, reader_.readCount(smallestSize(type), "the length of an array"));
  json::array_t elements;
  elements.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    TRY_ASSIGN(json element, value(type, depth));
    elements.push_back(std::move(element));
  }
  return json(std::move(elements));
}

Result<void> Parser::keyValue(json& metadata) {
  TRY_ASSIGN(const std::string key, nameString("a key"));
  const auto describe = [&key](Error error) { return within(fmt::format("key {}", key), std::move(error)); };
  if (metadata.contains(key)) return fail(ErrorCode::kInvalidFile, "key {} appears twice", key);
  auto type = valueType();
  if (!type) return describe(std::move(type).error());
  auto stored = value(*type, 0);
  if (!stored) return describe(std::move(stored).error());
  metadata[key] = std::move(*stored);
  return {};
}

Result<TensorInfo> Parser::tensorInfo() {
  TensorInfo tensor;
  TRY_ASSIGN(tensor.name, nameString("a tensor's name"));
  TRY_ASSIGN(const auto dimensions, reader_.read<std::uint32_t>("a tensor's number of dimensions"));
  if (dimensions > kMostDimensions)
    return fail(ErrorCode::kInvalidFile, "tensor {} has {} dimensions, more than {}", tensor.name, dimensions,
                kMostDimensions);
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    TRY_ASSIGN(const auto size, reader_.read<std::uint64_t>("a tensor's shape"));
    tensor.shape.push_back(size);
  }
  std::ranges::reverse(tensor.shape);
  TRY_ASSIGN(const auto type, reader_.read<std::uint32_t>("a tensor's type"));
  const std::optional<DType> known = dtypeFromGgml(type);
  if (!known) {
    const std::string_view type_name = ggmlTypeName(type);
    return fail(ErrorCode::kUnsupported,
                "tensor {} has type {} ({}), which Vitrine does not read; requantize the "
                "model, to Q4_K_M for instance",
                tensor.name, type_name.empty() ? "unknown" : type_name, type);
  }
  tensor.type = *known;
  TRY_ASSIGN(tensor.offset, reader_.read<std::uint64_t>("a tensor's offset"));
  return tensor;
}

Result<std::uint64_t> Parser::alignment(const json& metadata) const {
  const auto found = metadata.find("general.alignment");
  if (found == metadata.end()) return kDefaultAlignment;
  const std::uint64_t value = found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
  if (!std::has_single_bit(value) || value > kLargestAlignment)
    return fail(ErrorCode::kInvalidFile, "general.alignment must be a power of two up to {}, found {}",
                kLargestAlignment, excerpt(*found));
  return value;
}

// Turns offsets into spans of the mapping: aligned, inside the file, and no two over the same bytes.
Result<std::vector<TensorEntry>> Parser::place(std::vector<TensorInfo> infos, std::uint64_t alignment) const {
  const std::uint64_t header_end = reader_.position();
  const std::uint64_t data_start =
      std::min<std::uint64_t>((header_end + alignment - 1) / alignment * alignment, bytes_.size());
  const std::span<const std::byte> data = bytes_.subspan(data_start);
  std::ranges::sort(infos, {}, &TensorInfo::offset);

  std::vector<TensorEntry> tensors;
  tensors.reserve(infos.size());
  std::uint64_t end_of_last = 0;
  for (TensorInfo& tensor : infos) {
    auto size = tensorBytes(tensor.type, tensor.shape);
    if (!size) return within(fmt::format("tensor {}", tensor.name), std::move(size).error());
    if (tensor.offset % alignment != 0)
      return fail(ErrorCode::kInvalidFile, "tensor {} starts at {}, which is no multiple of the alignment {}",
                  tensor.name, tensor.offset, alignment);
    if (tensor.offset > data.size() || *size > data.size() - tensor.offset)
      return fail(
          ErrorCode::kInvalidFile,
          "tensor {} lies at {} with {} bytes, but the file holds {} bytes of tensors: it is truncated or "
          "damaged; get it again",
          tensor.name, tensor.offset, *size, data.size());
    if (*size > 0 && tensor.offset < end_of_last)
      return fail(ErrorCode::kInvalidFile, "tensor {} overlaps another tensor", tensor.name);
    if (*size > 0) end_of_last = tensor.offset + *size;
    tensors.push_back(
        {std::move(tensor.name), tensor.type, std::move(tensor.shape), data.subspan(tensor.offset, *size)});
  }
  return tensors;
}

Result<GgufFile> Parser::parse() {
  TRY(checkVersion());
  // The smallest tensor info: name length, one letter, dimension count, type, offset. The smallest key-value:
  // key length, one letter, type, one byte.
  TRY_ASSIGN(const std::uint64_t tensor_count, reader_.readCount(8 + 1 + 4 + 4 + 8, "the number of tensors"));
  TRY_ASSIGN(const std::uint64_t key_count, reader_.readCount(8 + 1 + 4 + 1, "the number of key-values"));
  GgufFile file;
  for (std::uint64_t i = 0; i < key_count; ++i) TRY(keyValue(file.metadata));
  TRY_ASSIGN(const std::uint64_t aligned_to, alignment(file.metadata));
  std::vector<TensorInfo> infos;
  for (std::uint64_t i = 0; i < tensor_count; ++i) {
    TRY_ASSIGN(TensorInfo tensor, tensorInfo());
    infos.push_back(std::move(tensor));
  }
  TRY_ASSIGN(file.tensors, place(std::move(infos), aligned_to));
  TRY(sortByName(file.tensors));
  return file;
}

}  // namespace

Result<GgufFile> parseGguf(std::span<const std::byte> bytes) {
  return Parser(bytes).parse();
}

}  // namespace vitrine::core
