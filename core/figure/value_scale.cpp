#include "core/figure/value_scale.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vitrine::core {
namespace {

Result<void> checkRange(const ValueScale& scale, std::string_view what) {
  if (!std::isfinite(scale.low) || !std::isfinite(scale.high) || scale.low >= scale.high)
    return fail(ErrorCode::kInvalidArgument,
                "range {} .. {} of \"{}\" is empty; give a minimum below the maximum", scale.low, scale.high,
                what);
  if (scale.kind == AxisScale::kLog && scale.low <= 0)
    return fail(ErrorCode::kInvalidArgument,
                "logarithmic range of \"{}\" starts at {}; give a minimum above zero or a linear scale", what,
                scale.low);
  return {};
}

// Moves the bound that the caller left open away from the other when both are equal or the wrong way round.
void separate(ValueScale& scale, bool low_given, bool high_given) {
  if (scale.low < scale.high || (low_given && high_given)) return;
  if (scale.kind == AxisScale::kLog) {
    if (high_given)
      scale.low = scale.high / 10;
    else if (low_given)
      scale.high = scale.low * 10;
    else
      scale.low /= 2, scale.high *= 2;
    return;
  }
  double step = std::max(std::abs(scale.low), std::abs(scale.high)) * 0.5;
  if (step == 0) step = 1;
  if (high_given)
    scale.low = scale.high - step;
  else if (low_given)
    scale.high = scale.low + step;
  else
    scale.low -= step, scale.high += step;
}

}  // namespace

double ValueScale::position(double value) const {
  if (kind == AxisScale::kLinear) return (value - low) / (high - low);
  if (!(value > 0)) return std::isnan(value) ? value : -std::numeric_limits<double>::infinity();
  return std::log(value / low) / std::log(high / low);
}

std::vector<Tick> ValueScale::ticks(std::size_t most) const {
  return kind == AxisScale::kLog ? logTicks(low, high, most) : linearTicks(low, high, most);
}

Result<ResolvedColors> resolveColors(const ColorScale& color, std::span<const float> values,
                                     std::span<const std::uint8_t> mask) {
  ResolvedColors resolved;
  double low = std::numeric_limits<double>::infinity(), high = -low, smallest_positive = low;
  bool whole = mask.size() == values.size();  // spares a division a cell
  auto isMasked = [&](std::size_t i) { return !mask.empty() && mask[whole ? i : i % mask.size()] != 0; };
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (isMasked(i)) {
      ++resolved.masked;
      continue;
    }
    if (!std::isfinite(values[i])) {
      ++resolved.not_finite;
      continue;
    }
    double value = values[i];
    low = std::min(low, value);
    high = std::max(high, value);
    if (value > 0) smallest_positive = std::min(smallest_positive, value);
  }
  if (low > high) low = 0, high = 1, smallest_positive = 0.1;  // nothing is shown

  ValueScale& scale = resolved.scale;
  scale.kind = color.scale;
  if (color.scale == AxisScale::kLog) {
    // Six decades at most: below that a stray tiny probability would take the whole map's contrast.
    high = high > 0 ? high : 1;
    low = std::max(std::min(smallest_positive, high), high * 1e-6);
  }
  scale.low = color.minimum.value_or(low);
  scale.high = color.maximum.value_or(high);
  separate(scale, color.minimum.has_value(), color.maximum.has_value());
  if (color.map == ColormapId::kDiverging && color.scale == AxisScale::kLinear) {
    scale.high = std::max(std::abs(scale.low), std::abs(scale.high));
    scale.low = -scale.high;
  }
  TRY(checkRange(scale, color.quantity));

  // The colour of a value is decided in float32, like the values; so is what lies outside.
  float float_low = static_cast<float>(scale.low), float_high = static_cast<float>(scale.high);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (isMasked(i) || !std::isfinite(values[i])) continue;
    resolved.below += values[i] < float_low;
    resolved.above += values[i] > float_high;
  }
  return resolved;
}

Result<ValueScale> resolveAxis(const Axis& axis, double low, double high, bool from_zero) {
  ValueScale scale;
  scale.kind = axis.scale;
  bool log = axis.scale == AxisScale::kLog;
  if (low > high) low = log ? 0.1 : 0, high = 1;
  if (from_zero && !log) low = std::min(low, 0.0), high = std::max(high, 0.0);
  double margin = log ? 0 : 0.04 * (high - low);
  double log_margin = log && low > 0 ? std::pow(high / low, 0.04) : 1;
  scale.low = axis.minimum.value_or(log ? low / log_margin : (from_zero && low == 0 ? 0 : low - margin));
  scale.high = axis.maximum.value_or(log ? high * log_margin : (from_zero && high == 0 ? 0 : high + margin));
  separate(scale, axis.minimum.has_value(), axis.maximum.has_value());
  TRY(checkRange(scale, axis.label));
  return scale;
}

}  // namespace vitrine::core
