// What a tab of the window holds: the contract between the window and a view (Attention today). The window
// hands on every snapshot and theme, collects the probes, and asks for the picture when a screenshot is
// saved.
#pragma once

#include <memory>

#include "core/engine/engine_types.h"
#include "ui/theme/tokens.h"

#include <QImage>
#include <QObject>
#include <QWidget>

namespace vitrine::ui {

class View : public QObject {
  Q_OBJECT

 public:
  using QObject::QObject;

  virtual QString title() const = 0;  // of the tab
  virtual QWidget* widget() = 0;      // what the tab shows; a canvas comes in a createWindowContainer
  virtual void setSnapshot(std::shared_ptr<const core::Snapshot> snapshot) = 0;
  virtual void setTheme(const Theme& theme) = 0;
  virtual core::ProbeRequest probes()
      const = 0;                   // what the view wants to see; the window adds the row of the query
  virtual QImage grabImage() = 0;  // what is on the canvas, in device pixels; widget().grab() cannot see it

  virtual void fit() = 0;                // the whole map
  virtual void zoom(double factor) = 0;  // about the middle of the map
  virtual void actualSize() = 0;         // one cell a pixel

 signals:
  void probesChanged();
};

}  // namespace vitrine::ui
