// The line at the window's foot: speed, GPU time, the views' share, cache, memory, device. Each field keeps
// its width, so that nothing moves while the numbers change; where there is no room the least important
// fields go first.
#pragma once

#include "core/engine/engine_types.h"
#include "ui/theme/theme_controller.h"

#include <QString>
#include <QWidget>

#include <array>

namespace vitrine::ui {

class StatusBar : public QWidget {
  Q_OBJECT

 public:
  enum Field { kSpeed, kGpuTime, kViews, kCache, kMemory, kFields };

  StatusBar(const ThemeController& theme, QString device, QWidget* parent = nullptr);

  void setSnapshot(const core::Snapshot& snapshot);
  QString value(Field field) const { return fields_[field].value; }
  bool isShown(Field field) const { return !fields_[field].rect.isEmpty(); }
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  bool event(QEvent* event) override;

 private:
  struct FieldState {
    QString before, value, after, widest,
        tooltip;  // "views" "+0.4" "ms"; `widest` is the longest value foreseen
    QRect rect;   // empty: no room
  };
  void arrange();
  int widthOf(const FieldState& field) const;
  void paintField(QPainter& painter, const FieldState& field);
  void paintMemory(QPainter& painter, const QRect& bar);
  QFont valueFont() const;

  const ThemeController& theme_;
  QString device_, device_shown_;
  QRect device_rect_;
  std::array<FieldState, kFields> fields_;
  gpu::MemoryUsage memory_;
  std::shared_ptr<const core::ModelSummary> model_;
};

}  // namespace vitrine::ui
