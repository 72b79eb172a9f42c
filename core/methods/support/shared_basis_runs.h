// A base with FairLoRA's form of several fine-tunes' changes, U diag(s_g) V^T (core/spectra/shared_basis.h),
// run on a prompt: how far predictions drift when only s is swapped.
#pragma once

#include <vector>

#include "core/methods/support/model_runs.h"

namespace vitrine::core::methods {

struct SharedChange {
  const MatrixPair* pair = nullptr;    // of any of the fine-tunes
  Eigen::MatrixXd u, v;                // (m, r), (n, r)
  std::vector<Eigen::VectorXd> sigma;  // (r), of each fine-tune
};

struct SharedBasisRuns {
  std::size_t tokens = 0;
  // KL against each fine-tune as it is: of the base, of the base with its s_g.
  std::vector<double> base, form;
  Eigen::MatrixXd swapped;  // (g, h): KL of the base with s_h against the base with s_g
};

// On the input's prompt; a fine-tune's other changes (matrices that are not among these, vectors) are only in
// what the forms are held against. Tells progress by run. Errors of running.
Result<SharedBasisRuns> runSharedBasis(const AnalysisInput& input, std::span<const SharedChange> changes);

Table formTable(const AnalysisInput& input, const SharedBasisRuns& runs);
Table swapTable(const AnalysisInput& input, const SharedBasisRuns& runs);

}  // namespace vitrine::core::methods
