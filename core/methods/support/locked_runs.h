// A model whose heads are locked (core/spectra/head_lock.h), run: its outputs beside the original's, and its
// perplexity when it is averaged with a sibling.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/methods/support/model_runs.h"
#include "core/spectra/head_lock.h"

namespace vitrine::core::methods {

struct LockedRuns {
  std::string sibling;
  std::size_t tokens = 0;  // of the text, whose logits are compared
  // Against the original.
  LogitDrift locked, averaged, locked_averaged;
  // Perplexities of (1 - share) W + share W_sibling.
  std::vector<double> shares, plain, merged;  // W: the original, the locked model
};

// Of the input's text, with its parameters "window" and "windows"; `locks`: by layer. Tells progress by run.
// Errors of running; kInvalidArgument for a sibling of other tensors.
Result<LockedRuns> runLocked(const AnalysisInput& input,
                             const std::map<std::uint32_t, AttentionLocks>& locks);

Table outputTable(const LockedRuns& runs);
Table mergeTable(const LockedRuns& runs);
Figure mergeFigure(const AnalysisInput& input, const LockedRuns& runs);
std::string noteOf(const LockedRuns& runs);

}  // namespace vitrine::core::methods
