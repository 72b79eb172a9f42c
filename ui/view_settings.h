// How maps are drawn: shared by the view bar, the range dock, the canvas and the figure export, so that all
// of them show the same picture. Lives on the UI thread.
#pragma once

#include "core/engine/engine_types.h"
#include "core/figure/colormap.h"

#include <QObject>

#include <string_view>

namespace vitrine::ui {

enum class Scale { kLinear, kLog };

// Those for probabilities; the diverging map is for differences.
inline constexpr core::ColormapId kSequentialMaps[] = {core::ColormapId::kViridis, core::ColormapId::kCividis,
                                                       core::ColormapId::kMagma, core::ColormapId::kGrey};
std::string_view name(Scale scale);  // "linear", "log"

// Probabilities that get the first and the last colour; on a log scale `low` is above 0.
struct Range {
  double low = 1e-4, high = 1.0;
  bool operator==(const Range&) const = default;
};

inline constexpr double kLowestProbability = 1e-8;  // left end of the histogram and of the log scale

// Where `probability` lies between the range's ends on this scale, clamped to 0..1.
double position(double probability, Range range, Scale scale);
// The probability at `t` (0..1) of the way through the range; the inverse of position().
double probabilityAt(double t, Range range, Scale scale);

class ViewSettings : public QObject {
  Q_OBJECT

 public:
  explicit ViewSettings(QObject* parent = nullptr);

  core::ColormapId colormap() const { return colormap_; }
  Scale scale() const { return scale_; }
  Range range() const {
    return scale_ == Scale::kLog ? log_range_ : linear_range_;
  }  // each scale keeps its own
  core::Pooling pooling() const { return pooling_; }
  double position(double probability) const { return ui::position(probability, range(), scale_); }

  void setColormap(core::ColormapId map);
  void setScale(Scale scale);
  void setRange(Range range);  // put in order and into 0..1 (kLowestProbability..1 on a log scale)
  void resetRange();
  void setPooling(core::Pooling pooling);

 signals:
  void changed();

 private:
  core::ColormapId colormap_ = core::ColormapId::kViridis;
  Scale scale_ = Scale::kLog;
  Range log_range_{1e-4, 1.0}, linear_range_{0.0, 1.0};
  core::Pooling pooling_ = core::Pooling::kMax;
};

}  // namespace vitrine::ui
