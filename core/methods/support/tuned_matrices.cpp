#include "core/methods/support/tuned_matrices.h"

#include <algorithm>
#include <map>

namespace vitrine::core::methods {

Result<PairedBases> pairedBases(const AnalysisInput& input) {
  PairedBases paired;
  std::map<std::string, std::size_t> index;
  for (std::size_t t = 0; t < input.tunes.size(); ++t)
    for (const MatrixPair& pair : input.tunes[t].pairs) {
      if (std::min(pair.rows, pair.columns) > kLargestSide || pair.rows * pair.columns > kMostElements) {
        paired.notes.push_back(
            fmt::format("{} of {} was left out: {} x {}, and full decompositions are made up to a short side "
                        "of {} and {} million elements.",
                        pair.name, input.tunes[t].name, pair.rows, pair.columns, kLargestSide,
                        kMostElements / 1'000'000));
        continue;
      }
      const auto [at, is_new] = index.emplace(pair.name, paired.bases.size());
      if (is_new) paired.bases.push_back({pair.name, pair.rows, pair.columns, {}});
      paired.bases[at->second].members.push_back({t, &pair});
    }
  std::vector<bool> has_some(input.tunes.size());
  for (const PairsOfBase& base : paired.bases)
    for (const PairsOfBase::Member& member : base.members) has_some[member.tune] = true;
  for (std::size_t t = 0; t < input.tunes.size(); ++t)
    if (!has_some[t])
      return fail(ErrorCode::kInvalidArgument, "{}: no matrix to look at: {}", input.tunes[t].name,
                  paired.notes.empty() ? "it has none" : paired.notes.front());
  return paired;
}

std::string subjectOf(const AnalysisInput& input, const PairedBases& paired) {
  std::string text =
      paired.bases.size() == 1 ? paired.bases[0].name : fmt::format("{} matrices", paired.bases.size());
  for (std::size_t t = 0; t < input.tunes.size(); ++t)
    text += (t == 0 ? " of " : " and ") + input.tunes[t].name;
  return text + " against " + input.model;
}

}  // namespace vitrine::core::methods
