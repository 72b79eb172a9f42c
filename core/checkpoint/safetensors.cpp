// The safetensors format: header length u64, JSON header {name: {dtype, shape, data_offsets}}, data. The data
// has no holes and no overlaps. A sharded model adds model.safetensors.index.json: {"weight_map": {name:
// shard file}}.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/checkpoint/byte_reader.h"
#include "core/checkpoint/json.h"
#include "core/checkpoint/parts.h"

namespace vitrine::core {
namespace {

using nlohmann::json;

constexpr std::size_t kMostAxes = 8;
constexpr JsonLimits kConfigLimits = {.bytes = 16 << 20};

struct Placed {
  TensorEntry entry;
  std::uint64_t begin = 0, end = 0;  // in the data
};

Result<std::vector<std::uint64_t>> unsignedList(const json& object, const char* key,
                                                std::string_view tensor) {
  const auto found = object.find(key);
  const bool is_list = found != object.end() && found->is_array();
  if (!is_list || !std::ranges::all_of(*found, [](const json& n) { return n.is_number_unsigned(); }))
    return fail(ErrorCode::kInvalidFile, "tensor {}: {} must be a list of whole numbers", tensor, key);
  return found->get<std::vector<std::uint64_t>>();
}

Result<Placed> readEntry(const std::string& name, const json& header, std::span<const std::byte> data) {
  if (auto checked = checkName(name); !checked) return within("a tensor's name", checked.error());
  if (!header.is_object()) return fail(ErrorCode::kInvalidFile, "tensor {}: its entry is no object", name);
  const auto type_name = header.find("dtype");
  if (type_name == header.end() || !type_name->is_string())
    return fail(ErrorCode::kInvalidFile, "tensor {}: dtype is missing", name);
  const std::optional<DType> type = dtypeFromName(type_name->get_ref<const std::string&>());
  if (!type || info(*type).quantized)  // safetensors knows no block formats
    return fail(ErrorCode::kUnsupported,
                "tensor {} has type {}, which Vitrine does not read; save it as BF16 or F16", name,
                excerpt(*type_name));

  Placed tensor;
  TRY_ASSIGN(auto shape, unsignedList(header, "shape", name));
  if (shape.size() > kMostAxes)
    return fail(ErrorCode::kInvalidFile, "tensor {} has {} dimensions, more than {}", name, shape.size(),
                kMostAxes);
  TRY_ASSIGN(const auto offsets, unsignedList(header, "data_offsets", name));
  auto size = tensorBytes(*type, shape);
  if (!size) return within(fmt::format("tensor {}", name), std::move(size).error());
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    return fail(ErrorCode::kInvalidFile, "tensor {}: data_offsets must be a begin and an end", name);
  if (offsets[1] > data.size())
    return fail(
        ErrorCode::kInvalidFile,
        "tensor {} ends at byte {} of the data, but the file holds {}: it is truncated or damaged; get it "
        "again",
        name, offsets[1], data.size());
  if (offsets[1] - offsets[0] != *size)
    return fail(ErrorCode::kInvalidFile,
                "tensor {}: {} of shape ({}) takes {} bytes, but data_offsets span {}", name,
                core::name(*type), fmt::join(shape, ", "), *size, offsets[1] - offsets[0]);
  tensor.begin = offsets[0];
  tensor.end = offsets[1];
  tensor.entry = {name, *type, std::move(shape), data.subspan(offsets[0], *size)};
  return tensor;
}

Result<void> checkCoverage(std::vector<Placed>& tensors, std::uint64_t data_size) {
  std::ranges::sort(tensors, {}, [](const Placed& t) { return std::pair(t.begin, t.end); });
  std::uint64_t covered = 0;
  for (const Placed& tensor : tensors) {
    if (tensor.begin != covered)
      return fail(ErrorCode::kInvalidFile,
                  "tensor {} begins at byte {} of the data, but the tensors before it end at {}",
                  tensor.entry.name, tensor.begin, covered);
    covered = tensor.end;
  }
  if (covered != data_size)
    return fail(ErrorCode::kInvalidFile, "the tensors take {} bytes, but the file holds {}", covered,
                data_size);
  return {};
}

struct SafetensorsFile {
  json user_metadata;  // null when the file has none
  std::vector<TensorEntry> tensors;
};

Result<SafetensorsFile> parse(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  TRY_ASSIGN(const auto header_size, reader.read<std::uint64_t>("the header's length"));
  TRY_ASSIGN(const auto header_bytes, reader.take(header_size, "the header"));
  const std::string_view text(reinterpret_cast<const char*>(header_bytes.data()), header_bytes.size());
  TRY_ASSIGN(const json header, parseJsonObject(text, "the header"));

  const std::span<const std::byte> data = bytes.subspan(reader.position());
  SafetensorsFile file;
  std::vector<Placed> placed;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      file.user_metadata = entry;
      continue;
    }
    TRY_ASSIGN(Placed tensor, readEntry(name, entry, data));
    placed.push_back(std::move(tensor));
  }
  TRY(checkCoverage(placed, data.size()));
  file.tensors.reserve(placed.size());
  for (Placed& tensor : placed) file.tensors.push_back(std::move(tensor.entry));
  TRY(sortByName(file.tensors));
  return file;
}

Result<SafetensorsFile> readHeader(const MappedFile& file) {
  auto parsed = parse(file.bytes());
  if (!parsed) return within(file.path().filename().string(), std::move(parsed).error());
  return parsed;
}

// config.json of a folder; an empty object when there is none.
Result<json> readConfig(const std::filesystem::path& folder) {
  auto file = MappedFile::open(folder / "config.json");
  if (!file && file.error().code == ErrorCode::kNotFound) return json::object();
  if (!file) return tl::unexpected(std::move(file).error());
  const std::string_view text = (*file)->text();
  if (text.size() > kConfigLimits.bytes) return parseJsonObject(text, "config.json", kConfigLimits);
  return parseJsonObject(quoteSpecialNumbers(text), "config.json", kConfigLimits);
}

// The shard of every tensor, as the index tells it. Shards are plain file names in the index's own folder.
Result<std::map<std::string, std::string>> readWeightMap(const MappedFile& index) {
  const std::string file_name = index.path().filename().string();
  TRY_ASSIGN(const json content, parseJsonObject(index.text(), file_name));
  const auto map = content.find("weight_map");
  if (map == content.end() || !map->is_object() || map->empty())
    return fail(ErrorCode::kInvalidFile, "{}: weight_map is missing or empty", file_name);
  std::map<std::string, std::string> shards;
  for (const auto& [tensor, shard] : map->items()) {
    const std::string shard_name = shard.is_string() ? shard.get<std::string>() : "";
    if (!checkName(tensor) || !checkName(shard_name) || shard_name.find('/') != std::string::npos ||
        !shard_name.ends_with(".safetensors"))
      return fail(ErrorCode::kInvalidFile,
                  "{}: weight_map must map tensors to .safetensors files of the same folder", file_name);
    shards[tensor] = shard_name;
  }
  return shards;
}

}  // namespace

Result<CheckpointParts> openSafetensors(std::shared_ptr<const MappedFile> file) {
  CheckpointParts parts;
  parts.format = CheckpointFormat::kSafetensors;
  TRY_ASSIGN(SafetensorsFile parsed, readHeader(*file));
  TRY_ASSIGN(parts.metadata, readConfig(file->path().parent_path()));
  if (!parsed.user_metadata.is_null()) parts.metadata["__metadata__"] = std::move(parsed.user_metadata);
  parts.tensors = std::move(parsed.tensors);
  parts.files.push_back(std::move(file));
  TRY(attachBlockScales(parts));
  return parts;
}

Result<CheckpointParts> openShardedSafetensors(const std::filesystem::path& index) {
  TRY_ASSIGN(const auto index_file, MappedFile::open(index));
  TRY_ASSIGN(const auto shard_of, readWeightMap(*index_file));
  CheckpointParts parts;
  parts.format = CheckpointFormat::kSafetensors;
  TRY_ASSIGN(parts.metadata, readConfig(index.parent_path()));

  std::set<std::string> shards;
  for (const auto& [tensor, shard] : shard_of) shards.insert(shard);
  std::size_t found = 0;
  for (const std::string& shard : shards) {
    TRY_ASSIGN(auto file, MappedFile::open(index.parent_path() / shard));
    TRY_ASSIGN(SafetensorsFile parsed, readHeader(*file));
    for (TensorEntry& tensor : parsed.tensors) {
      const auto listed = shard_of.find(tensor.name);
      if (listed == shard_of.end() || listed->second != shard) continue;  // the index alone says what belongs
      parts.tensors.push_back(std::move(tensor));
      ++found;
    }
    parts.files.push_back(std::move(file));
  }
  TRY(sortByName(parts.tensors));
  if (found == shard_of.size()) {
    TRY(attachBlockScales(parts));
    return parts;
  }
  for (const auto& [tensor, shard] : shard_of)
    if (!std::ranges::binary_search(parts.tensors, tensor, {}, &TensorEntry::name))
      return fail(ErrorCode::kInvalidFile, "the index says that {} holds tensor {}, but it does not", shard,
                  tensor);
  VITRINE_ASSERT(!"fewer tensors found than listed, yet none is missing");
  return parts;
}

}  // namespace vitrine::core
