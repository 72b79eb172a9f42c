#include "ui/methods/form_lines.h"

#include <QHBoxLayout>
#include <QLineEdit>

namespace vitrine::ui {

QString textOfView(std::string_view text) {
  return QString::fromUtf8(text.data(), qsizetype(text.size()));
}

QLabel* labelOf(const QString& text) {
  constexpr int kLeast = 84;
  auto* label = new QLabel(text);
  label->setProperty("role", "secondary");
  label->setMinimumWidth(kLeast);
  return label;
}

QWidget* lineOf(std::initializer_list<QWidget*> parts) {
  auto* line = new QWidget;
  auto* row = new QHBoxLayout(line);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(4);
  for (QWidget* part : parts) row->addWidget(part, qobject_cast<QLineEdit*>(part) ? 1 : 0);
  return line;
}

}  // namespace vitrine::ui
