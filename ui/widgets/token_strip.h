// The sequence as tokens, drawn as the tokenizer has them, each shaded by the attention it receives from the
// shown query. Hovering selects the query, a click locks it; with a locked query, hovering shows a token's
// weight and Shift+click locks it as the key. Paints visible lines only.
#pragma once

#include "core/engine/engine_types.h"
#include "ui/selection.h"
#include "ui/theme/theme_controller.h"
#include "ui/widgets/token_layout.h"

#include <QAbstractScrollArea>
#include <QHash>

#include <memory>
#include <vector>

namespace vitrine::ui {

class TokenStrip : public QAbstractScrollArea {
  Q_OBJECT

 public:
  TokenStrip(const ThemeController& theme, Selection& selection, QWidget* parent = nullptr);

  // Keeps the layout of the common beginning. Null: no tokens.
  void setTokens(std::shared_ptr<const std::vector<core::Token>> tokens);
  // Shades the tokens while the row is that of the shown head and query.
  void setRow(std::shared_ptr<const core::RowValues> row);

  const TokenLayout& layout() const { return layout_; }
  std::optional<std::size_t> tokenAt(QPoint viewport_position) const;
  QRect tokenRect(std::size_t index) const;  // in the viewport
  double weight(std::size_t index) const;    // probability that shades it; below 0: none

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  bool viewportEvent(QEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void applyTheme();
  void updateScrollBar();
  void showQuery();  // scrolls so that the shown query is visible
  void paintToken(QPainter& painter, std::size_t index);
  QString joinedText(std::size_t index) const;
  QString tooltip(std::size_t index) const;
  bool rowIsShown() const;
  int scrolled() const;   // in whole lines
  QPoint origin() const;  // of the layout, in the viewport

  const ThemeController& theme_;
  Selection& selection_;
  TokenLayout layout_;
  std::shared_ptr<const std::vector<core::Token>> tokens_;
  std::shared_ptr<const core::RowValues> row_;
  QHash<QString, int> widths_;
  bool hovering_ = false;  // the pointer is over the strip: do not scroll under it
};

}  // namespace vitrine::ui
