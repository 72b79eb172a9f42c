#include "ui/window/settings_history.h"

#include <QElapsedTimer>
#include <QUndoCommand>

#include <functional>
#include <utility>

namespace vitrine::ui {
namespace {

using State = SettingsHistory::State;

class Change : public QUndoCommand {
 public:
  Change(State from, State to, int merge_ms, std::function<void(const State&)> apply)
      : from_(from), to_(to), merge_ms_(merge_ms), apply_(std::move(apply)) {
    age_.start();
    setText(to_.colormap != from_.colormap ? QStringLiteral("colour map")
            : to_.scale != from_.scale     ? QStringLiteral("scale")
            : to_.pooling != from_.pooling ? QStringLiteral("pooling")
                                           : QStringLiteral("range"));
  }

  void undo() override { apply_(from_); }
  void redo() override {
    if (done_) apply_(to_);  // the first time the settings have it already
    done_ = true;
  }

  int id() const override { return 1; }
  bool mergeWith(const QUndoCommand* other) override {
    const auto& next = static_cast<const Change&>(*other);
    if (next.text() != text() || age_.elapsed() > merge_ms_) return false;
    to_ = next.to_;
    age_.restart();
    return true;
  }

 private:
  State from_, to_;
  int merge_ms_;
  std::function<void(const State&)> apply_;
  QElapsedTimer age_;
  bool done_ = false;
};

}  // namespace

SettingsHistory::SettingsHistory(ViewSettings& settings, int merge_ms, QObject* parent)
    : QObject(parent), settings_(settings), merge_ms_(merge_ms), last_(current()) {
  connect(&settings_, &ViewSettings::changed, this, &SettingsHistory::record);
}

SettingsHistory::State SettingsHistory::current() const {
  return {settings_.colormap(), settings_.scale(), settings_.range(), settings_.pooling()};
}

void SettingsHistory::record() {
  const State now = current();
  if (applying_ || now == last_) return;
  const State before = std::exchange(last_, now);
  stack_.push(new Change(before, now, merge_ms_, [this](const State& state) {
    applying_ = true;
    settings_.setColormap(state.colormap);
    settings_.setScale(state.scale);
    settings_.setRange(state.range);
    settings_.setPooling(state.pooling);
    applying_ = false;
    last_ = current();
  }));
}

}  // namespace vitrine::ui
