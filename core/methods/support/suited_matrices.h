// Of large matrices: which a method looks at, and how much of one.
#pragma once

#include <string>

#include "core/methods/analysis.h"

namespace vitrine::core::methods {

// Without matrices beyond the limit, and with a sentence in `left_out` that names how many, the first and the
// limit. Asks the shapes alone. kInvalidArgument where none is left.
Result<AnalysisInput> suitedMatrices(AnalysisInput input, const SizeLimit& limit);

// At most `rows` x `columns` of it: rows and columns drawn without replacement, the same for a seed on every
// machine, in their order; the matrix itself where it is no larger.
DenseMatrix drawnBlock(const DenseMatrix& matrix, std::uint64_t rows, std::uint64_t columns,
                       std::uint64_t seed);

// `count` of 0 .. of - 1, ascending.
std::vector<std::uint64_t> drawnIndices(std::uint64_t of, std::uint64_t count, std::uint64_t seed);

}  // namespace vitrine::core::methods
