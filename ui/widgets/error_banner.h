// What went wrong, above the picture, without stopping anything: the message, Copy details, Dismiss.
#pragma once

#include "gpu/error.h"

#include <QFrame>
#include <QLabel>

#include <optional>

namespace vitrine::ui {

class ErrorBanner : public QFrame {
  Q_OBJECT

 public:
  explicit ErrorBanner(QWidget* parent = nullptr);

  // Shows the error and stays until dismissed or until there is none.
  void setError(const std::optional<Error>& error);
  QString details() const;  // the message and its causes, as shown and copied

 signals:
  void dismissed();

 private:
  QLabel* text_;
  QString details_;
};

}  // namespace vitrine::ui
