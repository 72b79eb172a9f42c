#include "core/checkpoint/locate.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/checkpoint/byte_reader.h"

namespace vitrine::core {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndexName = "model.safetensors.index.json";
constexpr std::array<std::string_view, 5> kPickleExtensions = {".bin", ".pt", ".pth", ".ckpt", ".pkl"};

bool isPickleName(const fs::path& path) {
  if (path.filename().string().ends_with(".bin.index.json")) return true;
  return std::ranges::find(kPickleExtensions, path.extension().string()) != kPickleExtensions.end();
}

// torch.save writes a zip archive, and before version 1.6 wrote a bare pickle.
bool looksLikePickle(std::string_view text) {
  return text.starts_with("PK\x03\x04") ||
         (text.size() > 1 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5);
}

// `pattern` is a glob pattern of the files that together are the model.
tl::unexpected<Error> refusePickle(const std::string& name, const std::string& pattern) {
  return fail(
      ErrorCode::kUnsupported,
      "{} is a Python pickle, which can run any code when it is opened; convert it once, with the Python "
      "packages torch and safetensors: python3 -c \"import glob, torch, safetensors.torch as s; "
      "s.save_file({{k: v.contiguous().clone() for f in sorted(glob.glob('{}')) for k, v in torch.load(f, "
      "weights_only=True).items()}}, 'model.safetensors')\"",
      name, pattern);
}

tl::unexpected<Error> refusePickle(const fs::path& path) {
  constexpr std::string_view kIndex = ".bin.index.json";
  const std::string name = path.filename().string();
  if (name.ends_with(kIndex))
    return refusePickle("what " + name + " lists", name.substr(0, name.size() - kIndex.size()) + "-*.bin");
  return refusePickle(name, name);
}

// The header's length stands first and its brace ninth.
bool looksLikeSafetensors(std::string_view text) {
  return text.size() > 8 && text[8] == '{';
}

Result<CheckpointParts> openFile(const fs::path& path) {
  TRY_ASSIGN(auto file, MappedFile::open(path));
  const std::string name = path.filename().string();
  const std::string_view text = file->text();
  if (text.empty()) return fail(ErrorCode::kInvalidFile, "{} is empty", name);
  if (text.starts_with("GGUF")) return openGguf(std::move(file));
  if (text.starts_with("version https://git-lfs"))
    return fail(ErrorCode::kInvalidFile, "{} is a Git LFS pointer, not the model; run: git lfs pull", name);
  if (text.starts_with("lmgg") || text.starts_with("tjgg") || text.starts_with("fmgg"))
    return fail(ErrorCode::kUnsupported, "{} is in the old GGML format; convert the original model to GGUF",
                name);
  // A safetensors file begins with the length of its header, which can have the bytes of a pickle's
  // beginning.
  if ((looksLikePickle(text) && !looksLikeSafetensors(text)) || isPickleName(path)) return refusePickle(path);
  if (looksLikeSafetensors(text) || path.extension() == ".safetensors")
    return openSafetensors(std::move(file));
  return fail(ErrorCode::kUnsupported,
              "{} is neither GGUF nor safetensors; open a .gguf file, a .safetensors file, or "
              "a Hugging Face folder",
              name);
}

Result<std::vector<fs::path>> listFolder(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    files.push_back(at->path());
  if (error) return fail(ErrorCode::kIo, "cannot list the folder: {}", error.message());
  std::ranges::sort(files);
  return files;
}

// Of a split GGUF model the first file stands for all.
bool isLaterPart(const fs::path& file) {
  const std::string stem = file.stem().string();
  return file.extension() == ".gguf" && stem.find("-of-") != std::string::npos &&
         stem.find("-00001-of-") == std::string::npos;
}

// The index of a model in pickles or else the model itself, not the optimizer that lies beside it.
std::optional<fs::path> pickledModel(const std::vector<fs::path>& files) {
  const auto rank = [](const fs::path& file) {
    const std::string name = file.filename().string();
    if (!isPickleName(file)) return 0;
    if (name.ends_with(".index.json")) return 3;
    return name.starts_with("pytorch_model") || name.starts_with("model") ? 2 : 1;
  };
  const auto best = std::ranges::max_element(files, {}, rank);
  if (best == files.end() || rank(*best) == 0) return std::nullopt;
  return *best;
}

Result<CheckpointParts> openFolder(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder / kIndexName, ignored)) return openShardedSafetensors(folder / kIndexName);
  if (fs::exists(folder / "model.safetensors", ignored)) return openFile(folder / "model.safetensors");

  TRY_ASSIGN(const std::vector<fs::path> files, listFolder(folder));
  for (const std::string_view extension : {".safetensors", ".gguf"}) {
    std::vector<fs::path> models;
    std::ranges::copy_if(files, std::back_inserter(models), [extension](const fs::path& file) {
      return file.extension() == extension && !isLaterPart(file);
    });
    if (models.size() == 1) return openFile(models.front());
    if (models.size() > 1)
      return fail(ErrorCode::kInvalidArgument,
                  "the folder holds {} {} files and no {}; open one of them, {} for instance", models.size(),
                  extension, kIndexName, models.front().filename().string());
  }
  if (const std::optional<fs::path> pickle = pickledModel(files)) return refusePickle(*pickle);
  return fail(ErrorCode::kNotFound, "the folder holds no model: no .safetensors and no .gguf file");
}

}  // namespace

Result<CheckpointParts> locateCheckpoint(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return openFolder(path);
  // A shard of a sharded model stands for the whole model.
  const fs::path index = path.parent_path() / kIndexName;
  const bool shard =
      path.extension() == ".safetensors" && path.stem().string().find("-of-") != std::string::npos;
  if (shard && fs::exists(index, error)) return openShardedSafetensors(index);
  return openFile(path);
}

}  // namespace vitrine::core
