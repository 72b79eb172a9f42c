// The right dock's third part: what the view shows as a figure for a paper. Chooses; the window exports.
#pragma once

#include "ui/docks/dock.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/menu_field.h"

#include <QCheckBox>
#include <QComboBox>
#include <QPushButton>
#include <QSpinBox>

class QSettings;

namespace vitrine::ui {

struct FigureChoice {
  QString preset;       // "icml-column"
  QStringList formats;  // "pdf", "svg", ..
  int dpi = 300;        // of raster formats
  QString folder;
  int content = 0;  // which of the view's figures
};

class FigureDock : public Dock {
  Q_OBJECT

 public:
  explicit FigureDock(const ThemeController& theme, QWidget* parent = nullptr);

  FigureChoice choice() const;
  void setFolder(const QString& folder);
  void setAvailable(bool available);                 // there is something to export
  void setContents(const QStringList& names);        // the view's figures; a choice where there are several
  void setResult(const QString& text, bool failed);  // of the last export, beneath the buttons

  void save(QSettings& settings) const;
  void restore(const QSettings& settings);

 signals:
  void exportRequested();
  void previewRequested();
  void copyRequested();
  void chooseFolder();

 private:
  void buildFormats();
  void updateButtons();

  QLabel* content_label_ = nullptr;
  QComboBox* content_;
  QComboBox* preset_;
  MenuField* formats_field_;
  std::vector<QCheckBox*> formats_;
  QSpinBox* dpi_;
  ElidedLabel *folder_, *result_;
  QPushButton *export_, *preview_, *copy_;
  bool available_ = false;
};

}  // namespace vitrine::ui
