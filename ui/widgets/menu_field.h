// Looks like a combo box, opens a panel of controls that stays open while one chooses.
#pragma once

#include <QComboBox>
#include <QMenu>

namespace vitrine::ui {

class MenuField : public QComboBox {
  Q_OBJECT

 public:
  explicit MenuField(QWidget* parent = nullptr);
  void setPanel(QWidget* panel);  // takes it
  void setText(const QString& text);
  void showPopup() override;

 private:
  QMenu* menu_;
};

}  // namespace vitrine::ui
