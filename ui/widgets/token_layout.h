// Flows tokens into lines, as the token strip draws them: no widget, no painting, so that it can be tested
// and stays fast (integers only; appended tokens are laid out alone). Runs of right-to-left tokens are
// ordered from the right. Coordinates are logical pixels from the top left of the first line.
#pragma once

#include <QPoint>
#include <QRect>
#include <QString>

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace vitrine::ui {

struct StripToken {
  QString text;
  bool prompt = true;
  std::int32_t id = 0;
};

class TokenLayout {
 public:
  using Measure = std::function<int(const QString&)>;  // width of a token's text, without padding

  struct Metrics {
    int line_height = 24, box_height = 20, padding = 2, gap = 1;
    bool operator==(const Metrics&) const = default;
  };

  // Both lay out everything again.
  void setMeasure(Measure measure, Metrics metrics);
  void setWidth(int width);

  void append(StripToken token);
  void truncate(std::size_t tokens);
  void setPrompt(std::size_t index, bool prompt) { tokens_[index].prompt = prompt; }

  std::size_t size() const { return tokens_.size(); }
  const StripToken& token(std::size_t index) const { return tokens_[index]; }
  int lines() const { return int(line_starts_.size()); }
  int height() const { return lines() * metrics_.line_height; }
  int lineOf(std::size_t index) const { return boxes_[index].line; }
  std::pair<std::size_t, std::size_t> tokensOfLine(int line) const;  // first and one past the last
  QRect box(std::size_t index) const;
  std::optional<std::size_t> at(QPoint point) const;  // the token whose box or gap is there

 private:
  struct Box {
    int line = 0, left = 0, width = 0;
  };
  void relayout();
  void place(std::size_t index);
  void orderLine(int line);  // puts right-to-left runs in visual order

  Measure measure_;
  Metrics metrics_;
  int width_ = 1;
  std::vector<StripToken> tokens_;
  std::vector<int> widths_;                      // measured, before clamping to the line
  std::vector<std::optional<bool>> directions_;  // right to left?
  std::vector<Box> boxes_;
  std::vector<std::size_t> line_starts_;
};

// Whether the token's first letter belongs to a right-to-left script; nothing when it has no letter.
std::optional<bool> isRightToLeft(const QString& text);

}  // namespace vitrine::ui
