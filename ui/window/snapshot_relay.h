// Brings snapshots from the engine's thread to the UI thread: however many are published, the UI thread is
// woken once and sees the newest, at most once a frame of the display.
#pragma once

#include "core/engine/engine_types.h"

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

#include <atomic>
#include <functional>
#include <memory>

namespace vitrine::ui {

class SnapshotRelay : public QObject {
  Q_OBJECT

 public:
  using Source = std::function<std::shared_ptr<const core::Snapshot>()>;

  explicit SnapshotRelay(QObject* parent = nullptr);
  void setSource(Source source);  // once the engine runs; delivers at once
  void setFrameInterval(int milliseconds) { frame_ms_ = milliseconds; }

  void wake();  // from any thread; never blocks

 signals:
  void arrived(std::shared_ptr<const vitrine::core::Snapshot> snapshot);

 private:
  void schedule();
  void deliver();

  Source source_;
  std::atomic<bool> woken_ = false;
  QTimer timer_;
  QElapsedTimer since_last_;
  int frame_ms_ = 16;
  std::uint64_t last_sequence_ = 0;
  bool delivered_ = false;
};

}  // namespace vitrine::ui
