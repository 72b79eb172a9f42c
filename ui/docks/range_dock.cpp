#include "ui/docks/range_dock.h"

#include <QHBoxLayout>
#include <QPushButton>

namespace vitrine::ui {

RangeDock::RangeDock(const ThemeController& theme, ViewSettings& settings, QWidget* parent)
    : Dock(theme, "range_dock", tr("Range"), parent), histogram_(new RangeHistogram(theme, settings, this)) {
  auto* fit = new QPushButton(tr("Fit to data"), this);
  fit->setToolTip(tr("Set the range to where the visible probabilities lie"));
  auto* reset = new QPushButton(tr("Reset"), this);
  reset->setToolTip(tr("Back to 1e-4 … 1 (log) or 0 … 1 (linear)"));
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(8);
  buttons->addWidget(fit);
  buttons->addWidget(reset);
  buttons->addStretch();
  auto* part = addPadded();
  part->addSpacing(4);
  part->addWidget(histogram_);
  part->addSpacing(4);
  part->addLayout(buttons);
  part->addSpacing(4);
  body()->addStretch();
  auto note = [this, &settings] { setNote(QString::fromUtf8(name(settings.scale()).data())); };
  connect(&settings, &ViewSettings::changed, this, note);
  connect(fit, &QPushButton::clicked, histogram_, &RangeHistogram::fitToData);
  connect(reset, &QPushButton::clicked, &settings, &ViewSettings::resetRange);
  note();
}

void RangeDock::setSnapshot(const core::Snapshot& snapshot) {
  histogram_->setHistogram(snapshot.map ? snapshot.map->histogram : std::vector<std::uint32_t>{});
}

}  // namespace vitrine::ui
