#include "core/spectra/shuffled.h"

#include <random>
#include <utility>

namespace vitrine::core {

DenseMatrix shuffled(DenseMatrix matrix, std::uint64_t seed) {
  std::mt19937_64 random(seed);  // std::shuffle's use of it is the library's affair
  for (std::uint64_t left = matrix.values.size(); left > 1; --left) {
    // Of 64 bits a remainder is even enough: a matrix has less than 2^40 elements.
    const std::uint64_t other = random() % left;
    std::swap(matrix.values[left - 1], matrix.values[other]);
  }
  return matrix;
}

}  // namespace vitrine::core
