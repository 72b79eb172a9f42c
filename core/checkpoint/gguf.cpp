// A GGUF model: one file, or the files NAME-00001-of-00003.gguf .. of a split one.
#include <algorithm>
#include <cstdint>

#include "core/checkpoint/gguf_parser.h"
#include "core/checkpoint/parts.h"

namespace vitrine::core {
namespace {

using nlohmann::json;

std::uint64_t unsignedOr(const json& metadata, std::string_view key, std::uint64_t otherwise) {
  const auto found = metadata.find(key);
  return found != metadata.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : otherwise;
}

// The files of a split model are called NAME-00001-of-00003.gguf and so on; any of them may be opened.
Result<std::vector<std::filesystem::path>> splitPaths(const std::filesystem::path& path,
                                                      std::uint64_t count) {
  constexpr std::string_view kPattern = "-00001-of-00003.gguf";
  const std::string name = path.filename().string();
  const std::string suffix = fmt::format("-of-{:05}.gguf", count);
  if (count > 99'999 || name.size() <= kPattern.size() || !name.ends_with(suffix))
    return fail(ErrorCode::kInvalidFile,
                "one of {} files of a split model, but its name does not end in {}; give "
                "it its original name beside the others",
                count, suffix);
  const std::string stem = name.substr(0, name.size() - kPattern.size());
  std::vector<std::filesystem::path> paths;
  for (std::uint64_t i = 1; i <= count; ++i) {
    paths.push_back(path.parent_path() / fmt::format("{}-{:05}{}", stem, i, suffix));
    std::error_code ignored;
    if (!std::filesystem::exists(paths.back(), ignored))
      return fail(ErrorCode::kNotFound, "{} is missing: all {} files of a split model must be in one folder",
                  paths.back().filename().string(), count);
  }
  return paths;
}

Result<GgufFile> parseFile(const MappedFile& file) {
  auto parsed = parseGguf(file.bytes());
  if (!parsed) return within(file.path().filename().string(), std::move(parsed).error());
  return parsed;
}

}  // namespace

Result<CheckpointParts> openGguf(std::shared_ptr<const MappedFile> file) {
  TRY_ASSIGN(GgufFile first, parseFile(*file));
  CheckpointParts parts;
  const std::uint64_t splits = unsignedOr(first.metadata, "split.count", 0);
  if (splits <= 1) {
    parts.metadata = std::move(first.metadata);
    parts.tensors = std::move(first.tensors);
    parts.files.push_back(std::move(file));
    return parts;
  }
  TRY_ASSIGN(const auto paths, splitPaths(file->path(), splits));
  for (const std::filesystem::path& path : paths) {
    TRY_ASSIGN(auto part_file, MappedFile::open(path));
    TRY_ASSIGN(GgufFile part, parseFile(*part_file));
    if (unsignedOr(part.metadata, "split.no", splits) != parts.files.size())
      return fail(ErrorCode::kInvalidFile, "{}: not part {} of {} of this model", path.filename().string(),
                  parts.files.size() + 1, splits);
    if (parts.files.empty())
      parts.metadata = std::move(part.metadata);  // the first part has the hyper-parameters
    std::ranges::move(part.tensors, std::back_inserter(parts.tensors));
    parts.files.push_back(std::move(part_file));
  }
  TRY(sortByName(parts.tensors));
  return parts;
}

}  // namespace vitrine::core
