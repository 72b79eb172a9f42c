#include "ui/widgets/token_layout.h"

#include <QChar>
#include <QList>

#include <algorithm>

namespace vitrine::ui {

std::optional<bool> isRightToLeft(const QString& text) {
  for (const char32_t character : text.toUcs4()) {
    switch (QChar::direction(character)) {
      case QChar::DirR:
      case QChar::DirAL:
        return true;
      case QChar::DirL:
        return false;
      default:
        break;
    }
  }
  return std::nullopt;
}

void TokenLayout::setMeasure(Measure measure, Metrics metrics) {
  measure_ = std::move(measure);
  metrics_ = metrics;
  for (std::size_t i = 0; i < tokens_.size(); ++i) widths_[i] = measure_(tokens_[i].text);
  relayout();
}

void TokenLayout::setWidth(int width) {
  width = std::max(width, 1);
  if (width == width_) return;
  width_ = width;
  relayout();
}

void TokenLayout::append(StripToken token) {
  widths_.push_back(measure_ ? measure_(token.text) : 0);
  directions_.push_back(isRightToLeft(token.text));
  tokens_.push_back(std::move(token));
  boxes_.emplace_back();
  place(tokens_.size() - 1);
  orderLine(lines() - 1);
}

void TokenLayout::truncate(std::size_t tokens) {
  if (tokens >= tokens_.size()) return;
  tokens_.resize(tokens);
  widths_.resize(tokens);
  directions_.resize(tokens);
  boxes_.resize(tokens);
  while (!line_starts_.empty() && line_starts_.back() >= tokens) line_starts_.pop_back();
  if (!line_starts_.empty()) orderLine(lines() - 1);
}

void TokenLayout::relayout() {
  line_starts_.clear();
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const int before = lines();
    place(i);
    if (lines() != before && before > 0) orderLine(before - 1);
  }
  if (!line_starts_.empty()) orderLine(lines() - 1);
}

// Logical order, left to right; the end of the line so far is the widths' sum, which reordering does not
// change.
void TokenLayout::place(std::size_t index) {
  const int width = std::min(widths_[index] + 2 * metrics_.padding, width_);
  int left = 0;
  if (!line_starts_.empty())
    for (std::size_t i = line_starts_.back(); i < index; ++i)
      left = std::max(left, boxes_[i].left + boxes_[i].width + metrics_.gap);
  if (line_starts_.empty() || left + width > width_) {
    line_starts_.push_back(index);
    left = 0;
  }
  boxes_[index] = {lines() - 1, left, width};
}

void TokenLayout::orderLine(int line) {
  const auto [first, last] = tokensOfLine(line);
  int left = 0;
  for (std::size_t i = first; i < last; ++i) {
    boxes_[i].left = left;
    left += boxes_[i].width + metrics_.gap;
  }
  for (std::size_t i = first; i < last; ++i) {
    if (directions_[i] != true) continue;
    std::size_t end = i + 1;  // one past the run's last right-to-left token; what lies between goes along
    for (std::size_t j = end; j < last; ++j) {
      if (directions_[j] == false) break;
      if (directions_[j] == true) end = j + 1;
    }
    const int sum = boxes_[i].left + boxes_[end - 1].left + boxes_[end - 1].width;
    for (std::size_t j = i; j < end; ++j) boxes_[j].left = sum - boxes_[j].left - boxes_[j].width;
    i = end - 1;
  }
}

std::pair<std::size_t, std::size_t> TokenLayout::tokensOfLine(int line) const {
  if (line < 0 || line >= lines()) return {tokens_.size(), tokens_.size()};
  const std::size_t last = line + 1 < lines() ? line_starts_[std::size_t(line) + 1] : tokens_.size();
  return {line_starts_[std::size_t(line)], last};
}

QRect TokenLayout::box(std::size_t index) const {
  const Box& box = boxes_[index];
  return {box.left, box.line * metrics_.line_height + (metrics_.line_height - metrics_.box_height) / 2,
          box.width, metrics_.box_height};
}

std::optional<std::size_t> TokenLayout::at(QPoint point) const {
  if (point.y() < 0 || point.x() < 0) return std::nullopt;
  const auto [first, last] = tokensOfLine(point.y() / metrics_.line_height);
  for (std::size_t i = first; i < last && i < boxes_.size(); ++i)
    if (point.x() >= boxes_[i].left && point.x() < boxes_[i].left + boxes_[i].width + metrics_.gap) return i;
  return std::nullopt;
}

}  // namespace vitrine::ui
