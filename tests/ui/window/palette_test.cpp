#include "ui/window/command_palette.h"
#include "ui/window/recent_files.h"
#include "ui/window/responsive_layout.h"

#include <gtest/gtest.h>

#include <QFile>
#include <QTemporaryDir>

#include "support/qt_application.h"

namespace vitrine::ui {
namespace {

std::vector<QString> textsOf(const std::vector<PaletteEntry>& entries) {
  std::vector<QString> texts;
  for (const PaletteEntry& entry : entries) texts.push_back(entry.text);
  return texts;
}

TEST(Palette, FindsLettersInOrderAndPrefersWords) {
  const std::vector<PaletteEntry> entries = {{"File › Open file", {}},
                                             {"Run › Generate", {}},
                                             {"View › Colour map › magma", {}},
                                             {"Run › Continue", {}},
                                             {"View › Theme › Dark", {}}};
  EXPECT_EQ(filterPalette(entries, "").size(), entries.size());
  EXPECT_EQ(filterPalette(entries, "").front().text, "File › Open file");
  EXPECT_EQ(filterPalette(entries, "gen").front().text, "Run › Generate");
  EXPECT_EQ(filterPalette(entries, "DARK").front().text, "View › Theme › Dark");
  EXPECT_EQ(filterPalette(entries, "opfi").front().text, "File › Open file");
  EXPECT_EQ(filterPalette(entries, "colour magma").front().text, "View › Colour map › magma");
  EXPECT_TRUE(filterPalette(entries, "zzz").empty());
  EXPECT_TRUE(filterPalette(entries, "krad").empty());
  EXPECT_EQ(textsOf(filterPalette(entries, "run › g")).front(), "Run › Generate");
}

TEST(RecentFiles, KeepsTheNewestFirstWithoutDoublesAndOnlyWhatExists) {
  tests::qtApplication();  // file icons ask for fonts
  QTemporaryDir folder;
  QSettings settings(folder.filePath("settings.ini"), QSettings::IniFormat);
  RecentFiles recent(settings);
  auto make = [&](const QString& name) {
    QFile file(folder.filePath(name));
    EXPECT_TRUE(file.open(QIODevice::WriteOnly));
    return file.fileName();
  };
  const QString a = make("a.gguf"), b = make("b & c.gguf");
  recent.add(a);
  recent.add(b);
  recent.add(folder.path() + "/./a.gguf");  // the same file
  EXPECT_EQ(recent.paths(), (QStringList{a, b}));
  recent.add(folder.filePath("never-there.gguf"));
  EXPECT_EQ(recent.paths(), (QStringList{a, b}));
  for (int i = 0; i < 2 * RecentFiles::kMost; ++i) recent.add(make(QString("m%1.gguf").arg(i)));
  EXPECT_EQ(recent.paths().size(), RecentFiles::kMost);
  EXPECT_FALSE(recent.paths().contains(a));
  recent.clear();
  EXPECT_TRUE(recent.paths().isEmpty());
  EXPECT_TRUE(recentLabel(b).startsWith("b && c.gguf"));
}

TEST(ResponsiveLayout, ChoosesTheModeByWidthAndZoom) {
  Sizes sizes;
  EXPECT_EQ(layoutModeFor(1600, sizes), LayoutMode::kWide);
  EXPECT_EQ(layoutModeFor(1100, sizes), LayoutMode::kWide);
  EXPECT_EQ(layoutModeFor(1099, sizes), LayoutMode::kNarrow);
  EXPECT_EQ(layoutModeFor(799, sizes), LayoutMode::kTiny);
  sizes.narrow *= 2;
  sizes.tiny *= 2;
  EXPECT_EQ(layoutModeFor(1500, sizes), LayoutMode::kTiny);
}

}  // namespace
}  // namespace vitrine::ui
