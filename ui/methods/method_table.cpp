#include "ui/methods/method_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace vitrine::ui {
namespace {

QString headerOf(const core::methods::Column& column) {
  return QString::fromStdString(column.unit.empty() ? column.name : column.name + " (" + column.unit + ")");
}

QString csvField(QString text) {
  if (!text.contains(',') && !text.contains('"') && !text.contains('\n')) return text;
  return '"' + text.replace(QStringLiteral("\""), QStringLiteral("\"\"")) + '"';
}

QString csvCell(const core::methods::Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return csvField(QString::fromStdString(*text));
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return QString::number(*whole);
  const double number = std::get<double>(cell);
  return std::isfinite(number) ? QString::fromStdString(fmt::format("{}", number)) : QString();
}

// Numbers that are none come first.
QVariant sortValue(const core::methods::Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return QString::fromStdString(*text);
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return double(*whole);
  const double number = std::get<double>(cell);
  return std::isnan(number) ? -std::numeric_limits<double>::infinity() : number;
}

}  // namespace

int MethodTable::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(table_.rows.size());
}

int MethodTable::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(table_.columns.size());
}

QVariant MethodTable::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const core::methods::Cell& cell = table_.rows[std::size_t(index.row())][std::size_t(index.column())];
  if (role == Qt::DisplayRole) return QString::fromStdString(core::methods::textOf(cell));
  if (role == kSortRole) return sortValue(cell);
  if (role == Qt::TextAlignmentRole)
    return int(Qt::AlignVCenter | (core::methods::isNumber(cell) ? Qt::AlignRight : Qt::AlignLeft));
  if (role == Qt::ToolTipRole) return headerData(index.column(), Qt::Horizontal, role);
  return {};
}

QVariant MethodTable::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  const core::methods::Column& column = table_.columns[std::size_t(section)];
  if (role == Qt::DisplayRole) return headerOf(column);
  if (role == Qt::ToolTipRole) return QString::fromStdString(column.help);
  // Above what it heads.
  if (role == Qt::TextAlignmentRole && !table_.rows.empty()) return data(index(0, section), role);
  return {};
}

QString tableAsCsv(const core::methods::Table& table) {
  QStringList lines, fields;
  for (const core::methods::Column& column : table.columns) fields << csvField(headerOf(column));
  lines << fields.join(',');
  for (const auto& row : table.rows) {
    fields.clear();
    for (const core::methods::Cell& cell : row) fields << csvCell(cell);
    lines << fields.join(',');
  }
  return lines.join(QStringLiteral("\n")) + '\n';
}

QString cellsAsTsv(const QAbstractItemModel& model, QModelIndexList cells) {
  std::sort(cells.begin(), cells.end());
  QString text;
  for (qsizetype i = 0; i < cells.size(); ++i) {
    if (i > 0) text += cells[i].row() == cells[i - 1].row() ? '\t' : '\n';
    text += model.data(cells[i]).toString();
  }
  return text;
}

}  // namespace vitrine::ui
