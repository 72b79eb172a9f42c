// The right dock's second part: which probabilities get which colours.
#pragma once

#include "core/engine/engine_types.h"
#include "ui/docks/dock.h"
#include "ui/view_settings.h"
#include "ui/widgets/range_histogram.h"

namespace vitrine::ui {

class RangeDock : public Dock {
  Q_OBJECT

 public:
  RangeDock(const ThemeController& theme, ViewSettings& settings, QWidget* parent = nullptr);
  void setSnapshot(const core::Snapshot& snapshot);
  void fitToData() { histogram_->fitToData(); }

 private:
  RangeHistogram* histogram_;
};

}  // namespace vitrine::ui
