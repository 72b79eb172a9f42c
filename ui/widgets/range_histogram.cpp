#include "ui/widgets/range_histogram.h"

#include "ui/widgets/format.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vitrine::ui {
namespace {

constexpr double kLogLow = -8.0;  // log10 of the left end
constexpr double kGrab = 6.0;     // how near to a handle the pointer takes it, pixels

}  // namespace

double axisPosition(double probability, Scale scale) {
  if (scale == Scale::kLinear) return std::clamp(probability, 0.0, 1.0);
  return std::clamp(1.0 - std::log10(std::max(probability, kLowestProbability)) / kLogLow, 0.0, 1.0);
}

double axisProbability(double position, Scale scale) {
  position = std::clamp(position, 0.0, 1.0);
  return scale == Scale::kLinear ? position : std::pow(10.0, kLogLow * (1.0 - position));
}

RangeHistogram::RangeHistogram(const ThemeController& theme, ViewSettings& settings, QWidget* parent)
    : QWidget(parent), theme_(theme), settings_(settings) {
  setObjectName("range_histogram");
  setAccessibleName(tr("Range of the colour map"));
  setToolTip(tr(
      "Attention probabilities in the visible part of the map, counted (height is the logarithm of the "
      "count).\nDrag the handles to set what gets the first and the last colour; drag between them to move "
      "both;\ndouble-click to reset (R), N fits it to the data. Keys: Space chooses the handle, arrows move "
      "it."));
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(&theme_, &ThemeController::changed, this, [this] { updateGeometry(); });
  connect(&settings_, &ViewSettings::changed, this, [this] { update(); });
}

QSize RangeHistogram::sizeHint() const {
  return {theme_.sizes().right_dock - 24, theme_.sizes().step * 21};
}
QSize RangeHistogram::minimumSizeHint() const {
  return {theme_.sizes().right_dock / 2, theme_.sizes().step * 21};
}

void RangeHistogram::setHistogram(std::vector<std::uint32_t> bins) {
  if (bins == bins_) return;
  bins_ = std::move(bins);
  update();
}

void RangeHistogram::setQuantity(const QString& name) {
  if (name == quantity_) return;
  quantity_ = name;
  update();
}

void RangeHistogram::fitToData() {
  const double total = std::accumulate(bins_.begin(), bins_.end(), 0.0);
  auto counts = [total](std::uint32_t bin) { return bin > total / 1000; };
  const auto first = std::find_if(bins_.begin(), bins_.end(), counts);
  const auto last = std::find_if(bins_.rbegin(), bins_.rend(), counts);
  if (total <= 0 || first == bins_.end()) return;
  const double size = double(bins_.size());
  const double low = double(first - bins_.begin()) / size;
  const double high = double(bins_.rend() - last) / size;
  settings_.setRange({axisProbability(low, Scale::kLog), axisProbability(high, Scale::kLog)});
}

QRectF RangeHistogram::plot() const {
  const int step = theme_.sizes().step;
  return {0, 0, double(width()), double(step * 11)};
}

QRectF RangeHistogram::colorBar() const {
  const int step = theme_.sizes().step;
  return {0, plot().bottom() + step, double(width()), double(step * 3)};
}

double RangeHistogram::toX(double probability) const {
  return plot().left() + axisPosition(probability, settings_.scale()) * plot().width();
}

double RangeHistogram::toProbability(double x) const {
  return axisProbability((x - plot().left()) / plot().width(), settings_.scale());
}

RangeHistogram::Grip RangeHistogram::gripAt(QPointF position) const {
  const double low = toX(settings_.range().low), high = toX(settings_.range().high);
  const double to_low = std::abs(position.x() - low), to_high = std::abs(position.x() - high);
  if (std::min(to_low, to_high) <= kGrab) return to_low < to_high ? Grip::kLow : Grip::kHigh;
  if (position.x() > low && position.x() < high) return Grip::kBoth;
  return position.x() < low ? Grip::kLow : Grip::kHigh;
}

void RangeHistogram::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  grip_ = gripAt(event->position());
  if (grip_ != Grip::kBoth) key_grip_ = grip_;
  grip_offset_ = axisPosition(settings_.range().low, settings_.scale()) -
                 axisPosition(toProbability(event->position().x()), settings_.scale());
  mouseMoveEvent(event);
}

void RangeHistogram::mouseMoveEvent(QMouseEvent* event) {
  if (grip_ == Grip::kNone) {
    setCursor(gripAt(event->position()) == Grip::kBoth ? Qt::OpenHandCursor : Qt::SizeHorCursor);
    return;
  }
  const double probability = toProbability(event->position().x());
  Range range = settings_.range();
  const Scale scale = settings_.scale();
  if (grip_ == Grip::kLow) range.low = std::min(probability, range.high);
  if (grip_ == Grip::kHigh) range.high = std::max(probability, range.low);
  if (grip_ == Grip::kBoth) {
    const double span = axisPosition(range.high, scale) - axisPosition(range.low, scale);
    const double low = std::clamp(axisPosition(probability, scale) + grip_offset_, 0.0, 1.0 - span);
    range = {axisProbability(low, scale), axisProbability(low + span, scale)};
  }
  settings_.setRange(range);
}

void RangeHistogram::mouseReleaseEvent(QMouseEvent*) {
  grip_ = Grip::kNone;
}
void RangeHistogram::mouseDoubleClickEvent(QMouseEvent*) {
  grip_ = Grip::kNone;
  settings_.resetRange();
}

void RangeHistogram::keyPressEvent(QKeyEvent* event) {
  const double step = event->modifiers() & Qt::ShiftModifier ? 0.05 : 0.01;
  const double sign = event->key() == Qt::Key_Right ? 1 : event->key() == Qt::Key_Left ? -1 : 0;
  if (event->key() == Qt::Key_Space) {
    key_grip_ = key_grip_ == Grip::kLow ? Grip::kHigh : Grip::kLow;
    return update();
  }
  if (sign == 0) return QWidget::keyPressEvent(event);
  Range range = settings_.range();
  double& end = key_grip_ == Grip::kLow ? range.low : range.high;
  end = axisProbability(axisPosition(end, settings_.scale()) + sign * step, settings_.scale());
  if (range.low < range.high) settings_.setRange(range);
}

void RangeHistogram::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(plot(), toQt(theme_.colors().window));
  paintBars(painter);
  paintColorBar(painter);
  paintHandles(painter);
  paintLabels(painter);
}

void RangeHistogram::paintBars(QPainter& painter) {
  const std::uint32_t highest = bins_.empty() ? 0 : *std::max_element(bins_.begin(), bins_.end());
  if (highest == 0) return;
  const QColor inside = toQt(theme_.colors().text_disabled);
  const QColor outside = toQt(mix(theme_.colors().text_disabled, theme_.colors().window, 0.6f));
  const QRectF area = plot();
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    if (bins_[i] == 0) continue;
    const double low = axisProbability(double(i) / double(bins_.size()), Scale::kLog);
    const double high = axisProbability(double(i + 1) / double(bins_.size()), Scale::kLog);
    const double left = toX(low), right = toX(high);
    const double bar = area.height() * std::log1p(bins_[i]) / std::log1p(highest);
    const double middle = std::sqrt(low * high);
    const bool shown = middle >= settings_.range().low && middle <= settings_.range().high;
    painter.fillRect(QRectF(left, area.bottom() - bar, std::max(0.5, right - left - 1), bar),
                     shown ? inside : outside);
  }
}

void RangeHistogram::paintColorBar(QPainter& painter) {
  const QRectF bar = colorBar();
  for (int x = 0; x < int(bar.width()); ++x) {
    const double t = settings_.position(toProbability(bar.left() + x + 0.5));
    const core::Rgb8 color = core::sampleColormap(settings_.colormap(), t);
    painter.fillRect(QRectF(bar.left() + x, bar.top(), 1, bar.height()), QColor(color.r, color.g, color.b));
  }
}

void RangeHistogram::paintHandles(QPainter& painter) {
  const QColor color =
      toQt(hasFocus() || grip_ != Grip::kNone ? theme_.colors().accent : theme_.colors().text);
  for (const Grip grip : {Grip::kLow, Grip::kHigh}) {
    const double end = grip == Grip::kLow ? settings_.range().low : settings_.range().high;
    const double x = std::clamp(toX(end), 1.0, width() - 1.0);
    const bool chosen = hasFocus() && key_grip_ == grip;
    painter.fillRect(QRectF(x - 1, plot().top(), 2, colorBar().bottom() - plot().top()), color);
    const double half = chosen ? 4 : 3;
    const double left = std::clamp(x - half, 0.0, width() - 2 * half);
    painter.fillRect(QRectF(left, plot().top(), 2 * half, theme_.sizes().step * 2), color);
  }
}

void RangeHistogram::paintLabels(QPainter& painter) {
  const QRect line(0, int(colorBar().bottom()) + theme_.sizes().step / 2, width(), theme_.sizes().step * 5);
  painter.setFont(theme_.monoFont());
  painter.setPen(toQt(theme_.colors().text));
  painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter, shortNumber(settings_.range().low));
  painter.drawText(line, Qt::AlignRight | Qt::AlignVCenter, shortNumber(settings_.range().high));
  painter.setFont(theme_.smallFont());
  painter.setPen(toQt(theme_.colors().text_secondary));
  painter.drawText(line, Qt::AlignCenter, quantity_);
}

}  // namespace vitrine::ui
