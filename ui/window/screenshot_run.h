// Drives the window without a user: waits until the model has generated, then writes screenshots (dark,
// light, small) and the figures of a head, and ends.
#pragma once

#include "ui/window/figure_exporter.h"
#include "ui/window/main_window.h"

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

#include <deque>
#include <filesystem>
#include <functional>

namespace vitrine::ui {

class ScreenshotRun : public QObject {
  Q_OBJECT

 public:
  ScreenshotRun(MainWindow& window, ThemeController& theme, Selection& selection, FigureExporter& exporter,
                std::filesystem::path folder, QObject* parent = nullptr);
  // Another tab, shot (dark) as soon as it says that it shows everything, and at last as it is.
  void addTab(int tab, QString file, std::function<bool()> complete);

 signals:
  void finished(const QString& error);  // empty: all written

 private:
  void poll();
  bool hasGenerated() const;
  bool pictureIsCurrent() const;  // of the selected head, and of all tokens
  void settle();                  // goes on as soon as the pictures follow the last change
  void lockStrongestKey();
  void planShots();
  void nextStep();
  void shoot(const QString& name);

  MainWindow& window_;
  ThemeController& theme_;
  Selection& selection_;
  FigureExporter& exporter_;
  struct Tab {
    int index = 0;
    QString file;
    std::function<bool()> complete;
  };
  void planTab(const Tab& tab);

  QString folder_;
  std::vector<Tab> tabs_;
  std::function<bool()> shown_;  // what settling waits for
  QTimer timer_;
  QTimer settling_;
  QElapsedTimer clock_, settling_since_;
  std::deque<std::function<void()>> steps_;
};

}  // namespace vitrine::ui
