#include "core/spectra/spectrum_cache.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <iterator>
#include <type_traits>

#include "core/figure/sha256.h"

namespace vitrine::core {
namespace {

constexpr std::string_view kCacheMagic = "VSPECT01";  // the digits are the version
constexpr std::string_view kCacheExtension = ".spectrum";
constexpr std::size_t kCacheDigest = 64;

std::string_view storedText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <typename T>
void appendValue(std::string& bytes, const T& value) {
  static_assert(std::is_arithmetic_v<T>);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

class CacheReader {
 public:
  explicit CacheReader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T take() {
    T value{};
    if (bytes_.size() < sizeof value) {
      whole_ = false;
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  std::size_t left() const { return bytes_.size(); }
  bool whole() const { return whole_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool whole_ = true;
};

std::string encodeSpectrum(const Spectrum& spectrum) {
  std::string bytes(kCacheMagic);
  appendValue(bytes, spectrum.rows);
  appendValue(bytes, spectrum.columns);
  appendValue(bytes, spectrum.frobenius);
  appendValue(bytes, spectrum.floor);
  appendValue(bytes, spectrum.certificate.energy);
  appendValue(bytes, spectrum.certificate.fourth);
  appendValue(bytes, spectrum.certificate.upper_bound);
  appendValue(bytes, spectrum.certificate.shifts);
  appendValue(bytes, spectrum.certificate.agreeing);
  appendValue(bytes, static_cast<std::uint32_t>(spectrum.path));
  for (const double s : spectrum.sigma) appendValue(bytes, s);
  return bytes + sha256Of(bytes);
}

std::optional<Spectrum> decodeSpectrum(std::string_view bytes) {
  if (bytes.size() < kCacheMagic.size() + kCacheDigest || !bytes.starts_with(kCacheMagic))
    return std::nullopt;
  const std::string_view body = bytes.substr(0, bytes.size() - kCacheDigest);
  if (sha256Of(body) != bytes.substr(body.size())) return std::nullopt;
  CacheReader reader(body.substr(kCacheMagic.size()));
  Spectrum spectrum;
  spectrum.rows = reader.take<std::uint64_t>();
  spectrum.columns = reader.take<std::uint64_t>();
  spectrum.frobenius = reader.take<double>();
  spectrum.floor = reader.take<double>();
  spectrum.certificate.energy = reader.take<double>();
  spectrum.certificate.fourth = reader.take<double>();
  spectrum.certificate.upper_bound = reader.take<double>();
  spectrum.certificate.shifts = reader.take<std::uint32_t>();
  spectrum.certificate.agreeing = reader.take<std::uint32_t>();
  const auto path = reader.take<std::uint32_t>();
  spectrum.path = static_cast<SpectrumPath>(path);
  const std::uint64_t count = std::min(spectrum.rows, spectrum.columns);
  if (path > static_cast<std::uint32_t>(SpectrumPath::kDevicePairs) ||
      reader.left() != count * sizeof(double))
    return std::nullopt;
  for (std::uint64_t i = 0; i < count; ++i) spectrum.sigma.push_back(reader.take<double>());
  return reader.whole() ? std::optional(std::move(spectrum)) : std::nullopt;
}

}  // namespace

std::string contentHash(const StoredMatrix& matrix) {
  const TensorEntry& tensor = *matrix.tensor;
  const std::uint64_t row = rowBytes(tensor.dtype, matrix.columns);
  std::string text =
      fmt::format("{} {} x {} {}", name(tensor.dtype), matrix.rows, matrix.columns,
                  sha256Of(storedText(tensor.bytes.subspan(matrix.first_row * row, matrix.rows * row))));
  if (const auto& scales = tensor.scales)
    text += fmt::format(" {} {} {} {} {} {}", matrix.first_row, name(scales->dtype), scales->columns,
                        scales->block_rows, scales->block_columns, sha256Of(storedText(scales->bytes)));
  return sha256Of(text);
}

std::optional<Spectrum> SpectrumCache::find(const std::string& hash, std::uint64_t rows,
                                            std::uint64_t columns) const {
  if (folder_.empty()) return std::nullopt;
  const std::filesystem::path path = folder_ / (hash + std::string(kCacheExtension));
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  auto spectrum = decodeSpectrum(std::string(std::istreambuf_iterator<char>(file), {}));
  if (!spectrum || spectrum->rows != rows || spectrum->columns != columns) return std::nullopt;
  std::error_code ignored;
  std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now(), ignored);
  return spectrum;
}

void SpectrumCache::keep(const std::string& hash, const Spectrum& spectrum) const {
  if (folder_.empty()) return;
  static std::atomic<unsigned> number = 0;
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  const std::filesystem::path beside = folder_ / fmt::format("{}.{}.{}.tmp", hash, ::getpid(), number++);
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  const std::string bytes = encodeSpectrum(spectrum);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file) std::filesystem::rename(beside, folder_ / (hash + std::string(kCacheExtension)), failed);
  if (!file || failed) std::filesystem::remove(beside, failed);
}

void SpectrumCache::trim() const {
  struct Kept {
    std::filesystem::path path;
    std::filesystem::file_time_type used;
    std::uintmax_t bytes = 0;
  };
  std::vector<Kept> files;
  std::uintmax_t total = 0;
  std::error_code failed;
  if (folder_.empty()) return;
  for (std::filesystem::directory_iterator at(folder_, failed), end; !failed && at != end;
       at.increment(failed)) {
    std::error_code gone;
    const Kept file{at->path(), at->last_write_time(gone), at->file_size(gone)};
    if (gone) continue;
    total += file.bytes;
    files.push_back(file);
  }
  std::ranges::sort(files, {}, &Kept::used);
  for (const Kept& file : files) {
    if (total <= most_bytes_) return;
    if (std::filesystem::remove(file.path, failed)) total -= file.bytes;
  }
}

}  // namespace vitrine::core
