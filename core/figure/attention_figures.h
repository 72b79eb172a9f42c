// The named figures of the attention view, as functions of plain data: attention-map, attention-overview,
// attention-row and head-metrics. Whoever has the data (a trace file, the engine's readMap) calls them.
//
// Matrices are AttentionMatrix: T x T, queries down, keys to the right, masked cells negative (what
// Engine::readMap gives). Labels are the tokens as drawn ("·the", "⏎"), one a token; empty labels number the
// tokens.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/figure/figure.h"
#include "core/figure/head_metrics.h"

namespace vitrine::core {

enum class Marginals { kShown, kHidden };

// How probabilities are shown; the same options as the canvas offers.
struct AttentionFigureOptions {
  std::uint32_t layer = 0, head = 0;
  std::optional<std::uint32_t>
      query;  // attention-row: which (default: the last); attention-map: boxed if given
  std::optional<std::uint32_t> key;  // attention-map: boxed if given
  AxisScale scale = AxisScale::kLog;
  std::optional<double> minimum, maximum;  // default: 1e-4 .. 1 (log), 0 .. 1 (linear)
  ColormapId colormap = ColormapId::kViridis;
  HeatMapRendering rendering = HeatMapRendering::kRaster;
  Marginals marginals = Marginals::kShown;
  std::optional<HeadMetric>
      metric;              // head-metrics: only this one (default: all that are defined, a panel each)
  std::string model;       // named in the caption when not empty
  std::string implied_by;  // the recurrent mixer that implies the map; empty: an attention's own
};

Result<Figure> attentionMapFigure(const AttentionMatrix& attention, const std::vector<std::string>& labels,
                                  std::span<const std::int64_t> ids, const AttentionFigureOptions& options);

// One query's probabilities as bars over the keys it sees.
Result<Figure> attentionRowFigure(const AttentionMatrix& attention, const std::vector<std::string>& labels,
                                  const AttentionFigureOptions& options);

// Every head as a thumbnail; maps larger than 48 cells are max-pooled. `layers` holds the layers' numbers
// (those that have attention), `matrix(i, head)` the probabilities of layers[i].
using AttentionSource = std::function<Result<AttentionMatrix>(std::size_t layer_index, std::size_t head)>;
Result<Figure> attentionOverviewFigure(const std::vector<std::uint32_t>& layers, std::size_t heads,
                                       const AttentionSource& matrix, const AttentionFigureOptions& options);

// Heat maps of layers x heads; `metrics` is layer-major, layers.size() x heads.
Result<Figure> headMetricsFigure(const std::vector<std::uint32_t>& layers, std::size_t heads,
                                 const std::vector<HeadMetrics>& metrics,
                                 const AttentionFigureOptions& options);

}  // namespace vitrine::core
