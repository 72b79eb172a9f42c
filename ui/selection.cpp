#include "ui/selection.h"

#include <algorithm>

namespace vitrine::ui {

Selection::Selection(QObject* parent) : QObject(parent) {}

std::optional<std::uint32_t> Selection::query() const {
  if (locked_ && locked_->query) return locked_->query;
  if (!locked_ && hovered_.query) return hovered_.query;
  if (tokens_ == 0) return std::nullopt;
  return tokens_ - 1;
}

std::optional<std::uint32_t> Selection::key() const {
  return locked_ ? locked_->key : hovered_.key;
}

void Selection::setExtent(std::uint32_t layers, std::uint32_t heads, std::uint32_t tokens) {
  if (layers == layers_ && heads == heads_ && tokens == tokens_) return;
  const auto old_query = query();
  layers_ = layers;
  heads_ = heads;
  tokens_ = tokens;
  setHead(head_);
  if (hovered_head_ && (hovered_head_->layer >= layers_ || hovered_head_->head >= heads_)) hoverHead({});
  const bool cells_changed = clampCells();
  emit extentChanged();
  if (cells_changed || query() != old_query) emit cellChanged();
}

bool Selection::clampCells() {
  auto outside = [this](const Cell& cell) {
    return (cell.query && *cell.query >= tokens_) || (cell.key && *cell.key >= tokens_);
  };
  bool changed = false;
  if (outside(hovered_)) {
    hovered_ = {};
    changed = true;
  }
  if (locked_ && outside(*locked_)) {
    locked_.reset();
    changed = true;
  }
  return changed;
}

void Selection::setHead(Head head) {
  head.layer = layers_ == 0 ? 0 : std::min(head.layer, layers_ - 1);
  head.head = heads_ == 0 ? 0 : std::min(head.head, heads_ - 1);
  if (head == head_) return;
  head_ = head;
  emit headChanged(head_);
}

void Selection::moveHead(int layers, int heads) {
  if (layers_ == 0 || heads_ == 0) return;
  auto moved = [](std::uint32_t from, int by, std::uint32_t count) {
    return std::uint32_t(std::clamp<std::int64_t>(std::int64_t(from) + by, 0, std::int64_t(count) - 1));
  };
  setHead({moved(head_.layer, layers, layers_), moved(head_.head, heads, heads_)});
}

void Selection::hoverHead(std::optional<Head> head) {
  if (head == hovered_head_) return;
  hovered_head_ = head;
  emit hoveredHeadChanged();
}

void Selection::hover(Cell cell) {
  if (cell == hovered_) return;
  hovered_ = cell;
  clampCells();
  emit cellChanged();
}

void Selection::lock(Cell cell) {
  if (!cell.query && !cell.key) return;
  if (locked_ == cell) return unlock();
  locked_ = cell;
  clampCells();
  emit cellChanged();
}

void Selection::lockQuery(std::uint32_t query) {
  if (tokens_ == 0) return;
  Cell cell{std::min(query, tokens_ - 1), locked_ ? locked_->key : std::nullopt};
  if (cell.key && *cell.key > *cell.query) cell.key.reset();
  if (locked_ == cell) return;
  locked_ = cell;
  emit cellChanged();
}

void Selection::moveQuery(int tokens) {
  const auto from = query();
  if (!from) return;
  lockQuery(
      std::uint32_t(std::clamp<std::int64_t>(std::int64_t(*from) + tokens, 0, std::int64_t(tokens_) - 1)));
}

void Selection::moveKey(int tokens) {
  const auto at = query();
  if (!at) return;
  const std::int64_t from = key().value_or(*at);
  locked_ = Cell{*at, std::uint32_t(std::clamp<std::int64_t>(from + tokens, 0, *at))};
  emit cellChanged();
}

void Selection::unlock() {
  if (!locked_) return;
  locked_.reset();
  emit cellChanged();
}

}  // namespace vitrine::ui
