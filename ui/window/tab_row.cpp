#include "ui/window/tab_row.h"

#include "ui/widgets/state_page.h"

#include <QHBoxLayout>

namespace vitrine::ui {

QString activityText(const core::Snapshot& snapshot, double pace) {
  switch (snapshot.state) {
    case core::EngineState::kEmpty:
      return {};
    case core::EngineState::kLoading:
    case core::EngineState::kPrefilling:
      return progressText(snapshot);
    case core::EngineState::kGenerating:
      return pace > 0 ? TabRow::tr("live · %1 tokens/s").arg(pace) : QString();  // the view says "live"
    case core::EngineState::kReady:
      break;
  }
  switch (snapshot.stop) {
    case core::StopReason::kNone:
      return {};
    case core::StopReason::kEndOfText:
      return TabRow::tr("ended: end of text");
    case core::StopReason::kLength:
      return TabRow::tr("ended: max tokens reached");
    case core::StopReason::kUser:
      return TabRow::tr("stopped");
    case core::StopReason::kContextFull:
      return TabRow::tr("ended: context is full");
  }
  return {};
}

QString selectionText(const Selection& selection) {
  if (selection.layers() == 0) return {};
  const Head head = selection.head();
  QString text = TabRow::tr("Layer %1 · Head %2").arg(head.layer).arg(head.head);
  if (const auto query = selection.query())
    text += TabRow::tr(" · query %1 of %2").arg(*query).arg(selection.tokens());
  return text;
}

TabRow::TabRow(const ThemeController& theme, const Selection& selection, QWidget* parent)
    : QWidget(parent),
      selection_(selection),
      tabs_(new QTabBar(this)),
      selected_(new ElidedLabel(this)),
      activity_(new ElidedLabel(this)),
      cancel_(new QPushButton(tr("Cancel"), this)) {
  setObjectName("tab_row");
  setProperty("role", "bar");
  setAttribute(Qt::WA_StyledBackground);
  tabs_->setDrawBase(false);
  tabs_->setExpanding(false);
  selected_->setToolTip(tr("The selected layer, head and query"));
  for (auto* label : {selected_, activity_}) {
    label->setProperty("role", "secondary");
    label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  }
  activity_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  cancel_->setObjectName("cancel");
  cancel_->hide();
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 12, 0);
  row->setSpacing(16);
  row->addWidget(tabs_, 0, Qt::AlignBottom);
  row->addWidget(activity_, 1);
  row->addWidget(cancel_);
  row->addWidget(selected_);
  connect(tabs_, &QTabBar::currentChanged, this, &TabRow::tabChosen);
  connect(cancel_, &QPushButton::clicked, this, &TabRow::cancelRequested);
  connect(&selection_, &Selection::headChanged, this, &TabRow::showSelection);
  connect(&selection_, &Selection::cellChanged, this, &TabRow::showSelection);
  connect(&selection_, &Selection::extentChanged, this, &TabRow::showSelection);
  auto size = [this, &theme] { setFixedHeight(theme.sizes().tabs); };
  connect(&theme, &ThemeController::changed, this, size);
  size();
}

void TabRow::showSelection() {
  selected_->setFullText(note_.isEmpty() ? selectionText(selection_) : note_);
}

void TabRow::setNote(const QString& note) {
  if (std::exchange(note_, note) == note) return;
  selected_->setToolTip(note.isEmpty() ? tr("The selected layer, head and query") : QString());
  showSelection();
}

void TabRow::setSnapshot(const core::Snapshot& snapshot, double pace) {
  activity_->setFullText(activityText(snapshot, pace));
  const bool cancellable = snapshot.state == core::EngineState::kPrefilling ||
                           (snapshot.state == core::EngineState::kLoading && snapshot.model);
  cancel_->setVisible(cancellable);
}

}  // namespace vitrine::ui
