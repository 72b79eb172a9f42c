// Spin boxes for settings that can be off: the neutral value is written as a word.
#pragma once

#include <QDoubleSpinBox>
#include <QSpinBox>

#include <utility>

namespace vitrine::ui {

class NamedSpinBox : public QSpinBox {
  Q_OBJECT

 public:
  // `name` stands for `value` ("off" for 0).
  NamedSpinBox(int value, QString name, QWidget* parent = nullptr);

 protected:
  QString textFromValue(int value) const override;
  int valueFromText(const QString& text) const override;
  QValidator::State validate(QString& text, int& position) const override;

 private:
  int named_;
  QString name_;
};

class NamedDoubleSpinBox : public QDoubleSpinBox {
  Q_OBJECT

 public:
  NamedDoubleSpinBox(double value, QString name, QWidget* parent = nullptr);

 protected:
  QString textFromValue(double value) const override;
  double valueFromText(const QString& text) const override;
  QValidator::State validate(QString& text, int& position) const override;

 private:
  bool isNamed(double value) const;

  double named_;
  QString name_;
};

}  // namespace vitrine::ui
