// The adapters of the loaded model, each with its scale: a slider for the usual range, a field for any
// number.
#pragma once

#include "core/engine/engine_types.h"
#include "ui/theme/theme_controller.h"

#include <QVBoxLayout>
#include <QWidget>

#include <vector>

namespace vitrine::ui {

class AdapterList : public QWidget {
  Q_OBJECT

 public:
  explicit AdapterList(const ThemeController& theme, QWidget* parent = nullptr);
  // Of a model that has just been loaded. From then on the rows hold the scales; the engine follows them.
  void setAdapters(const std::vector<core::AdapterSummary>& adapters);

 signals:
  void scaleChanged(std::uint32_t adapter, float scale);
  void removeRequested(std::uint32_t adapter);

 private:
  void addRow(std::uint32_t index, const core::AdapterSummary& adapter);

  const ThemeController& theme_;
  QVBoxLayout* rows_;
};

}  // namespace vitrine::ui
