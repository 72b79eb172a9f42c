// Panels and rows that methods on fine-tunes share.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "core/figure/direction_maps.h"
#include "core/figure/figure.h"
#include "core/methods/analysis.h"

namespace vitrine::core::methods {

// mapPanel; of several matrices none of which has a layer in its name, the first one alone.
Result<Panel> mapsOfMatrices(const std::vector<std::string>& names, const std::vector<SquareMap>& maps,
                             const MapStyle& style);

// A line of many points, without markers, in the style of series `index`.
LineSeries plainLine(std::string label, std::vector<double> x, std::vector<double> y, std::size_t index);

// The kind in a matrix's name, as short as names go: "q_proj"; the whole name where it has no layer.
std::vector<std::string> kindsOf(std::span<const std::string> names);

double meanOf(std::span<const double> values);  // NaN of none
// Of value(item), where that is finite.
template <typename Item, typename ValueOf>
double meanOver(const std::vector<Item>& items, const ValueOf& value) {
  std::vector<double> values;
  for (const Item& item : items)
    if (const double one = value(item); std::isfinite(one)) values.push_back(one);
  return meanOf(values);
}

// `count` values from `from` to `to`, equally far apart as logarithms.
std::vector<double> logarithmicSteps(double from, double to, std::size_t count);

}  // namespace vitrine::core::methods
