#include "core/methods/support/summaries.h"

#include <algorithm>
#include <cmath>

namespace vitrine::core::methods {

double finiteMedian(std::vector<double> values) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  std::ranges::sort(values);
  return values.empty() ? std::nan("") : values[values.size() / 2];
}

LineSeries unmarked(LineSeries line, std::size_t style) {
  line.style = seriesStyle(style);
  line.style->marker = Marker::kNone;
  line.style->dash.clear();
  return line;
}

LineSeries dashed(LineSeries line, std::size_t style) {
  line = unmarked(std::move(line), style);
  line.style->dash = {3, 2};
  return line;
}

std::uint64_t seedOf(std::string_view name, std::uint64_t seed) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash + seed;
}

}  // namespace vitrine::core::methods
