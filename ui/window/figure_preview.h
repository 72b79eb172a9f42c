// A figure as it will be printed: on white, at the size of the page or as large as fits.
#pragma once

#include <QDialog>
#include <QImage>

namespace vitrine::ui {

class FigurePreview : public QDialog {
  Q_OBJECT

 public:
  FigurePreview(QImage image, const QString& caption, QWidget* parent);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QImage image_;
};

}  // namespace vitrine::ui
