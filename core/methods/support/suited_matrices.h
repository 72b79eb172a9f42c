// Which matrices a method can look at in the memory and the time that there are; the others are left out with
// a sentence.
#pragma once

#include <string>

#include "core/methods/analysis.h"

namespace vitrine::core::methods {

struct SizeLimit {
  std::uint64_t elements = 0;    // at most
  std::uint64_t short_side = 0;  // at most; 0: any
};

struct SuitedMatrices {
  AnalysisInput input;            // without the others
  std::vector<std::string> left;  // no sentence, or one that names how many, the first and the limit
};

// Asks the shapes alone. kInvalidArgument where none is left.
Result<SuitedMatrices> suitedMatrices(const AnalysisInput& input, const SizeLimit& limit);

// At most `rows` x `columns` of it: rows and columns drawn without replacement, the same for a seed on every
// machine, in their order; the matrix itself where it is no larger.
DenseMatrix drawnBlock(const DenseMatrix& matrix, std::uint64_t rows, std::uint64_t columns,
                       std::uint64_t seed);

// `count` of 0 .. of - 1, ascending.
std::vector<std::uint64_t> drawnIndices(std::uint64_t of, std::uint64_t count, std::uint64_t seed);

}  // namespace vitrine::core::methods
