#include "core/checkpoint/safetensors_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "core/checkpoint/parts.h"

namespace vitrine::core {
namespace {

// A file that vanishes unless it is kept.
class TemporaryFile {
 public:
  static Result<TemporaryFile> create(const std::filesystem::path& beside) {
    std::string name = fmt::format("{}.{:08x}.part", beside.string(), std::random_device()());
    const int descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0)
      return fail(ErrorCode::kIo, "{}: cannot write: {}", beside.string(), std::strerror(errno));
    return TemporaryFile(descriptor, std::move(name));
  }
  TemporaryFile(TemporaryFile&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), name_(std::exchange(other.name_, {})) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!name_.empty()) ::unlink(name_.c_str());
  }

  Result<void> write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return fail(ErrorCode::kIo, "{}: cannot write: {}", name_, std::strerror(errno));
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }

  Result<void> keepAs(const std::filesystem::path& path) {
    const bool done =
        ::close(std::exchange(descriptor_, -1)) == 0 && ::rename(name_.c_str(), path.c_str()) == 0;
    if (!done) return fail(ErrorCode::kIo, "{}: cannot write: {}", path.string(), std::strerror(errno));
    name_.clear();
    return {};
  }

 private:
  TemporaryFile(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}
  int descriptor_;
  std::string name_;
};

Result<void> checkItems(std::span<const SafetensorsItem> items) {
  std::set<std::string_view> names;
  for (const SafetensorsItem& item : items) {
    if (!checkName(item.name) || item.name == "__metadata__")
      return fail(ErrorCode::kInvalidArgument, "a tensor's name must be printable and not __metadata__");
    if (!names.insert(item.name).second)
      return fail(ErrorCode::kInvalidArgument, "tensor {} comes twice", item.name);
    if (info(item.dtype).quantized)
      return fail(ErrorCode::kInvalidArgument, "tensor {}: safetensors has no type {}", item.name,
                  name(item.dtype));
    const auto size = tensorBytes(item.dtype, item.shape);
    if (!size || *size != item.bytes.size())
      return fail(ErrorCode::kInvalidArgument, "tensor {}: {} bytes are no {} of shape ({})", item.name,
                  item.bytes.size(), name(item.dtype), fmt::join(item.shape, ", "));
  }
  return {};
}

template <typename T>
SafetensorsItem itemOf(DType type, std::string name, std::vector<std::uint64_t> shape,
                       std::span<const T> values) {
  return {std::move(name), type, std::move(shape), std::as_bytes(values)};
}

}  // namespace

SafetensorsItem safetensorsItem(std::string name, std::vector<std::uint64_t> shape,
                                std::span<const float> values) {
  return itemOf(DType::kF32, std::move(name), std::move(shape), values);
}

SafetensorsItem safetensorsItem(std::string name, std::vector<std::uint64_t> shape,
                                std::span<const std::int32_t> values) {
  return itemOf(DType::kI32, std::move(name), std::move(shape), values);
}

Result<void> writeSafetensors(const std::filesystem::path& path, std::span<const SafetensorsItem> items,
                              const std::map<std::string, std::string>& metadata) {
  TRY(checkItems(items));
  // Widest elements first, as the format's own library does, so that every tensor is aligned to its element.
  std::vector<const SafetensorsItem*> order;
  for (const SafetensorsItem& item : items) order.push_back(&item);
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [](const SafetensorsItem* item) { return info(item->dtype).block_bytes; });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t at = 0;
  for (const SafetensorsItem* item : order) {
    header[item->name] = {{"dtype", name(item->dtype)},
                          {"shape", item->shape},
                          {"data_offsets", {at, at + item->bytes.size()}}};
    at += item->bytes.size();
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();

  TRY_ASSIGN(TemporaryFile file, TemporaryFile::create(path));
  TRY(file.write(std::as_bytes(std::span(&length, 1))));
  TRY(file.write(std::as_bytes(std::span(text))));
  for (const SafetensorsItem* item : order) TRY(file.write(item->bytes));
  return file.keepAs(path);
}

}  // namespace vitrine::core
