// What a fine-tune forgets and what it has learnt as its intruder dimensions are scaled down: its perplexity
// on text of the base's kind and on text of its own, run with W(lambda) of
// core/spectra/intruder_mitigation.h.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/methods/analysis.h"
#include "core/spectra/intruder_mitigation.h"

namespace vitrine::core::methods {

// Of one fine-tune, by the matrix's name.
using Mitigations = std::map<std::string, const Mitigation*>;

struct Losses {
  double text = 0, tuned_text = 0;  // perplexities
};
struct IntruderLosses {
  Losses base;
  std::vector<std::vector<Losses>> tunes;  // [fine-tune][lambda]
};

// Of the input's texts, with its parameters "window" and "windows"; matrices without a mitigation are run as
// they are. Tells progress by run. Errors of running.
Result<IntruderLosses> intruderLosses(const AnalysisInput& input, const std::vector<Mitigations>& tunes,
                                      std::span<const double> lambdas);

Table lossTable(const AnalysisInput& input, const IntruderLosses& losses, std::span<const double> lambdas);
Figure lossFigure(const AnalysisInput& input, const IntruderLosses& losses, std::span<const double> lambdas);
std::vector<std::string> lossNotes(const AnalysisInput& input, const IntruderLosses& losses,
                                   std::span<const double> lambdas);

}  // namespace vitrine::core::methods
