#include "core/figure/ticks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace vitrine::core {
namespace {

constexpr double kSlack = 1e-9;  // of a step: a bound that misses a tick by rounding still gets it

// The smallest of 1, 2, 5, 10 .. times a power of ten that is at least `raw`.
double roundStep(double raw) {
  double power = std::pow(10, std::floor(std::log10(raw)));
  for (double multiple : {1.0, 2.0, 5.0})
    if (multiple * power >= raw * (1 - kSlack)) return multiple * power;
  return 10 * power;
}

std::vector<Tick> ticksAt(double low, double high, double step) {
  std::vector<Tick> ticks;
  double first = std::ceil(low / step - kSlack);
  double last = std::floor(high / step + kSlack);
  for (double i = first; i <= last; ++i)
    ticks.push_back({i * step + 0.0, formatTick(i * step, step)});  // no -0
  return ticks;
}

std::string withMinus(std::string text) {
  if (!text.empty() && text.front() == '-') text.replace(0, 1, "−");
  return text;
}

std::string withoutTrailingZeros(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

std::string superscript(int value) {
  static constexpr std::array kDigits = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text;
  for (char c : std::to_string(value)) text += c == '-' ? "⁻" : kDigits[static_cast<std::size_t>(c - '0')];
  return text;
}

std::string formatTick(double value, double step) {
  if (std::abs(value) < step * kSlack) return "0";
  double largest = std::max(std::abs(value), step);
  if (largest >= 1e5 || largest < 1e-3) {
    int exponent = static_cast<int>(std::floor(std::log10(std::abs(value)) + kSlack));
    double mantissa = value / std::pow(10, exponent);
    int decimals = std::clamp(exponent - static_cast<int>(std::floor(std::log10(step) + kSlack)), 0, 9);
    std::string text = fmt::format("{:.{}f}", mantissa, decimals);
    return withMinus(withoutTrailingZeros(text)) + "×10" + superscript(exponent);
  }
  int decimals = std::clamp(-static_cast<int>(std::floor(std::log10(step) + kSlack)), 0, 12);
  return withMinus(fmt::format("{:.{}f}", value, decimals));
}

std::vector<Tick> linearTicks(double low, double high, std::size_t most) {
  if (!(low < high) || most == 0) return {};
  double step = roundStep((high - low) / static_cast<double>(most));
  std::vector<Tick> ticks = ticksAt(low, high, step);
  while (ticks.size() > most) ticks = ticksAt(low, high, step = roundStep(step * 1.5));
  return ticks;
}

std::vector<Tick> integerTicks(double low, double high, std::size_t most) {
  if (!(low < high) || most == 0) return {};
  double step = std::max(1.0, roundStep((high - low) / static_cast<double>(most)));
  std::vector<Tick> ticks = ticksAt(low, high, step);
  while (ticks.size() > most) ticks = ticksAt(low, high, step = roundStep(step * 1.5));
  for (Tick& tick : ticks) tick.label = withMinus(fmt::format("{:.0f}", tick.value));
  return ticks;
}

std::vector<Tick> logTicks(double low, double high, std::size_t most) {
  if (!(0 < low && low < high) || most == 0) return {};
  int first = static_cast<int>(std::ceil(std::log10(low) - kSlack));
  int last = static_cast<int>(std::floor(std::log10(high) + kSlack));
  if (last <= first) return linearTicks(low, high, most);
  int stride = 1;
  while ((last - first) / stride + 1 > static_cast<int>(most)) ++stride;
  bool plain = first >= -2 && last <= 4;
  // One or two decades alone would name too few places: 2 and 5 times get their names too.
  bool between = last - first < 2 && plain && most >= 5;
  auto name = [plain](double value, int exponent) {
    return plain ? formatTick(value, std::min(std::pow(10, exponent), 1.0)) : "10" + superscript(exponent);
  };
  std::vector<Tick> ticks;
  for (int exponent = first - 1; exponent <= last; ++exponent) {
    double decade = std::pow(10, exponent);
    // Decades count from the top, so that 1 of a probability is always named.
    bool named = (last - exponent) % stride == 0;
    if (exponent >= first) ticks.push_back({decade, named ? name(decade, exponent) : ""});
    if (stride > 1) continue;
    for (int multiple = 2; multiple <= 9; ++multiple) {
      double value = multiple * decade;
      if (value < low * (1 - kSlack) || value > high * (1 + kSlack)) continue;
      ticks.push_back({value, between && (multiple == 2 || multiple == 5) ? name(value, exponent) : ""});
    }
  }
  return ticks;
}

}  // namespace vitrine::core
