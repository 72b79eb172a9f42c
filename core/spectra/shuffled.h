// A null for spectra: the same elements, which then mean nothing together.
#pragma once

#include <cstdint>

#include "core/spectra/dense_matrix.h"

namespace vitrine::core {

// The elements in a random order, the same for a seed on every machine. What of the matrix's spectrum its
// elements' distribution alone explains, the shuffled one has too.
DenseMatrix shuffled(DenseMatrix matrix, std::uint64_t seed = 0);

}  // namespace vitrine::core
