// A null beside spectra, as what SpectraWorker computes: matrices of a checkpoint with their elements in
// random order (shuffled.h), named as the matrices.
#pragma once

#include <filesystem>

#include "core/spectra/spectra_source.h"

namespace vitrine::core {

struct NullRequest {
  std::filesystem::path model;
  std::vector<std::string> names;  // of matricesOf(); others are left out
  std::uint64_t seed = 0;
  unsigned threads = 0;
};

std::shared_ptr<SpectraSource> nullSource(NullRequest request);

}  // namespace vitrine::core
