// The models that were opened last, newest first, kept in the settings. What no longer exists is not offered.
#pragma once

#include <QSettings>
#include <QStringList>

namespace vitrine::ui {

class RecentFiles {
 public:
  static constexpr int kMost = 10;

  explicit RecentFiles(QSettings& settings);
  QStringList paths() const;  // existing ones
  void add(const QString& path);
  void clear();

 private:
  QStringList stored() const;
  QSettings& settings_;
};

// "model-q4_1.gguf — …/models/smollm2": for a menu, with the folder elided in the middle.
QString recentLabel(const QString& path);

}  // namespace vitrine::ui
