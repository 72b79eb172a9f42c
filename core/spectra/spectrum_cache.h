// Spectra that were computed before, on disk: a file a matrix, found by what the matrix holds and not by
// where it lies, so that a copied or renamed model need not be computed again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/spectra/matrix_catalogue.h"
#include "core/spectra/spectrum.h"

namespace vitrine::core {

// SHA-256 of the element type, the shape, the stored bytes and their scales.
std::string contentHash(const StoredMatrix& matrix);

// Functions may be called from several threads at once. Whatever goes wrong with a file, it is as if it were
// not there: a cache is never a reason to fail.
class SpectrumCache {
 public:
  static constexpr std::uintmax_t kMostBytes = 200'000'000;

  // An empty folder keeps nothing. It is made with the first spectrum.
  explicit SpectrumCache(std::filesystem::path folder, std::uintmax_t most_bytes = kMostBytes)
      : folder_(std::move(folder)), most_bytes_(most_bytes) {}

  // Nothing where there is no file of that name, or one that is damaged, of another version or another shape.
  std::optional<Spectrum> find(const std::string& hash, std::uint64_t rows, std::uint64_t columns) const;
  // Written beside its place and renamed: it appears whole or not at all.
  void keep(const std::string& hash, const Spectrum& spectrum) const;
  // Removes what has not been asked for the longest, until the rest is within bounds.
  void trim() const;

 private:
  std::filesystem::path folder_;
  std::uintmax_t most_bytes_;
};

}  // namespace vitrine::core
