#include "ui/window/command_palette.h"

#include <QKeyEvent>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include <algorithm>

namespace vitrine::ui {
namespace {

constexpr int kRows = 12;

// The command at the left, its shortcut at the right.
class CommandDelegate : public QStyledItemDelegate {
 public:
  CommandDelegate(const ThemeController& theme, QObject* parent)
      : QStyledItemDelegate(parent), theme_(theme) {}

  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    const Colors& colors = theme_.colors();
    const int step = theme_.sizes().step;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    if (option.state & (QStyle::State_Selected | QStyle::State_MouseOver)) {
      painter->setPen(Qt::NoPen);
      painter->setBrush(toQt(option.state & QStyle::State_Selected ? colors.selected : colors.hover));
      painter->drawRoundedRect(option.rect.adjusted(step, 0, -step, 0), theme_.sizes().corner,
                               theme_.sizes().corner);
    }
    QRect rest = option.rect.adjusted(step * 3, 0, -step * 3, 0);
    const bool enabled = index.data(Qt::UserRole + 1).toBool();
    painter->setFont(theme_.smallFont());
    painter->setPen(toQt(colors.text_secondary));
    const QString shortcut = index.data(Qt::UserRole).toString();
    painter->drawText(rest, Qt::AlignRight | Qt::AlignVCenter, shortcut);
    rest.setRight(rest.right() - painter->fontMetrics().horizontalAdvance(shortcut) - step * 2);
    painter->setFont(theme_.interfaceFont());
    painter->setPen(toQt(enabled ? colors.text : colors.text_disabled));
    painter->drawText(
        rest, Qt::AlignLeft | Qt::AlignVCenter,
        painter->fontMetrics().elidedText(index.data().toString(), Qt::ElideMiddle, rest.width()));
    painter->restore();
  }

  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override {
    return {theme_.sizes().left_dock, theme_.sizes().row + theme_.sizes().step};
  }

 private:
  const ThemeController& theme_;
};

}  // namespace

std::optional<int> paletteScore(const QString& query, const QString& text) {
  const QString wanted = query.simplified().remove(' ');
  int score = 0;
  qsizetype at = 0, previous = -2;
  for (const QChar letter : wanted) {
    const auto found = text.indexOf(letter, at, Qt::CaseInsensitive);
    if (found < 0) return std::nullopt;
    const bool word_start = found == 0 || !text[found - 1].isLetterOrNumber();
    score += found == previous + 1 ? 4 : word_start ? 3 : 0;
    score -= int(std::min<qsizetype>(found - at, 3));
    previous = found;
    at = found + 1;
  }
  // The letters as one piece are what one meant.
  const auto whole = text.indexOf(query.trimmed(), 0, Qt::CaseInsensitive);
  if (!wanted.isEmpty() && whole >= 0) score += 100;
  return score;
}

std::vector<PaletteEntry> filterPalette(const std::vector<PaletteEntry>& entries, const QString& query) {
  std::vector<std::pair<int, PaletteEntry>> scored;
  for (const PaletteEntry& entry : entries)
    if (const auto score = paletteScore(query, entry.text)) scored.emplace_back(*score, entry);
  std::stable_sort(scored.begin(), scored.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<PaletteEntry> result;
  for (auto& [score, entry] : scored) result.push_back(std::move(entry));
  return result;
}

CommandPalette::CommandPalette(const ThemeController& theme, QWidget* window)
    : QFrame(window, Qt::Popup | Qt::FramelessWindowHint),
      theme_(theme),
      field_(new QLineEdit(this)),
      list_(new QListView(this)),
      model_(new QStandardItemModel(this)) {
  setObjectName("command_palette");
  setProperty("role", "palette");
  field_->setPlaceholderText(tr("Search commands"));
  field_->installEventFilter(this);
  list_->setModel(model_);
  list_->setItemDelegate(new CommandDelegate(theme, list_));
  list_->setFocusPolicy(Qt::NoFocus);
  list_->setMouseTracking(true);
  list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  list_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(8, 8, 8, 8);
  column->setSpacing(8);
  column->addWidget(field_);
  column->addWidget(list_);
  connect(field_, &QLineEdit::textChanged, this, &CommandPalette::refresh);
  connect(list_, &QListView::clicked, this, &CommandPalette::run);
}

void CommandPalette::open(std::vector<PaletteEntry> entries) {
  entries_ = std::move(entries);
  const QWidget& window = *parentWidget()->window();
  const int width = std::min(theme_.sizes().step * 140, window.width() - theme_.sizes().step * 8);
  resize(width, height());
  field_->clear();
  refresh();
  move(window.mapToGlobal(
      QPoint((window.width() - width) / 2, theme_.sizes().menu + theme_.sizes().step * 8)));
  show();
  field_->setFocus();
}

void CommandPalette::refresh() {
  shown_ = filterPalette(entries_, field_->text());
  model_->clear();
  for (const PaletteEntry& entry : shown_) {
    auto* item = new QStandardItem(entry.text);
    item->setData(entry.action ? entry.action->shortcut().toString(QKeySequence::NativeText) : QString(),
                  Qt::UserRole);
    item->setData(entry.action && entry.action->isEnabled(), Qt::UserRole + 1);
    item->setToolTip(entry.action ? entry.action->toolTip() : QString());
    model_->appendRow(item);
  }
  list_->setCurrentIndex(model_->index(0, 0));
  const int row = theme_.sizes().row + theme_.sizes().step;
  const int room = parentWidget()->window()->height() - theme_.sizes().step * 32;
  list_->setFixedHeight(std::clamp(int(shown_.size()), 1, std::clamp(room / row, 1, kRows)) * row);
  resize(width(), layout()->sizeHint().height());
}

void CommandPalette::run() {
  const int row = list_->currentIndex().row();
  if (row < 0 || std::size_t(row) >= shown_.size()) return;
  const QPointer<QAction> action = shown_[std::size_t(row)].action;
  if (!action || !action->isEnabled()) return;
  hide();
  action->trigger();
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
  if (watched != field_ || event->type() != QEvent::KeyPress) return QFrame::eventFilter(watched, event);
  const auto* key = static_cast<QKeyEvent*>(event);
  auto move = [this](int by) {
    const int rows = model_->rowCount();
    if (rows > 0) list_->setCurrentIndex(model_->index((list_->currentIndex().row() + by + rows) % rows, 0));
  };
  switch (key->key()) {
    case Qt::Key_Down:
      move(1);
      return true;
    case Qt::Key_Up:
      move(-1);
      return true;
    case Qt::Key_Return:
    case Qt::Key_Enter:
      run();
      return true;
    case Qt::Key_Escape:
      hide();
      return true;
    default:
      return false;
  }
}

}  // namespace vitrine::ui
