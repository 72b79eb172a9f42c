#include "ui/view_settings.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui {
namespace {

constexpr Range kLogDefault{1e-4, 1.0};
constexpr Range kLinearDefault{0.0, 1.0};
constexpr double kNarrowestRatio = 1.05;  // of a log range's ends: keeps the two handles apart
constexpr double kNarrowest = 1e-4;       // of a linear range

}  // namespace

std::string_view name(Scale scale) {
  return scale == Scale::kLog ? "log" : "linear";
}

double position(double probability, Range range, Scale scale) {
  if (scale == Scale::kLog) {
    const double low = std::log(std::max(range.low, kLowestProbability));
    const double value = std::log(std::max(probability, kLowestProbability));
    return std::clamp((value - low) / (std::log(range.high) - low), 0.0, 1.0);
  }
  return std::clamp((probability - range.low) / (range.high - range.low), 0.0, 1.0);
}

double probabilityAt(double t, Range range, Scale scale) {
  t = std::clamp(t, 0.0, 1.0);
  if (scale == Scale::kLog) {
    const double low = std::log(std::max(range.low, kLowestProbability));
    return std::exp(low + t * (std::log(range.high) - low));
  }
  return range.low + t * (range.high - range.low);
}

ViewSettings::ViewSettings(QObject* parent) : QObject(parent) {}

void ViewSettings::setColormap(core::ColormapId map) {
  if (map == colormap_) return;
  colormap_ = map;
  emit changed();
}

void ViewSettings::setScale(Scale scale) {
  if (scale == scale_) return;
  scale_ = scale;
  emit changed();
}

void ViewSettings::setRange(Range range) {
  if (!std::isfinite(range.low) || !std::isfinite(range.high)) return;
  if (range.low > range.high) std::swap(range.low, range.high);
  if (scale_ == Scale::kLog) {
    range.high = std::clamp(range.high, kLowestProbability * kNarrowestRatio, 1.0);
    range.low = std::clamp(range.low, kLowestProbability, range.high / kNarrowestRatio);
  } else {
    range.high = std::clamp(range.high, kNarrowest, 1.0);
    range.low = std::clamp(range.low, 0.0, range.high - kNarrowest);
  }
  if (range == this->range()) return;
  (scale_ == Scale::kLog ? log_range_ : linear_range_) = range;
  emit changed();
}

void ViewSettings::resetRange() {
  setRange(scale_ == Scale::kLog ? kLogDefault : kLinearDefault);
}

void ViewSettings::setPooling(core::Pooling pooling) {
  if (pooling == pooling_) return;
  pooling_ = pooling;
  emit changed();
}

}  // namespace vitrine::ui
