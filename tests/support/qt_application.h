// The one QApplication of a test executable, without a display. Tests that need Qt call it first.
#pragma once

#include <QApplication>

namespace vitrine::tests {

inline QApplication& qtApplication() {
  static int argc = 1;
  static char name[] = "vitrine_ui_tests";
  static char* argv[] = {name, nullptr};
  if (!QCoreApplication::instance()) {
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
    new QApplication(argc, argv);  // lives as long as the process
  }
  return dynamic_cast<QApplication&>(*QCoreApplication::instance());
}

}  // namespace vitrine::tests
