#include "ui/window/recent_files.h"

#include <QDir>
#include <QFileInfo>
#include <QFont>
#include <QFontMetrics>

#include <algorithm>

namespace vitrine::ui {
namespace {

constexpr const char* kKey = "recent/models";
constexpr int kLabelWidth = 320;

}  // namespace

RecentFiles::RecentFiles(QSettings& settings) : settings_(settings) {}

QStringList RecentFiles::stored() const {
  return settings_.value(kKey).toStringList();
}

QStringList RecentFiles::paths() const {
  QStringList existing;
  for (const QString& path : stored())
    if (QFileInfo::exists(path)) existing << path;
  return existing;
}

void RecentFiles::add(const QString& path) {
  QStringList paths = stored();
  const QString absolute = QDir::cleanPath(QFileInfo(path).absoluteFilePath());
  paths.removeAll(absolute);
  paths.prepend(absolute);
  settings_.setValue(kKey, QStringList(paths.mid(0, kMost)));
}

void RecentFiles::clear() {
  settings_.remove(kKey);
}

QString recentLabel(const QString& path) {
  const QFileInfo info(path);
  const QString folder = QFontMetrics(QFont()).elidedText(info.absolutePath(), Qt::ElideMiddle, kLabelWidth);
  // "&" would become a mnemonic.
  QString label = info.fileName() + QStringLiteral("  —  ") + folder;
  return label.replace('&', "&&");
}

}  // namespace vitrine::ui
