#include "ui/widgets/adapter_list.h"

#include "ui/widgets/dock_title.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/icons.h"

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QMouseEvent>
#include <QSignalBlocker>
#include <QSlider>

#include <cmath>

namespace vitrine::ui {
namespace {

constexpr double kLeast = -1, kMost = 2;  // of the slider
constexpr double kLargest = 100;          // of the field
constexpr int kSteps = 100;               // of the slider, a unit
constexpr double kFieldStep = 0.05;
constexpr int kFieldWidth = 68;

// Back to 1, the adapter as it was trained, at a double click.
class ScaleSlider : public QSlider {
 public:
  using QSlider::QSlider;

 protected:
  void mouseDoubleClickEvent(QMouseEvent* event) override {
    setValue(kSteps);
    event->accept();
  }
};

QString details(const core::AdapterSummary& adapter) {
  return AdapterList::tr("%1\nrank %2 · α %3 · %4 linears · %5 M parameters")
      .arg(QString::fromStdString(adapter.folder.string()))
      .arg(adapter.rank)
      .arg(adapter.alpha)
      .arg(adapter.modules)
      .arg(double(adapter.parameters) / 1e6, 0, 'f', 2);
}

QString scaleHelp(const core::AdapterSummary& adapter) {
  if (adapter.merged) return AdapterList::tr("Merged into the weights: its scale stays as it was loaded");
  return AdapterList::tr(
      "Scale s: y = W x + s · α / r · B A x. 0 is the base model, 1 the adapter as it was trained.\nA double "
      "click sets 1.");
}

}  // namespace

AdapterList::AdapterList(const ThemeController& theme, QWidget* parent)
    : QWidget(parent), theme_(theme), rows_(new QVBoxLayout) {
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(0, 0, 0, 0);
  all->setSpacing(0);
  all->addWidget(new SectionHeader(theme, tr("Adapters"), this));
  rows_->setContentsMargins(12, 8, 8, 8);
  rows_->setSpacing(8);
  all->addLayout(rows_);
  hide();
}

void AdapterList::setAdapters(const std::vector<core::AdapterSummary>& adapters) {
  while (QLayoutItem* item = rows_->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  for (std::uint32_t i = 0; i < adapters.size(); ++i) addRow(i, adapters[i]);
  setVisible(!adapters.empty());
}

void AdapterList::addRow(std::uint32_t index, const core::AdapterSummary& adapter) {
  auto* row = new QWidget(this);
  auto* grid = new QGridLayout(row);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setHorizontalSpacing(8);
  grid->setVerticalSpacing(4);
  grid->setColumnStretch(0, 1);
  auto* name = new ElidedLabel(row);
  name->setFullText(QString::fromStdString(adapter.name));
  name->setToolTip(details(adapter));
  name->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
  auto* remove =
      new IconButton(theme_, Icon::kClose, tr("Remove this adapter; the model is loaded again"), row);
  remove->setObjectName("remove_adapter");
  auto* slider = new ScaleSlider(Qt::Horizontal, row);
  slider->setRange(int(kLeast * kSteps), int(kMost * kSteps));
  slider->setPageStep(kSteps / 4);
  auto* field = new QDoubleSpinBox(row);
  field->setRange(-kLargest, kLargest);
  field->setSingleStep(kFieldStep);
  field->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  field->setKeyboardTracking(false);
  field->setFixedWidth(kFieldWidth);
  for (QWidget* control : std::initializer_list<QWidget*>{slider, field}) {
    control->setAccessibleName(tr("Scale of %1").arg(QString::fromStdString(adapter.name)));
    control->setToolTip(scaleHelp(adapter));
    control->setEnabled(!adapter.merged);
  }
  slider->setValue(int(std::lround(double(adapter.scale) * kSteps)));
  field->setValue(double(adapter.scale));
  grid->addWidget(name, 0, 0);
  grid->addWidget(remove, 0, 1, Qt::AlignRight);
  grid->addWidget(slider, 1, 0);
  grid->addWidget(field, 1, 1);
  rows_->addWidget(row);
  connect(remove, &QToolButton::clicked, this, [this, index] { emit removeRequested(index); });
  connect(slider, &QSlider::valueChanged, field,
          [field](int value) { field->setValue(double(value) / kSteps); });
  connect(field, &QDoubleSpinBox::valueChanged, this, [this, index, slider](double scale) {
    const QSignalBlocker quiet(slider);  // which would round the field's number
    slider->setValue(int(std::lround(scale * kSteps)));
    emit scaleChanged(index, float(scale));
  });
}

}  // namespace vitrine::ui
