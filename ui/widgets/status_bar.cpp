#include "ui/widgets/status_bar.h"

#include "ui/widgets/format.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>

namespace vitrine::ui {
namespace {

constexpr int kMemoryBar = 120;   // logical pixels at 100 %
constexpr int kLeastDevice = 96;  // below this the device's name is left out

}  // namespace

StatusBar::StatusBar(const ThemeController& theme, QString device, QWidget* parent)
    : QWidget(parent), theme_(theme), device_(std::move(device)) {
  setObjectName("status_bar");
  setProperty("role", "header");
  setAttribute(Qt::WA_StyledBackground);
  fields_[kSpeed] = {{},
                     "–",
                     tr("tokens/s"),
                     "88888",
                     tr("Tokens generated a second, wall clock, of the running or last generation"),
                     {}};
  fields_[kGpuTime] = {{},
                       "–",
                       tr("ms GPU / token"),
                       "8888",
                       tr("GPU time of the newest decode steps, milliseconds a token (device timestamps)"),
                       {}};
  fields_[kViews] = {tr("views"),
                     "–",
                     tr("ms"),
                     "+88.8",
                     tr("GPU time that the open views' pictures added at their last update, milliseconds"),
                     {}};
  fields_[kCache] = {tr("cache"),
                     "–",
                     {},
                     "8.88 MB",
                     tr("Memory reserved for keys and values of the whole context, in powers of 1000"),
                     {}};
  fields_[kMemory] = {tr("memory"), "–", {}, "88.8 GB of 88.8 GB", {}, {}};
  connect(&theme_, &ThemeController::changed, this, [this] {
    updateGeometry();
    arrange();
  });
}

QSize StatusBar::sizeHint() const {
  return {theme_.sizes().narrow, theme_.sizes().status};
}
QSize StatusBar::minimumSizeHint() const {
  return {theme_.sizes().status, theme_.sizes().status};
}

QFont StatusBar::valueFont() const {
  QFont font = theme_.smallFont();
  font.setWeight(QFont::DemiBold);
  return font;
}

void StatusBar::setSnapshot(const core::Snapshot& snapshot) {
  const core::EngineTimings& t = snapshot.timings;
  auto number = [](double value) { return value > 0 ? fixedText(value) : QStringLiteral("–"); };
  fields_[kSpeed].value = number(t.tokens_per_s);
  fields_[kGpuTime].value = number(t.gpu_ms_per_token);
  fields_[kViews].value = t.probe_ms > 0 ? QStringLiteral("+") + fixedText(t.probe_ms) : QStringLiteral("–");
  fields_[kCache].value = snapshot.model ? bytesText(snapshot.model->cache_bytes) : QStringLiteral("–");
  const std::uint64_t total = snapshot.memory.used + snapshot.memory.available;
  fields_[kMemory].value = total == 0 ? QStringLiteral("–")
                                      : tr("%1 of %2").arg(bytesText(snapshot.memory.used), bytesText(total));
  memory_ = snapshot.memory;
  model_ = snapshot.model;
  QString tooltip = tr("Device memory used by Vitrine, of what the device would give it");
  if (snapshot.model)
    tooltip += tr("\nweights %1 · cache %2 · scratch %3")
                   .arg(bytesText(snapshot.model->weight_bytes), bytesText(snapshot.model->cache_bytes),
                        bytesText(snapshot.model->scratch_bytes));
  fields_[kMemory].tooltip = tooltip;
  update();
}

int StatusBar::widthOf(const FieldState& field) const {
  const int gap = theme_.sizes().step;
  const QFontMetrics plain(theme_.smallFont()), bold(valueFont());
  int width = bold.horizontalAdvance(field.widest) + gap;
  if (!field.before.isEmpty()) width += plain.horizontalAdvance(field.before) + gap;
  if (!field.after.isEmpty()) width += plain.horizontalAdvance(field.after);
  if (&field == &fields_[kMemory]) width += kMemoryBar * theme_.sizes().step / 4 + 2 * gap;
  return width;
}

void StatusBar::arrange() {
  const int gap = theme_.sizes().step * 5, margin = theme_.sizes().step * 3;
  // The most important first: they get the room.
  int room = width() - 2 * margin;
  for (auto& field : fields_) field.rect = {};
  std::array<bool, kFields> shown{};
  for (const Field field : {kMemory, kSpeed, kGpuTime, kViews, kCache}) {
    const int needed = widthOf(fields_[field]) + gap;
    if (needed > room) break;
    shown[field] = true;
    room -= needed;
  }
  int x = margin;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (!shown[i]) continue;
    fields_[i].rect = {x, 1, widthOf(fields_[i]), height() - 1};
    x = fields_[i].rect.right() + gap;
  }
  device_rect_ = room >= kLeastDevice ? QRect(width() - margin - room, 1, room, height() - 1) : QRect();
  device_shown_ = QFontMetrics(theme_.smallFont()).elidedText(device_, Qt::ElideMiddle, device_rect_.width());
  update();
}

void StatusBar::resizeEvent(QResizeEvent*) {
  arrange();
}

void StatusBar::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), toQt(theme_.colors().header));
  painter.fillRect(0, 0, width(), 1, toQt(theme_.colors().line));
  for (const auto& field : fields_)
    if (!field.rect.isEmpty()) paintField(painter, field);
  painter.setFont(theme_.smallFont());
  painter.setPen(toQt(theme_.colors().text_secondary));
  painter.drawText(device_rect_, Qt::AlignRight | Qt::AlignVCenter, device_shown_);
}

void StatusBar::paintField(QPainter& painter, const FieldState& field) {
  const int gap = theme_.sizes().step;
  QRect rest = field.rect;
  auto write = [&](const QString& text, const QFont& font, Rgba color, int width, Qt::Alignment align) {
    painter.setFont(font);
    painter.setPen(toQt(color));
    painter.drawText(QRect(rest.left(), rest.top(), width, rest.height()), int(align | Qt::AlignVCenter),
                     text);
    rest.setLeft(rest.left() + width + gap);
  };
  const QFontMetrics plain(theme_.smallFont()), bold(valueFont());
  const Rgba secondary = theme_.colors().text_secondary;
  if (!field.before.isEmpty())
    write(field.before, theme_.smallFont(), secondary, plain.horizontalAdvance(field.before), Qt::AlignLeft);
  if (&field == &fields_[kMemory]) {
    const int width = kMemoryBar * theme_.sizes().step / 4;
    paintMemory(painter, QRect(rest.left() + gap, rest.center().y() - gap + 1, width, gap * 2));
    rest.setLeft(rest.left() + width + 2 * gap);
  }
  const bool leads = field.before.isEmpty();  // right-aligned against its unit, so that the unit stands still
  write(field.value, valueFont(), theme_.colors().text, bold.horizontalAdvance(field.widest),
        leads ? Qt::AlignRight : Qt::AlignLeft);
  if (field.after.isEmpty()) return;
  // A value in the middle of a sentence is followed by its unit at once.
  if (!leads)
    rest.setLeft(rest.left() - bold.horizontalAdvance(field.widest) + bold.horizontalAdvance(field.value));
  write(field.after, theme_.smallFont(), secondary, plain.horizontalAdvance(field.after) + gap,
        Qt::AlignLeft);
}

// Weights, cache and the rest of what is used, of all that there is.
void StatusBar::paintMemory(QPainter& painter, const QRect& bar) {
  const Colors& colors = theme_.colors();
  painter.setPen(Qt::NoPen);
  painter.fillRect(bar, toQt(colors.pressed));
  const double total = double(memory_.used + memory_.available);
  if (total <= 0) return;
  const double weights = model_ ? double(model_->weight_bytes) : 0;
  const double cache = model_ ? double(model_->cache_bytes) : 0;
  const double rest = std::max(0.0, double(memory_.used) - weights - cache);
  double x = bar.left();
  for (const auto& [bytes, color] :
       {std::pair{weights, colors.accent}, {cache, colors.key}, {rest, colors.second_series}}) {
    const double width = std::min(bytes / total * bar.width(), bar.left() + bar.width() - x);
    painter.fillRect(QRectF(x, bar.top(), width, bar.height()), toQt(color));
    x += width;
  }
}

bool StatusBar::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QWidget::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const auto field = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const FieldState& f) { return f.rect.contains(help->pos()); });
  if (field != fields_.end())
    QToolTip::showText(help->globalPos(), field->tooltip, this, field->rect);
  else if (device_rect_.contains(help->pos()))
    QToolTip::showText(help->globalPos(), tr("Device: %1").arg(device_), this, device_rect_);
  else
    QToolTip::hideText();
  return true;
}

}  // namespace vitrine::ui
