// What one attention head does, in five numbers, and what each key receives: from its T x T probabilities.
// The conventions are those of core/engine/engine_types.h (HeadSummary, MapPicture), so that an exported
// figure shows what the inspector shows: means over all queries, entropies in bits, masked cells negative.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gpu/error.h"

namespace vitrine::core {

// Rows are queries, columns keys; a masked cell is negative (-1). `values` is not owned.
struct AttentionMatrix {
  std::size_t tokens = 0;
  std::span<const float> values;  // tokens x tokens

  std::span<const float> row(std::size_t query) const { return values.subspan(query * tokens, tokens); }
};

enum class HeadMetric { kEntropy, kFirstMass, kLocalMass, kPrevious, kInduction };

std::span<const HeadMetric> headMetrics();
std::string_view headMetricName(HeadMetric metric);   // "entropy", "first-token" ..: what --metric takes
std::string_view headMetricLabel(HeadMetric metric);  // "first-token mass": what a colour bar says
std::string_view headMetricUnit(HeadMetric metric);   // "bit" or empty
Result<HeadMetric> findHeadMetric(std::string_view name);

struct HeadMetrics {
  double entropy = 0;     // bits
  double first_mass = 0;  // on the first token
  double local_mass = 0;  // on the last 8 keys, the query's own included
  double previous = 0;    // on the token just before the query (0 for the first query)
  double induction =
      0;  // on the tokens that followed earlier occurrences of the query's token, over the queries
          // that have one (Olsson et al. 2022); NaN when nothing repeats or the ids are unknown

  double value(HeadMetric metric) const;
};

// `ids` holds the tokens' ids, or is empty.
HeadMetrics measureHead(const AttentionMatrix& attention, std::span<const std::int64_t> ids);

// -sum p log2 p of each query's row; NaN where a row holds no finite probability.
std::vector<float> rowEntropies(const AttentionMatrix& attention);

// The mean probability that each key receives from the queries that see it; NaN for a key nobody sees.
std::vector<float> meanReceived(const AttentionMatrix& attention);

}  // namespace vitrine::core
