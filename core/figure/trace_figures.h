// Named figures from a trace file (safetensors as `vitrine trace` writes it: attention.L (heads, T, T),
// input_ids (T)).
//
// For the command line, `vitrine export TRACE --figure NAME --layer 3 --head 2 --preset icml-column
// --format pdf,svg,png,csv,npz,tex --out DIR` is:
//   Checkpoint::open(TRACE) -> figureFromTrace(..) -> exportFigure(..) of ui/figure/export_figure.h, or
//   without the UI exportFigureData(..) of core/figure/export_data.h (csv, npz, tex, json).
// Token labels come from the model's tokenizer over traceTokenIds(); without a tokenizer the ids are drawn.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/figure/attention_figures.h"

namespace vitrine::core {

// "attention-map", "attention-row", "attention-overview", "head-metrics": what --figure takes.
std::span<const std::string_view> traceFigureNames();

// The ids of the traced tokens; empty when the file has none.
Result<std::vector<std::int64_t>> traceTokenIds(const Checkpoint& trace);

// `labels`: the tokens as drawn, one a token, or empty. Cells above the diagonal that are zero in every row
// are taken as the causal mask. Errors: an unknown name, a layer, head or query that the trace does not hold,
// a tensor of another shape or type.
Result<Figure> figureFromTrace(const Checkpoint& trace, std::string_view name,
                               const AttentionFigureOptions& options, const std::vector<std::string>& labels);

}  // namespace vitrine::core
