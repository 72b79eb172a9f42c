#include "ui/docks/range_dock.h"

namespace vitrine::ui {

RangeDock::RangeDock(const ThemeController& theme, ViewSettings& settings, QWidget* parent)
    : Dock(theme, "range_dock", tr("Range"), Overflow::kHandled, parent),
      histogram_(new RangeHistogram(theme, settings, this)) {
  auto* part = addPadded();
  part->addSpacing(4);
  part->addWidget(histogram_);
  body()->addStretch();
  auto note = [this, &settings] { setNote(QString::fromUtf8(name(settings.scale()).data())); };
  connect(&settings, &ViewSettings::changed, this, note);
  note();
}

void RangeDock::setSnapshot(const core::Snapshot& snapshot) {
  histogram_->setHistogram(snapshot.map ? snapshot.map->histogram : std::vector<std::uint32_t>{});
  const bool implied =
      snapshot.map && snapshot.model && !snapshot.model->impliedBy(snapshot.map->request.layer).empty();
  histogram_->setQuantity(implied ? tr("implied attention") : tr("attention probability"));
}

}  // namespace vitrine::ui
