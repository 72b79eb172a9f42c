// Inputs for every method: matrices of odd shapes, of one row, of low rank, zero, with outliers; two
// fine-tunes of them; a small model with grouped heads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/methods/analysis.h"
#include "core/model/model_spec.h"
#include "core/spectra/full_svd.h"
#include "core/spectra/spectrum_matrices.h"

namespace vitrine::test {

using core::methods::Analysis;
using core::methods::AnalysisInput;
using core::methods::FineTune;
using core::methods::NamedMatrix;
using core::methods::Parameters;
using core::methods::Subject;

std::vector<DenseMatrix> hostileMatrices();

NamedMatrix namedMatrix(std::string name, DenseMatrix matrix);

core::MatrixPair namedPair(std::string name, const Columns& base, const Columns& tuned);

// A change of full rank and one of rank 2 of each hostile matrix.
std::vector<FineTune> hostileTunes();

// Two layers, six heads on two kv heads. The file stays mapped after its folder is gone.
std::shared_ptr<const core::ModelSpec> smallSpec();

AnalysisInput inputFor(const Analysis& analysis);

}  // namespace vitrine::test
