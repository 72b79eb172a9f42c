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
  QString message() const;  // as shown
  QString details() const;  // as copied: the message and its causes

 signals:
  void dismissed();

 private:
  QLabel* text_;
  QString details_;
};

// The error as a sentence for people, the first line: what happened; "details" holds the rest.
QString headline(const Error& error);

}  // namespace vitrine::ui
