// Which matrices of a base model a fine-tune changes, and all of them compared.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "core/model/model_spec.h"
#include "core/spectra/comparison.h"

namespace vitrine::core {

struct TunedMatrix {
  Eigen::MatrixXd base, tuned;
  std::optional<AdapterRank> adapter;
};

struct MatrixPair {
  std::string name;  // the base's tensor
  std::uint64_t rows = 0, columns = 0;
  std::function<Result<TunedMatrix>()> load;
  WeightRef place = {};  // where the tuned model keeps it: what adapters are added to, then
};

struct MatrixPairs {
  std::vector<MatrixPair> pairs;      // as a reader counts
  std::vector<std::string> left_out;  // a sentence for each matrix that only one has, or in another shape
};

// Stored matrices of one name and shape, in `glob` (matrix_catalogue.h). The pairs keep the checkpoints.
MatrixPairs pairsOf(std::shared_ptr<const Checkpoint> base, std::shared_ptr<const Checkpoint> tuned,
                    std::string_view glob = "");
// The linears of a spec that adapters add to, without and with what they add (expandLinear). Of a tensor that
// several linears were read from each is a matrix: "NAME[first row]".
MatrixPairs pairsOf(std::shared_ptr<ModelSpec> adapted, std::string_view glob = "");

// Nothing without updates; a sum of adapters counts as one.
Result<std::optional<AdapterRank>> adapterRank(const Linear& linear);

// Its load() and compareMatrices(), named. Errors name the pair.
Result<MatrixComparison> comparePair(const MatrixPair& pair, const ComparisonOptions& options = {});

struct ComparisonRun {
  ComparisonOptions options;
  unsigned threads = 0;  // 0: as many as there are cores; one a matrix
  std::stop_token stop{};
  std::function<void(std::size_t done)> progress;  // from several threads, one at a time; or empty
};

// In the pairs' order. The first error, named; kCancelled when stopped, between matrices.
Result<std::vector<MatrixComparison>> runComparisons(std::span<const MatrixPair> pairs,
                                                     const ComparisonRun& run = {});

}  // namespace vitrine::core
