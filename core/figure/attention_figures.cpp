#include "core/figure/attention_figures.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vitrine::core {
namespace {

constexpr std::size_t kLargestThumbnail = 48;  // cells a side
constexpr double kLowestLogProbability = 1e-4;
constexpr std::string_view kNormalization = "softmax over keys";

std::string_view quantityOf(const AttentionFigureOptions& options) {
  return options.implied_by.empty() ? "attention probability" : "implied attention";
}

std::string_view normalizationOf(const AttentionFigureOptions& options) {
  return options.implied_by.empty() ? kNormalization : "absolute weights, each row divided by its sum";
}

// How a caption begins.
std::string subjectOf(const AttentionFigureOptions& options) {
  if (options.implied_by.empty()) return "Attention probabilities";
  return fmt::format("Attention implied by {} ({})", options.implied_by, normalizationOf(options));
}

ColorScale probabilityColors(const AttentionFigureOptions& options) {
  ColorScale color;
  color.map = options.colormap;
  color.scale = options.scale;
  color.minimum = options.minimum.value_or(options.scale == AxisScale::kLog ? kLowestLogProbability : 0.0);
  color.maximum = options.maximum.value_or(1.0);
  color.quantity = quantityOf(options);
  color.normalization = normalizationOf(options);
  return color;
}

Result<void> checkMatrix(const AttentionMatrix& attention, const std::vector<std::string>& labels) {
  if (attention.values.size() != attention.tokens * attention.tokens)
    return fail(ErrorCode::kInvalidArgument, "attention matrix has {} values, expected {} x {} for {} tokens",
                attention.values.size(), attention.tokens, attention.tokens, attention.tokens);
  if (!labels.empty() && labels.size() != attention.tokens)
    return fail(ErrorCode::kInvalidArgument, "{} token labels for an attention matrix of {} tokens",
                labels.size(), attention.tokens);
  return {};
}

Result<void> checkToken(std::string_view what, std::uint32_t token, std::size_t tokens) {
  if (token < tokens) return {};
  return fail(ErrorCode::kInvalidArgument, "{} {} does not exist: the sequence has {} tokens, counted from 0",
              what, token, tokens);
}

std::string headTitle(const AttentionFigureOptions& options) {
  std::string title = fmt::format("layer {}, head {}", options.layer, options.head);
  return options.model.empty() ? title : title + " of " + options.model;
}

HeatMap probabilityMap(const AttentionMatrix& attention, const AttentionFigureOptions& options) {
  HeatMap map;
  map.rows = map.columns = attention.tokens;
  map.values.assign(attention.values.begin(), attention.values.end());
  map.mask.reserve(map.values.size());
  for (float p : map.values) map.mask.push_back(p < 0);
  map.color = probabilityColors(options);
  map.rendering = options.rendering;
  if (options.marginals == Marginals::kShown && attention.tokens > 0) {
    map.top = Marginal{"mean received", "", meanReceived(attention)};
    map.right = Marginal{"entropy", "bit", rowEntropies(attention)};
  }
  return map;
}

std::vector<Annotation> selectionBoxes(const AttentionFigureOptions& options, std::size_t tokens) {
  std::vector<Annotation> boxes;
  double last = static_cast<double>(tokens) - 0.5;
  if (options.query)
    boxes.push_back({AnnotationKind::kBox,
                     AnnotationRole::kQuery,
                     {-0.5, *options.query - 0.5},
                     {last, *options.query + 0.5},
                     ""});
  if (options.key)
    boxes.push_back({AnnotationKind::kBox,
                     AnnotationRole::kKey,
                     {*options.key - 0.5, -0.5},
                     {*options.key + 0.5, last},
                     ""});
  return boxes;
}

std::vector<SummaryRow> summaryOf(const HeadMetrics& metrics) {
  std::vector<SummaryRow> rows;
  for (HeadMetric metric : headMetrics())
    rows.push_back(
        {std::string(headMetricLabel(metric)), metrics.value(metric), std::string(headMetricUnit(metric))});
  return rows;
}

// The largest shown value of the cells that fall on thumbnail cell (y, x); -1 when all are masked.
float pooled(const AttentionMatrix& attention, std::size_t side, std::size_t y, std::size_t x) {
  auto edge = [&](std::size_t i) { return i * attention.tokens / side; };
  float largest = -1;
  for (std::size_t q = edge(y); q < edge(y + 1); ++q)
    for (std::size_t k = edge(x); k < edge(x + 1); ++k) {
      float p = attention.row(q)[k];
      if (std::isnan(p)) return p;
      largest = std::max(largest, p);
    }
  return largest;
}

Panel metricPanel(const std::vector<std::uint32_t>& layers, std::size_t heads,
                  const std::vector<HeadMetrics>& metrics, HeadMetric metric,
                  const AttentionFigureOptions& options) {
  Panel panel;
  panel.x.label = "head";
  panel.y.label = "layer";
  panel.x.category_font = panel.y.category_font = FontRole::kSans;
  for (std::size_t h = 0; h < heads; ++h) panel.x.categories.push_back(std::to_string(h));
  for (std::uint32_t layer : layers) panel.y.categories.push_back(std::to_string(layer));
  HeatMap map;
  map.rows = layers.size();
  map.columns = heads;
  map.cells = CellShape::kFree;
  map.rendering = options.rendering;
  map.color.map = options.colormap;
  map.color.quantity = headMetricLabel(metric);
  map.color.unit = headMetricUnit(metric);
  map.color.minimum = options.minimum.value_or(0);
  if (options.maximum) map.color.maximum = options.maximum;
  for (const HeadMetrics& head : metrics) {
    map.values.push_back(static_cast<float>(head.value(metric)));
    map.mask.push_back(std::isnan(head.value(metric)));
  }
  panel.heat_map = std::move(map);
  return panel;
}

}  // namespace

Result<Figure> attentionMapFigure(const AttentionMatrix& attention, const std::vector<std::string>& labels,
                                  std::span<const std::int64_t> ids, const AttentionFigureOptions& options) {
  TRY(checkMatrix(attention, labels));
  if (options.query) TRY(checkToken("query", *options.query, attention.tokens));
  if (options.key) TRY(checkToken("key", *options.key, attention.tokens));
  Panel panel;
  panel.x.label = "key";
  panel.y.label = "query";
  panel.x.categories = panel.y.categories = labels;
  panel.heat_map = probabilityMap(attention, options);
  panel.annotations = selectionBoxes(options, attention.tokens);
  Figure figure;
  figure.name = "attention-map";
  figure.caption = subjectOf(options) + " of " + headTitle(options) +
                   "; queries run downwards, keys to the right, hatched cells are masked.";
  if (options.marginals == Marginals::kShown)
    figure.caption += fmt::format(
        " Above: mean {} that a key receives from the queries that see it; right: entropy of each query.",
        options.implied_by.empty() ? "probability" : "share");
  figure.panels.push_back(std::move(panel));
  figure.summary = summaryOf(measureHead(attention, ids));
  figure.summary_caption =
      fmt::format("{} of {}: means over all {} queries.",
                  options.implied_by.empty() ? "Attention" : "Attention implied by " + options.implied_by,
                  headTitle(options), attention.tokens);
  return figure;
}

Result<Figure> attentionRowFigure(const AttentionMatrix& attention, const std::vector<std::string>& labels,
                                  const AttentionFigureOptions& options) {
  TRY(checkMatrix(attention, labels));
  if (attention.tokens == 0)
    return fail(ErrorCode::kInvalidArgument, "attention matrix of no tokens has no row to draw");
  std::uint32_t query = options.query.value_or(static_cast<std::uint32_t>(attention.tokens - 1));
  TRY(checkToken("query", query, attention.tokens));
  BarSeries bars;
  bars.label = quantityOf(options);
  bars.style = SeriesStyle{{27, 138, 87}, Marker::kNone, {}};  // the key's green
  Panel panel;
  std::span<const float> row = attention.row(query);
  std::size_t seen = attention.tokens;  // the keys behind the last visible one are left out
  while (seen > 0 && row[seen - 1] < 0) --seen;
  for (std::size_t key = 0; key < seen; ++key) {
    bars.values.push_back(row[key] < 0 ? std::numeric_limits<double>::quiet_NaN() : row[key]);
    if (!labels.empty()) panel.x.categories.push_back(labels[key]);
  }
  panel.x.label = "key";
  panel.y.label = quantityOf(options);
  panel.y.scale = options.scale;
  panel.y.minimum = options.minimum;
  if (options.scale == AxisScale::kLog) panel.y.minimum = options.minimum.value_or(kLowestLogProbability);
  panel.y.maximum = options.maximum;
  panel.bars.push_back(std::move(bars));
  Figure figure;
  figure.name = "attention-row";
  std::string token = labels.empty() ? "" : fmt::format(" ({})", labels[query]);
  figure.caption =
      fmt::format("{} of query {}{} in {}{}.", subjectOf(options), query, token, headTitle(options),
                  options.implied_by.empty() ? fmt::format(", {}", kNormalization) : "");
  figure.panels.push_back(std::move(panel));
  return figure;
}

Result<Figure> attentionOverviewFigure(const std::vector<std::uint32_t>& layers, std::size_t heads,
                                       const AttentionSource& matrix, const AttentionFigureOptions& options) {
  ThumbnailGrid grid;
  grid.rows = layers.size();
  grid.columns = heads;
  for (std::uint32_t layer : layers) grid.row_names.push_back(std::to_string(layer));
  grid.color = probabilityColors(options);
  std::size_t tokens = 0;
  for (std::size_t l = 0; l < layers.size(); ++l)
    for (std::size_t h = 0; h < heads; ++h) {
      TRY_ASSIGN(AttentionMatrix attention, matrix(l, h));
      TRY(checkMatrix(attention, {}));
      if (l == 0 && h == 0) tokens = attention.tokens;
      if (attention.tokens != tokens)
        return fail(ErrorCode::kInvalidArgument,
                    "layer {} has attention over {} tokens, the first layer over {}", layers[l],
                    attention.tokens, tokens);
      std::size_t side = std::min(tokens, kLargestThumbnail);
      grid.thumbnail_rows = grid.thumbnail_columns = side;
      for (std::size_t y = 0; y < side; ++y)
        for (std::size_t x = 0; x < side; ++x) grid.values.push_back(pooled(attention, side, y, x));
    }
  for (float p : grid.values) grid.mask.push_back(p < 0);
  Figure figure;
  figure.name = "attention-overview";
  figure.caption = fmt::format(
      "Attention probabilities of all {} layers and {} heads{} over {} tokens; queries run downwards, keys "
      "to the right, grey cells are masked.",
      layers.size(), heads, options.model.empty() ? "" : " of " + options.model, tokens);
  if (tokens > kLargestThumbnail)
    figure.caption += fmt::format(" Each thumbnail shows {0} x {0} cells, the largest probability in each.",
                                  kLargestThumbnail);
  Panel panel;
  panel.thumbnails = std::move(grid);
  figure.panels.push_back(std::move(panel));
  return figure;
}

Result<Figure> headMetricsFigure(const std::vector<std::uint32_t>& layers, std::size_t heads,
                                 const std::vector<HeadMetrics>& metrics,
                                 const AttentionFigureOptions& options) {
  if (metrics.size() != layers.size() * heads)
    return fail(ErrorCode::kInvalidArgument, "{} head metrics for {} layers of {} heads", metrics.size(),
                layers.size(), heads);
  Figure figure;
  figure.name = "head-metrics";
  std::string measured;
  for (HeadMetric metric : headMetrics()) {
    if (options.metric && *options.metric != metric) continue;
    bool defined = std::any_of(metrics.begin(), metrics.end(),
                               [&](const HeadMetrics& head) { return !std::isnan(head.value(metric)); });
    if (!options.metric && !defined) continue;  // no induction where nothing repeats
    figure.panels.push_back(metricPanel(layers, heads, metrics, metric, options));
    measured += (measured.empty() ? "" : ", ") +
                labelWithUnit(std::string(headMetricLabel(metric)), std::string(headMetricUnit(metric)));
  }
  figure.caption = fmt::format("Attention heads{}: {}; means over all queries.",
                               options.model.empty() ? "" : " of " + options.model, measured);
  return figure;
}

}  // namespace vitrine::core
