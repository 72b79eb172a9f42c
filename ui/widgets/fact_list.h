// Lines of a name and a value, the value right-aligned in the mono face; each line has a tooltip with its
// formula and unit.
#pragma once

#include "ui/theme/theme_controller.h"

#include <QWidget>

#include <vector>

namespace vitrine::ui {

struct Fact {
  QString name, value, tooltip;
};

class FactList : public QWidget {
  Q_OBJECT

 public:
  explicit FactList(const ThemeController& theme, QWidget* parent = nullptr);
  void setFacts(std::vector<Fact> facts);
  const std::vector<Fact>& facts() const { return facts_; }
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;

 private:
  const ThemeController& theme_;
  std::vector<Fact> facts_;
};

}  // namespace vitrine::ui
