#include "core/figure/trace_figures.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/tensor/dequantize.h"

namespace vitrine::core {
namespace {

constexpr std::string_view kAttentionPrefix = "attention.";

// attention.L of one layer: heads x T x T floats, masked cells -1.
struct LayerAttention {
  std::size_t heads = 0, tokens = 0;
  std::vector<float> values;

  AttentionMatrix head(std::size_t h) const {
    return {tokens, std::span(values).subspan(h * tokens * tokens, tokens * tokens)};
  }
};

std::string shapeText(const TensorEntry& entry) {
  std::string text;
  for (std::uint64_t extent : entry.shape) text += (text.empty() ? "(" : ", ") + std::to_string(extent);
  return text.empty() ? "()" : text + ")";
}

// The numbers of the layers that the trace holds attention of, ascending.
std::vector<std::uint32_t> tracedLayers(const Checkpoint& trace) {
  std::vector<std::uint32_t> layers;
  for (const TensorEntry& entry : trace.tensors()) {
    if (!entry.name.starts_with(kAttentionPrefix)) continue;
    const char* begin = entry.name.data() + kAttentionPrefix.size();
    const char* end = entry.name.data() + entry.name.size();
    std::uint32_t layer = 0;
    auto [stop, status] = std::from_chars(begin, end, layer);
    if (status == std::errc() && stop == end && begin != end) layers.push_back(layer);
  }
  std::sort(layers.begin(), layers.end());
  return layers;
}

Result<const TensorEntry*> attentionOf(const Checkpoint& trace, std::uint32_t layer) {
  const TensorEntry* entry = trace.find(std::string(kAttentionPrefix) + std::to_string(layer));
  if (entry == nullptr) {
    std::vector<std::uint32_t> layers = tracedLayers(trace);
    if (layers.empty())
      return fail(ErrorCode::kNotFound,
                  "trace {} holds no attention; record it with vitrine trace --capture attention",
                  trace.path().string());
    return fail(ErrorCode::kNotFound,
                "trace {} holds no attention of layer {}; it has {} layers from {} to {}",
                trace.path().string(), layer, layers.size(), layers.front(), layers.back());
  }
  if (entry->shape.size() != 3 || entry->shape[1] != entry->shape[2] || !info(entry->dtype).floating)
    return fail(ErrorCode::kInvalidFile, "{} in trace {} is {} {}, expected floats of shape (heads, T, T)",
                entry->name, trace.path().string(), name(entry->dtype), shapeText(*entry));
  return entry;
}

// A causal softmax leaves exact zeros above the diagonal; a bidirectional one does not.
bool isCausal(const LayerAttention& layer) {
  for (std::size_t h = 0; h < layer.heads; ++h) {
    AttentionMatrix head = layer.head(h);
    for (std::size_t q = 0; q < layer.tokens; ++q)
      for (std::size_t k = q + 1; k < layer.tokens; ++k)
        if (head.row(q)[k] > 0) return false;
  }
  return true;
}

void maskAboveDiagonal(LayerAttention& layer) {
  for (std::size_t row = 0; row < layer.heads * layer.tokens; ++row) {
    auto begin = layer.values.begin() + static_cast<std::ptrdiff_t>(row * layer.tokens);
    std::fill(begin + static_cast<std::ptrdiff_t>(row % layer.tokens) + 1,
              begin + static_cast<std::ptrdiff_t>(layer.tokens), -1.0f);
  }
}

Result<LayerAttention> readLayer(const Checkpoint& trace, std::uint32_t number) {
  TRY_ASSIGN(const TensorEntry* entry, attentionOf(trace, number));
  LayerAttention layer = {entry->shape[0], entry->shape[1], {}};
  layer.values.resize(entry->elements());
  if (auto read = dequantize(entry->dtype, entry->bytes, layer.values); !read)
    return within("reading " + entry->name, std::move(read).error());
  if (layer.heads == 0 || layer.tokens == 0)
    return fail(ErrorCode::kInvalidFile, "{} in trace {} is empty: {}", entry->name, trace.path().string(),
                shapeText(*entry));
  if (isCausal(layer)) maskAboveDiagonal(layer);
  return layer;
}

template <typename T>
std::vector<std::int64_t> integers(std::span<const std::byte> bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return {values.begin(), values.end()};
}

Result<void> checkHead(const LayerAttention& layer, const AttentionFigureOptions& options) {
  if (options.head < layer.heads) return {};
  return fail(ErrorCode::kInvalidArgument, "head {} does not exist: layer {} has {} heads, counted from 0",
              options.head, options.layer, layer.heads);
}

Result<void> checkSameHeads(std::uint32_t first, std::size_t expected, std::uint32_t layer,
                            std::size_t found) {
  if (expected == found) return {};
  return fail(ErrorCode::kUnsupported,
              "layer {} has {} heads and layer {} has {}; this figure needs the same number", layer, found,
              first, expected);
}

Result<Figure> overviewFromTrace(const Checkpoint& trace, const AttentionFigureOptions& options) {
  std::vector<std::uint32_t> numbers = tracedLayers(trace);
  std::uint32_t first = numbers.empty() ? options.layer : numbers[0];
  TRY_ASSIGN(LayerAttention layer, readLayer(trace, first));
  std::size_t heads = layer.heads, loaded = 0;
  auto matrix = [&](std::size_t l, std::size_t h) -> Result<AttentionMatrix> {
    if (l != loaded) {
      TRY_ASSIGN(layer, readLayer(trace, numbers[l]));
      TRY(checkSameHeads(first, heads, numbers[l], layer.heads));
      loaded = l;
    }
    return layer.head(h);
  };
  return attentionOverviewFigure(numbers, heads, matrix, options);
}

Result<Figure> metricsFromTrace(const Checkpoint& trace, const AttentionFigureOptions& options) {
  std::vector<std::uint32_t> numbers = tracedLayers(trace);
  if (numbers.empty()) TRY(attentionOf(trace, options.layer));
  TRY_ASSIGN(std::vector<std::int64_t> ids, traceTokenIds(trace));
  std::vector<HeadMetrics> metrics;
  std::size_t heads = 0;
  for (std::uint32_t number : numbers) {
    TRY_ASSIGN(LayerAttention layer, readLayer(trace, number));
    if (heads == 0) heads = layer.heads;
    TRY(checkSameHeads(numbers[0], heads, number, layer.heads));
    for (std::size_t h = 0; h < heads; ++h) metrics.push_back(measureHead(layer.head(h), ids));
  }
  return headMetricsFigure(numbers, heads, metrics, options);
}

}  // namespace

std::span<const std::string_view> traceFigureNames() {
  static constexpr std::array<std::string_view, 4> kNames = {"attention-map", "attention-row",
                                                             "attention-overview", "head-metrics"};
  return kNames;
}

Result<std::vector<std::int64_t>> traceTokenIds(const Checkpoint& trace) {
  const TensorEntry* entry = trace.find("input_ids");
  if (entry == nullptr) return std::vector<std::int64_t>{};
  if (entry->dtype == DType::kI64) return integers<std::int64_t>(entry->bytes);
  if (entry->dtype == DType::kI32) return integers<std::int32_t>(entry->bytes);
  if (entry->dtype == DType::kU32) return integers<std::uint32_t>(entry->bytes);
  return fail(ErrorCode::kInvalidFile, "input_ids in trace {} is {}, expected I64 or I32",
              trace.path().string(), name(entry->dtype));
}

Result<Figure> figureFromTrace(const Checkpoint& trace, std::string_view name,
                               const AttentionFigureOptions& options,
                               const std::vector<std::string>& labels) {
  if (name == "attention-overview") return overviewFromTrace(trace, options);
  if (name == "head-metrics") return metricsFromTrace(trace, options);
  if (name != "attention-map" && name != "attention-row")
    return fail(ErrorCode::kInvalidArgument,
                "figure \"{}\" does not exist; choose one of attention-map, attention-row, "
                "attention-overview, head-metrics",
                name);
  TRY_ASSIGN(LayerAttention layer, readLayer(trace, options.layer));
  TRY(checkHead(layer, options));
  TRY_ASSIGN(std::vector<std::int64_t> ids, traceTokenIds(trace));
  std::vector<std::string> drawn = labels;
  if (drawn.empty() && ids.size() == layer.tokens)
    for (std::int64_t id : ids) drawn.push_back(std::to_string(id));
  if (name == "attention-row") return attentionRowFigure(layer.head(options.head), drawn, options);
  return attentionMapFigure(layer.head(options.head), drawn, ids, options);
}

}  // namespace vitrine::core
