// A method's table for a QTableView: numbers to the right and sorted by value, columns explained by tooltips.
#pragma once

#include "core/methods/table.h"

#include <QAbstractTableModel>

namespace vitrine::ui {

class MethodTable : public QAbstractTableModel {
  Q_OBJECT

 public:
  static constexpr int kSortRole = Qt::UserRole;

  explicit MethodTable(core::methods::Table table, QObject* parent = nullptr)
      : QAbstractTableModel(parent), table_(std::move(table)) {}
  const core::methods::Table& table() const { return table_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  core::methods::Table table_;
};

// With a line of headers; numbers in full precision, those that are not finite empty (RFC 4180).
QString tableAsCsv(const core::methods::Table& table);
// The chosen cells, rows as the view shows them, tabs between.
QString cellsAsTsv(const QAbstractItemModel& model, QModelIndexList cells);

}  // namespace vitrine::ui
