#include "ui/window/shortcuts_dialog.h"

#include <QGridLayout>
#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>

namespace vitrine::ui {
namespace {

struct Line {
  QString group, what, keys;
};

std::vector<Line> mouseLines() {
  const QString mouse = ShortcutsDialog::tr("Mouse"), picture = ShortcutsDialog::tr("Picture");
  const QString spectra = ShortcutsDialog::tr("Spectra");
  return {{mouse, ShortcutsDialog::tr("Zoom the map at the pointer"), ShortcutsDialog::tr("Wheel")},
          {mouse, ShortcutsDialog::tr("Move the map"), ShortcutsDialog::tr("Drag")},
          {mouse, ShortcutsDialog::tr("Show a cell, or a token's query"), ShortcutsDialog::tr("Hover")},
          {mouse, ShortcutsDialog::tr("Lock it"), ShortcutsDialog::tr("Click")},
          {mouse, ShortcutsDialog::tr("Lock a token as the key"), ShortcutsDialog::tr("Shift+Click")},
          {mouse, ShortcutsDialog::tr("Open a head at full size"), ShortcutsDialog::tr("Double click")},
          {picture, ShortcutsDialog::tr("Move the head, or the locked cell"), ShortcutsDialog::tr("Arrows")},
          {picture, ShortcutsDialog::tr("Move the head"), ShortcutsDialog::tr("Ctrl+Arrows")},
          {picture, ShortcutsDialog::tr("Show or hide the overview"), "O"},
          {picture, ShortcutsDialog::tr("Next order of the heads"), "S"},
          {spectra, ShortcutsDialog::tr("Add or remove a matrix"), ShortcutsDialog::tr("Ctrl+Click")},
          {spectra, ShortcutsDialog::tr("Choose all up to a matrix"), ShortcutsDialog::tr("Shift+Click")},
          {spectra, ShortcutsDialog::tr("Move the selection, or extend it"),
           ShortcutsDialog::tr("(Shift+)Up, Down")},
          {spectra, ShortcutsDialog::tr("By a page, to an end"),
           ShortcutsDialog::tr("Page Up, Page Down, Home, End")},
          {spectra, ShortcutsDialog::tr("Choose the first six rows"), ShortcutsDialog::tr("Ctrl+A")},
          {spectra, ShortcutsDialog::tr("Sort by the next number, reverse"), "S, R"},
          {spectra, ShortcutsDialog::tr("Values, energy or density; of a comparison the next picture"), "D"},
          {spectra, ShortcutsDialog::tr("Weights, products of heads, fine-tune against base"), "W"},
          {spectra, ShortcutsDialog::tr("Zoom a comparison's maps, show all of them"), "+, -, 0"},
          {spectra, ShortcutsDialog::tr("Filter by name"), "/"},
          {spectra, ShortcutsDialog::tr("Cancel the computation"), "Esc"}};
}

std::vector<Line> linesOf(const std::vector<PaletteEntry>& entries) {
  std::vector<Line> lines;
  for (const PaletteEntry& entry : entries) {
    if (!entry.action || entry.action->shortcut().isEmpty()) continue;
    const auto first = entry.text.indexOf(QStringLiteral(" › "));
    QStringList keys;
    for (const QKeySequence& key : entry.action->shortcuts()) keys << key.toString(QKeySequence::NativeText);
    lines.push_back({entry.text.left(first), entry.text.mid(first + 3), keys.join(QStringLiteral("  "))});
  }
  for (Line& line : mouseLines()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace

ShortcutsDialog::ShortcutsDialog(const ThemeController& theme, const std::vector<PaletteEntry>& entries,
                                 QWidget* parent)
    : QDialog(parent) {
  setObjectName("shortcuts_dialog");
  setWindowTitle(tr("Keyboard shortcuts"));
  const std::vector<Line> lines = linesOf(entries);
  auto* content = new QWidget(this);
  auto* columns = new QHBoxLayout(content);
  columns->setContentsMargins(24, 16, 24, 24);
  columns->setSpacing(48);
  QGridLayout* grid = nullptr;
  QString group;
  int row = 0;
  auto newColumn = [&] {
    auto* column = new QVBoxLayout;
    grid = new QGridLayout;
    grid->setHorizontalSpacing(24);
    grid->setVerticalSpacing(4);
    column->addLayout(grid);
    column->addStretch();
    columns->addLayout(column);
    row = 0;
  };
  newColumn();
  const std::size_t half = (lines.size() + 1) / 2;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    if (line.group != group) {
      if (i >= half && columns->count() == 1) newColumn();
      group = line.group;
      auto* header = new QLabel(group.toUpper(), content);
      header->setProperty("role", "secondary");
      header->setFont(theme.headerFont());
      if (row > 0) grid->setRowMinimumHeight(row++, theme.sizes().step * 2);
      grid->addWidget(header, row++, 0, 1, 2);
    }
    auto* keys = new QLabel(line.keys, content);
    keys->setFont(theme.monoFont());
    keys->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    grid->addWidget(new QLabel(line.what, content), row, 0);
    grid->addWidget(keys, row++, 1);
  }
  auto* scroll = new QScrollArea(this);
  scroll->setWidgetResizable(true);
  scroll->setWidget(content);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(0, 0, 0, 0);
  all->addWidget(scroll);
  const QSize wanted = content->sizeHint() + QSize(16, 4);
  resize(wanted.boundedTo(parent->window()->size() - QSize(32, 64)));
}

}  // namespace vitrine::ui
