// Where an axis has its ticks and what they say. Linear axes step by 1, 2 or 5 times a power of ten;
// logarithmic axes tick decades (or every second, third .. where there are many) with minor ticks at 2 to 9
// times.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace vitrine::core {

struct Tick {
  double value = 0;
  std::string label;  // empty: a minor tick
};

// At most `most` labelled ticks inside [low, high], which must be finite with low < high.
std::vector<Tick> linearTicks(double low, double high, std::size_t most);

// The same for places that are counted (cells, tokens, layers): whole numbers only.
std::vector<Tick> integerTicks(double low, double high, std::size_t most);

// 0 < low < high. Below one decade the ticks are those of a linear axis.
std::vector<Tick> logTicks(double low, double high, std::size_t most);

// "0.25", "−3", "2×10⁵", "10⁻⁴": with the digits that tell values `step` apart.
std::string formatTick(double value, double step);

std::string superscript(int value);  // -4 -> "⁻⁴"

}  // namespace vitrine::core
