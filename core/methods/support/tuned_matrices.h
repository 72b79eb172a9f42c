// What fine-tunes made of a base's matrices, one base matrix a thread: it is decomposed once for all of them.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/methods/support/for_each.h"
#include "core/spectra/full_svd.h"

namespace vitrine::core::methods {

// Of one fine-tune and matrix, while it is looked at.
struct TunedPair {
  const std::string& name;  // the base's tensor
  std::size_t tune = 0;     // index in AnalysisInput::tunes
  const Eigen::MatrixXd& base;
  const FullSvd& svd;  // of the base
  const Eigen::MatrixXd& tuned;
};

// The pairs of one base matrix.
struct PairsOfBase {
  struct Member {
    std::size_t tune = 0;
    const MatrixPair* pair = nullptr;  // of the input
  };
  std::string name;
  std::uint64_t rows = 0, columns = 0;
  std::vector<Member> members;
};

struct PairedBases {
  std::vector<PairsOfBase> bases;  // in the first fine-tune's order
  std::vector<std::string> notes;  // a sentence for each matrix that is left out
};

// A full decomposition in double precision takes minutes and gigabytes beyond.
inline constexpr std::uint64_t kLargestSide = 4'096;  // the shorter one
inline constexpr std::uint64_t kMostElements = std::uint64_t{1} << 25;

// What is larger is left out, with a note. kInvalidArgument where nothing of a fine-tune
// remains.
Result<PairedBases> pairedBases(const AnalysisInput& input);

// work(pair) -> Result<T> for all; [tune][matrix]. Errors name the matrix; kCancelled when stopped.
template <typename T, typename Work>
Result<std::vector<std::vector<T>>> forEachTuned(const AnalysisInput& input, const PairedBases& paired,
                                                 const Work& work) {
  using Found = std::vector<std::pair<std::size_t, T>>;
  const auto all = [&](std::size_t i) -> Result<Found> {
    const PairsOfBase& of = paired.bases[i];
    Eigen::MatrixXd base;
    std::optional<FullSvd> svd;
    Found found;
    for (const PairsOfBase::Member& member : of.members) {
      if (input.stop.stop_requested()) return fail(ErrorCode::kCancelled, "cancelled at {}", of.name);
      TRY_ASSIGN(TunedMatrix matrix, member.pair->load());
      if (!svd || matrix.base != base) {
        base = std::move(matrix.base);
        auto decomposed = fullSvd(base);
        if (!decomposed) return within(of.name, std::move(decomposed).error());
        svd = std::move(*decomposed);
      }
      Result<T> result = work(TunedPair{of.name, member.tune, base, *svd, matrix.tuned});
      if (!result) return within(of.name, std::move(result).error());
      found.emplace_back(member.tune, std::move(*result));
    }
    return found;
  };
  TRY_ASSIGN(std::vector<Found> found, (forEach<Found>(input, paired.bases.size(), all)));
  std::vector<std::vector<T>> by_tune(input.tunes.size());
  for (Found& one : found)
    for (auto& [tune, value] : one) by_tune[tune].push_back(std::move(value));
  return by_tune;
}

// "42 matrices of A and B against BASE": for captions.
std::string subjectOf(const AnalysisInput& input, const PairedBases& paired);

}  // namespace vitrine::core::methods
