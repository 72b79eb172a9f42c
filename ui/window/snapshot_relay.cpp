#include "ui/window/snapshot_relay.h"

#include <algorithm>

namespace vitrine::ui {

SnapshotRelay::SnapshotRelay(QObject* parent) : QObject(parent) {
  timer_.setSingleShot(true);
  timer_.setTimerType(Qt::PreciseTimer);
  connect(&timer_, &QTimer::timeout, this, &SnapshotRelay::deliver);
}

void SnapshotRelay::setSource(Source source) {
  source_ = std::move(source);
  delivered_ = false;
  deliver();
}

void SnapshotRelay::wake() {
  if (woken_.exchange(true)) return;
  QMetaObject::invokeMethod(this, &SnapshotRelay::schedule, Qt::QueuedConnection);
}

void SnapshotRelay::schedule() {
  if (timer_.isActive()) return;
  const qint64 elapsed = since_last_.isValid() ? since_last_.elapsed() : frame_ms_;
  timer_.start(int(std::clamp<qint64>(frame_ms_ - elapsed, 0, frame_ms_)));
}

void SnapshotRelay::deliver() {
  woken_ = false;  // before reading: what is published from here on wakes again
  if (!source_) return;
  const auto snapshot = source_();
  if (!snapshot || (delivered_ && snapshot->sequence == last_sequence_)) return;
  delivered_ = true;
  last_sequence_ = snapshot->sequence;
  since_last_.start();
  emit arrived(snapshot);
}

}  // namespace vitrine::ui
