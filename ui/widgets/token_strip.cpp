#include "ui/widgets/token_strip.h"

#include "ui/shown_row.h"
#include "ui/widgets/format.h"

#include <QFontMetrics>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace vitrine::ui {
namespace {

constexpr QChar kJoiner(0x200d);
constexpr int kStrongestShade = 130;  // alpha: text keeps a contrast of 4.5 on it in both themes

// Letters of the cursive scripts take the form that their neighbours ask for, even across a token's border.
bool isCursive(QChar character) {
  return character.joiningType() == QChar::Joining_Dual || character.joiningType() == QChar::Joining_Right;
}

// Small probabilities must be seen beside large ones: the shade grows with the square root.
int shadeAlpha(double probability) {
  return int(std::lround(std::sqrt(std::clamp(probability, 0.0, 1.0)) * kStrongestShade));
}

}  // namespace

TokenStrip::TokenStrip(const ThemeController& theme, Selection& selection, QWidget* parent)
    : QAbstractScrollArea(parent), theme_(theme), selection_(selection) {
  setObjectName("token_strip");
  setAccessibleName(tr("Tokens"));
  setFrameShape(QFrame::NoFrame);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setFocusPolicy(Qt::StrongFocus);
  viewport()->setMouseTracking(true);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(&theme_, &ThemeController::changed, this, &TokenStrip::applyTheme);
  connect(&selection_, &Selection::cellChanged, this, [this] {
    showQuery();
    viewport()->update();
  });
  connect(&selection_, &Selection::headChanged, this, [this] { viewport()->update(); });
  applyTheme();
}

void TokenStrip::applyTheme() {
  const QFontMetrics metrics(theme_.monoFont());
  const Sizes& sizes = theme_.sizes();
  widths_.clear();
  layout_.setMeasure(
      [this, metrics](const QString& text) {
        auto found = widths_.find(text);
        if (found == widths_.end()) found = widths_.insert(text, metrics.horizontalAdvance(text));
        return *found;
      },
      {.line_height = sizes.row, .box_height = sizes.row - sizes.step, .padding = sizes.step / 2, .gap = 1});
  verticalScrollBar()->setSingleStep(sizes.row);
  updateGeometry();
  updateScrollBar();
  showQuery();
  viewport()->update();
}

QSize TokenStrip::sizeHint() const {
  return {theme_.sizes().strip * 4, theme_.sizes().strip};
}
QSize TokenStrip::minimumSizeHint() const {
  return {theme_.sizes().strip, theme_.sizes().strip};
}

QPoint TokenStrip::origin() const {
  const int margin = theme_.sizes().step * 3;
  const int top = (theme_.sizes().strip - 3 * theme_.sizes().row) / 2;
  return {margin, top - scrolled()};
}

int TokenStrip::scrolled() const {
  const int value = verticalScrollBar()->value();
  return value - value % theme_.sizes().row;
}

std::optional<std::size_t> TokenStrip::tokenAt(QPoint position) const {
  return layout_.at(position - origin());
}
QRect TokenStrip::tokenRect(std::size_t index) const {
  return layout_.box(index).translated(origin());
}

void TokenStrip::setTokens(std::shared_ptr<const std::vector<core::Token>> tokens) {
  if (tokens == tokens_) return;
  tokens_ = std::move(tokens);
  const std::size_t size = tokens_ ? tokens_->size() : 0;
  const std::size_t shared = std::min(size, layout_.size());
  std::size_t same = 0;
  while (same < shared && layout_.token(same).id == (*tokens_)[same].id) {
    layout_.setPrompt(same, (*tokens_)[same].prompt);
    ++same;
  }
  layout_.truncate(same);
  for (std::size_t i = same; i < size; ++i) {
    const core::Token& token = (*tokens_)[i];
    layout_.append({QString::fromStdString(token.display), token.prompt, token.id});
  }
  updateScrollBar();
  showQuery();
  viewport()->update();
}

void TokenStrip::setRow(std::shared_ptr<const core::RowValues> row) {
  if (row == row_) return;
  row_ = std::move(row);
  viewport()->update();
}

bool TokenStrip::rowIsShown() const {
  return row_ && isShownRow(*row_, selection_);
}

double TokenStrip::weight(std::size_t index) const {
  if (!rowIsShown() || index > row_->request.query || index >= row_->probability.size()) return -1;
  return row_->probability[index];
}

void TokenStrip::updateScrollBar() {
  const int margin = theme_.sizes().step * 3;
  layout_.setWidth(viewport()->width() - 2 * margin);
  const int page = 3 * theme_.sizes().row;
  verticalScrollBar()->setPageStep(page);
  verticalScrollBar()->setRange(0, std::max(0, layout_.height() - page));
}

void TokenStrip::showQuery() {
  const auto query = selection_.query();
  if (hovering_ || !query || *query >= layout_.size()) return;
  const int line = layout_.lineOf(*query);
  const int row = theme_.sizes().row;
  const int first = verticalScrollBar()->value() / row;
  if (line < first) verticalScrollBar()->setValue(line * row);
  if (line > first + 2) verticalScrollBar()->setValue((line - 2) * row);
}

void TokenStrip::resizeEvent(QResizeEvent*) {
  updateScrollBar();
  showQuery();
}

void TokenStrip::paintEvent(QPaintEvent*) {
  QPainter painter(viewport());
  painter.fillRect(viewport()->rect(), toQt(theme_.colors().window));
  painter.setRenderHint(QPainter::Antialiasing);
  const int row = theme_.sizes().row;
  if (layout_.size() == 0) {
    painter.setFont(theme_.interfaceFont());
    painter.setPen(toQt(theme_.colors().text_secondary));
    painter.drawText(QRect(origin(), QSize(viewport()->width(), row)), Qt::AlignLeft | Qt::AlignVCenter,
                     tr("The prompt and its continuation appear here, token by token."));
    return;
  }
  painter.setFont(theme_.monoFont());
  // Whole lines only: three of them, between the strip's margins.
  painter.setClipRect(0, origin().y() + scrolled(), viewport()->width(), 3 * row);
  const int first_line = scrolled() / row, last_line = first_line + 3;
  for (int line = first_line; line <= last_line && line < layout_.lines(); ++line) {
    const auto [first, last] = layout_.tokensOfLine(line);
    for (std::size_t i = first; i < last; ++i) paintToken(painter, i);
  }
}

void TokenStrip::paintToken(QPainter& painter, std::size_t index) {
  const Colors& colors = theme_.colors();
  const QRect rect = tokenRect(index);
  const QRectF outline = QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5);
  const double corner = theme_.sizes().corner * 0.75;
  const double probability = weight(index);
  const bool is_query = selection_.query() == index;
  const bool is_key = selection_.key() == index;
  if (probability > 0) {
    painter.setPen(Qt::NoPen);
    painter.setBrush(toQt(colors.key.withAlpha(std::uint8_t(shadeAlpha(probability)))));
    painter.drawRoundedRect(rect, corner, corner);
  }
  if (is_query || is_key) {
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(toQt(is_query ? colors.query : colors.key), 1.5));
    painter.drawRoundedRect(outline, corner, corner);
  }
  const StripToken& token = layout_.token(index);
  if (!token.prompt) {
    painter.setPen(QPen(toQt(colors.accent.withAlpha(150)), 1));
    const double y = rect.bottom() + theme_.sizes().step / 2 + 0.5;
    painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right() + 1, y));
  }
  const bool beyond = selection_.query() && index > *selection_.query();
  painter.setPen(toQt(beyond ? colors.text_secondary : colors.text));  // no later key can be attended to
  const int padding = theme_.sizes().step / 2;
  const QRect text_rect = rect.adjusted(padding, 0, -padding, 0);
  QString text = joinedText(index);
  if (painter.fontMetrics().horizontalAdvance(token.text) > text_rect.width() + 1)
    text = painter.fontMetrics().elidedText(token.text, Qt::ElideMiddle, text_rect.width());
  painter.drawText(text_rect, Qt::AlignCenter | Qt::TextSingleLine, text);
}

QString TokenStrip::joinedText(std::size_t index) const {
  QString text = layout_.token(index).text;
  if (text.isEmpty()) return text;
  auto follows = [&](std::size_t left, std::size_t right) {
    const QString& a = layout_.token(left).text;
    const QString& b = layout_.token(right).text;
    return !a.isEmpty() && !b.isEmpty() && layout_.lineOf(left) == layout_.lineOf(right) &&
           a.back().joiningType() == QChar::Joining_Dual && isCursive(b.front());
  };
  const bool before = index > 0 && follows(index - 1, index);
  const bool after = index + 1 < layout_.size() && follows(index, index + 1);
  if (before) text.prepend(kJoiner);
  if (after) text.append(kJoiner);
  return text;
}

QString TokenStrip::tooltip(std::size_t index) const {
  const StripToken& token = layout_.token(index);
  QString text = tr("Token %1 of %2  %3\nid %4, %5")
                     .arg(index)
                     .arg(layout_.size())
                     .arg(quoted(token.text))
                     .arg(token.id)
                     .arg(token.prompt ? tr("prompt") : tr("generated"));
  if (const double probability = weight(index); probability >= 0)
    text += tr("\nAttention %1 from query %2").arg(probabilityText(probability)).arg(row_->request.query);
  return text;
}

bool TokenStrip::viewportEvent(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    if (const auto index = tokenAt(help->pos()))
      QToolTip::showText(help->globalPos(), tooltip(*index), viewport(), tokenRect(*index));
    else
      QToolTip::hideText();
    return true;
  }
  if (event->type() == QEvent::Leave) {
    hovering_ = false;
    selection_.hover({});
  }
  return QAbstractScrollArea::viewportEvent(event);
}

void TokenStrip::mouseMoveEvent(QMouseEvent* event) {
  hovering_ = true;
  const auto index = tokenAt(event->position().toPoint());
  if (!index) return selection_.hover({});
  const auto token = std::uint32_t(*index);
  if (selection_.isLocked())
    selection_.hover({selection_.query(), token});
  else
    selection_.hover({token, std::nullopt});
}

void TokenStrip::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  const auto index = tokenAt(event->position().toPoint());
  if (!index) return;
  const auto token = std::uint32_t(*index);
  if (event->modifiers() & Qt::ShiftModifier) {
    const auto query = selection_.query();
    if (query && token <= *query) selection_.lock({query, token});
    return;
  }
  if (selection_.isLocked() && selection_.query() == token)
    selection_.unlock();
  else
    selection_.lock({token, std::nullopt});
}

void TokenStrip::keyPressEvent(QKeyEvent* event) {
  switch (event->key()) {
    case Qt::Key_Left:
      return selection_.moveQuery(-1);
    case Qt::Key_Right:
      return selection_.moveQuery(1);
    case Qt::Key_Home:
      return selection_.lockQuery(0);
    case Qt::Key_End:
      return selection_.unlock();
    default:
      QAbstractScrollArea::keyPressEvent(event);
  }
}

}  // namespace vitrine::ui
