#include "core/checkpoint/checkpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/checkpoint/locate.h"
#include "core/checkpoint/parts.h"

namespace vitrine::core {
namespace {

constexpr std::size_t kLongestDisplayName = 100;  // a longer one is no title

}  // namespace

std::uint64_t TensorEntry::elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

Result<std::shared_ptr<const Checkpoint>> Checkpoint::open(const std::filesystem::path& path) {
  auto parts = locateCheckpoint(path);
  if (!parts) return within(fmt::format("opening {}", path.string()), std::move(parts).error());
  std::shared_ptr<Checkpoint> checkpoint(new Checkpoint);
  checkpoint->path_ = path;
  checkpoint->format_ = parts->format;
  checkpoint->metadata_ = std::make_shared<const nlohmann::json>(std::move(parts->metadata));
  checkpoint->tensors_ = std::move(parts->tensors);
  checkpoint->files_ = std::move(parts->files);
  return std::shared_ptr<const Checkpoint>(std::move(checkpoint));
}

Result<std::shared_ptr<const Checkpoint>> Checkpoint::withTensors(const Checkpoint& base,
                                                                  std::span<const ReplacedTensor> replaced) {
  std::shared_ptr<Checkpoint> checkpoint(new Checkpoint(base));
  for (const ReplacedTensor& with : replaced) {
    const auto at = std::ranges::lower_bound(checkpoint->tensors_, with.name, {}, &TensorEntry::name);
    if (at == checkpoint->tensors_.end() || at->name != with.name)
      return fail(ErrorCode::kNotFound, "no tensor {} to replace in {}", with.name, base.displayName());
    if (with.values->size() != at->elements())
      return fail(ErrorCode::kInvalidArgument, "tensor {} has {} elements, found {} to replace it", with.name,
                  at->elements(), with.values->size());
    at->dtype = DType::kF32;
    at->bytes = std::as_bytes(std::span(*with.values));
    at->scales.reset();
    checkpoint->replaced_.push_back(with.values);
  }
  return std::shared_ptr<const Checkpoint>(std::move(checkpoint));
}

std::string Checkpoint::displayName() const {
  const auto stored = metadata_->find("general.name");
  if (format_ == CheckpointFormat::kGguf && stored != metadata_->end() && stored->is_string()) {
    const auto& name = stored->get_ref<const std::string&>();
    if (name.size() <= kLongestDisplayName && checkName(name)) return name;
  }
  std::error_code ignored;
  std::filesystem::path path = std::filesystem::weakly_canonical(path_, ignored);
  if (path.filename().empty()) path = path.parent_path();  // "folder/"
  if (std::filesystem::is_directory(path, ignored)) return path.filename().string();
  // "model.safetensors" says nothing, its folder does.
  return path.stem() == "model" ? path.parent_path().filename().string() : path.stem().string();
}

const TensorEntry* Checkpoint::find(std::string_view name) const {
  const auto at = std::ranges::lower_bound(tensors_, name, {}, &TensorEntry::name);
  return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

Result<const TensorEntry*> Checkpoint::require(std::string_view name) const {
  if (const TensorEntry* tensor = find(name)) return tensor;
  return fail(ErrorCode::kInvalidFile, "tensor {} is missing", name);
}

Result<std::string> Checkpoint::readSidecar(std::string_view file_name) const {
  VITRINE_ASSERT(file_name.find('/') == std::string_view::npos);
  std::error_code ignored;
  const std::filesystem::path folder =
      std::filesystem::is_directory(path_, ignored) ? path_ : path_.parent_path();
  TRY_ASSIGN(const auto file, MappedFile::open(folder / file_name));
  return std::string(file->text());
}

std::uint64_t Checkpoint::parameters() const {
  std::uint64_t count = 0;
  for (const TensorEntry& tensor : tensors_)
    if (info(tensor.dtype).floating) count += tensor.elements();
  return count;
}

std::uint64_t Checkpoint::bytes() const {
  std::uint64_t count = 0;
  for (const TensorEntry& tensor : tensors_) count += tensor.bytes.size();
  return count;
}

}  // namespace vitrine::core
