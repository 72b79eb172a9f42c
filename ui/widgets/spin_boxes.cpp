#include "ui/widgets/spin_boxes.h"

#include <cmath>

namespace vitrine::ui {

NamedSpinBox::NamedSpinBox(int value, QString name, QWidget* parent)
    : QSpinBox(parent), named_(value), name_(std::move(name)) {}

QString NamedSpinBox::textFromValue(int value) const {
  return value == named_ ? name_ : QSpinBox::textFromValue(value);
}

int NamedSpinBox::valueFromText(const QString& text) const {
  return text == name_ ? named_ : QSpinBox::valueFromText(text);
}

QValidator::State NamedSpinBox::validate(QString& text, int& position) const {
  if (name_.startsWith(text, Qt::CaseInsensitive))
    return text == name_ ? QValidator::Acceptable : QValidator::Intermediate;
  return QSpinBox::validate(text, position);
}

NamedDoubleSpinBox::NamedDoubleSpinBox(double value, QString name, QWidget* parent)
    : QDoubleSpinBox(parent), named_(value), name_(std::move(name)) {}

bool NamedDoubleSpinBox::isNamed(double value) const {
  return std::abs(value - named_) < std::pow(10.0, -decimals()) / 2;
}

QString NamedDoubleSpinBox::textFromValue(double value) const {
  return isNamed(value) ? name_ : QDoubleSpinBox::textFromValue(value);
}

double NamedDoubleSpinBox::valueFromText(const QString& text) const {
  return text == name_ ? named_ : QDoubleSpinBox::valueFromText(text);
}

QValidator::State NamedDoubleSpinBox::validate(QString& text, int& position) const {
  if (name_.startsWith(text, Qt::CaseInsensitive))
    return text == name_ ? QValidator::Acceptable : QValidator::Intermediate;
  return QDoubleSpinBox::validate(text, position);
}

}  // namespace vitrine::ui
