// The one selection that all views, docks and the canvas share: a head, and a query and key within its map.
// A click locks a cell and Esc unlocks it; while nothing is locked the hovered cell is shown, and while
// nothing is hovered either, the newest token's query. Indices count from 0. Lives on the UI thread.
#pragma once

#include <QObject>

#include <cstdint>
#include <optional>

namespace vitrine::ui {

struct Head {
  std::uint32_t layer = 0, head = 0;
  bool operator==(const Head&) const = default;
};

struct Cell {
  std::optional<std::uint32_t> query, key;
  bool operator==(const Cell&) const = default;
};

class Selection : public QObject {
  Q_OBJECT

 public:
  explicit Selection(QObject* parent = nullptr);

  Head head() const { return head_; }
  std::optional<Head> hoveredHead() const { return hovered_head_; }

  const Cell& hovered() const { return hovered_; }
  const std::optional<Cell>& locked() const { return locked_; }
  bool isLocked() const { return locked_.has_value(); }

  // What linked displays show: of the locked cell, else of the hovered one, else the newest query and no key.
  // Empty only while there are no tokens.
  std::optional<std::uint32_t> query() const;
  std::optional<std::uint32_t> key() const;

  std::uint32_t layers() const { return layers_; }
  std::uint32_t heads() const { return heads_; }
  std::uint32_t tokens() const { return tokens_; }

  // What can be selected. Everything selected is kept within; a lock beyond the end of the sequence is
  // released.
  void setExtent(std::uint32_t layers, std::uint32_t heads, std::uint32_t tokens);

  // Out of range: the nearest head.
  void setHead(Head head);
  void moveHead(int layers, int heads);  // by the arrow keys
  void hoverHead(std::optional<Head> head);

  void hover(Cell cell);  // Cell{} when the pointer leaves
  void lock(Cell cell);   // the same cell again unlocks; a cell without a query and key does nothing
  void lockQuery(std::uint32_t query);  // scrubbing the timeline; keeps a locked key that this query can see
  void moveQuery(int tokens);           // from the shown query, and locks it
  void moveKey(int tokens);
  void unlock();

 signals:
  void headChanged(vitrine::ui::Head head);
  void hoveredHeadChanged();
  void cellChanged();  // query() or key() or what is hovered or locked
  void extentChanged();

 private:
  bool clampCells();

  Head head_;
  std::optional<Head> hovered_head_;
  Cell hovered_;
  std::optional<Cell> locked_;
  std::uint32_t layers_ = 0, heads_ = 0, tokens_ = 0;
};

}  // namespace vitrine::ui
