// What a tab of the window holds: the contract between the window and a view (Attention today). The window
// hands on every snapshot and theme, collects the probes, and asks for the picture when a screenshot is
// saved.
#pragma once

#include <memory>

#include "core/engine/engine_types.h"
#include "core/figure/figure.h"
#include "ui/theme/tokens.h"
#include "ui/widgets/fact_list.h"

#include <QImage>
#include <QObject>
#include <QStringList>
#include <QWidget>

namespace vitrine::ui {

// A part of the inspector: its header (empty: none) and what it lists.
struct InspectorSection {
  QString title;
  std::vector<Fact> facts;
};

// A figure that a view has made itself, with what its sidecar says.
struct ViewFigure {
  core::Figure figure;
  std::string base_name;  // of its files
  std::vector<std::pair<std::string, std::string>> parameters;
  std::filesystem::path model_path;
};

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

  // Where in the window grabImage() belongs.
  virtual QWidget* pictureWidget() { return widget(); }
  // Whether there is something to see only once the model has read something.
  virtual bool needsTokens() const { return true; }

  // In place of the selected head: beside the tabs, in the inspector, in figures. Empty: the head's.
  virtual QString note() const { return {}; }
  virtual std::optional<std::vector<InspectorSection>> inspection() const { return std::nullopt; }
  virtual QStringList figures() const { return {}; }  // what can be exported, by name
  virtual bool hasFigure() const { return false; }
  virtual std::optional<ViewFigure> figure(int) const { return std::nullopt; }  // index into figures()

  virtual void fit() = 0;                // the whole map
  virtual void zoom(double factor) = 0;  // about the middle of the map
  virtual void actualSize() = 0;         // one cell a pixel

 signals:
  void probesChanged();
  void described();  // note(), inspection() or figure() have changed
};

}  // namespace vitrine::ui
