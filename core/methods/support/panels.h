// Panels that several methods draw.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/figure/figure.h"

namespace vitrine::core::methods {

// A line for each kind of matrix over the layers in their names; names without a layer are left out, and the
// panel has no lines where none has one. Kinds beyond what a figure keeps apart are left out too.
Panel layerProfile(std::span<const std::string> names, std::span<const double> values, Axis axis);

// Over x, the median of the curves with a band from the least to the greatest; each of x's length. A NaN
// counts as absent.
LineSeries medianWithRange(std::string label, std::vector<double> x,
                           std::span<const std::vector<double>> curves);

}  // namespace vitrine::core::methods
