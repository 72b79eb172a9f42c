// Small figures and a text measure without fonts, for the tests of core/figure and ui/figure.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/figure/attention_figures.h"
#include "core/figure/drawing.h"

namespace vitrine::core::testing {

// Every code point is 0.6 em wide: a monospaced font without a font.
class FixedMeasure : public TextMeasure {
 public:
  TextExtent measure(std::string_view utf8, const TextFont& font) const override {
    std::size_t points = 0;
    for (char c : utf8) points += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return {0.6 * font.size * static_cast<double>(points), 0.95 * font.size, 0.25 * font.size,
            0.72 * font.size};
  }
};

// A causal softmax of smooth scores; masked cells are -1.
inline std::vector<float> causalAttention(std::size_t tokens, double phase = 0) {
  std::vector<float> values(tokens * tokens, -1.0f);
  for (std::size_t q = 0; q < tokens; ++q) {
    auto score = [&](std::size_t k) {
      return std::exp(3 * std::sin(0.37 * static_cast<double>(q) + 1.3 * static_cast<double>(k) + phase));
    };
    double sum = 0;
    for (std::size_t k = 0; k <= q; ++k) sum += score(k);
    for (std::size_t k = 0; k <= q; ++k) values[q * tokens + k] = static_cast<float>(score(k) / sum);
  }
  return values;
}

inline std::vector<std::string> tokenLabels(std::size_t tokens) {
  static const std::vector<std::string> kWords = {"Once", "·upon", "·a",           "·time",
                                                  ",",    "·the",  "·skyscrapers", "⏎"};
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < tokens; ++i) labels.push_back(kWords[i % kWords.size()]);
  return labels;
}

inline Figure attentionMap(std::size_t tokens, const AttentionFigureOptions& options = {}) {
  std::vector<float> values = causalAttention(tokens);
  return attentionMapFigure({tokens, values}, tokenLabels(tokens), {}, options).value();
}

inline HeatMap heatMap(std::size_t rows, std::size_t columns, std::vector<float> values) {
  HeatMap map;
  map.rows = rows;
  map.columns = columns;
  map.values = std::move(values);
  map.color.quantity = "quantity";
  return map;
}

inline Figure figureOf(Panel panel) {
  Figure figure;
  figure.name = "test";
  figure.panels.push_back(std::move(panel));
  return figure;
}

inline Figure lineFigure() {
  Panel panel;
  panel.x = {"context", "tokens", AxisScale::kLog};
  panel.y = {"throughput", "tokens/s"};
  for (const char* label : {"full cache", "SnapKV, budget 1024", "H2O"}) {
    LineSeries series;
    series.label = label;
    for (double x = 256; x < 40000; x *= 2) {
      series.x.push_back(x);
      series.y.push_back(120 / (1 + x / 6000 / static_cast<double>(panel.lines.size() + 1)));
    }
    panel.lines.push_back(std::move(series));
  }
  return figureOf(std::move(panel));
}

inline Figure barFigure() {
  Panel panel;
  panel.x.label = "method";
  panel.x.categories = {"full", "SnapKV", "H2O"};
  panel.y.label = "perplexity";
  panel.bars.push_back({"4k", {12.1, 12.4, 12.9}, {0.2, 0.2, 0.3}});
  panel.bars.push_back({"16k", {11.2, 11.9, 12.7}});
  return figureOf(std::move(panel));
}

inline Figure metricsFigure(std::size_t layers, std::size_t heads) {
  std::vector<std::uint32_t> numbers;
  std::vector<HeadMetrics> metrics;
  for (std::size_t l = 0; l < layers; ++l) {
    numbers.push_back(static_cast<std::uint32_t>(l));
    for (std::size_t h = 0; h < heads; ++h) {
      double x = static_cast<double>(l * heads + h) / static_cast<double>(layers * heads);
      metrics.push_back({3 * x, x, 1 - x, x * x, std::nan("")});
    }
  }
  return headMetricsFigure(numbers, heads, metrics, {}).value();
}

inline Figure overviewFigure(std::size_t layers, std::size_t heads, std::size_t tokens) {
  std::vector<std::uint32_t> numbers;
  for (std::size_t l = 0; l < layers; ++l) numbers.push_back(static_cast<std::uint32_t>(l));
  std::vector<float> values = causalAttention(tokens);
  auto matrix = [&](std::size_t, std::size_t) -> Result<AttentionMatrix> {
    return AttentionMatrix{tokens, values};
  };
  return attentionOverviewFigure(numbers, heads, matrix, {}).value();
}

}  // namespace vitrine::core::testing
