#include "ui/widgets/timeline.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace vitrine::ui {
namespace {

constexpr double kPaces[] = {0, 20, 10, 5, 2, 1};  // tokens a second
constexpr int kFastestPlayback = 60;               // tokens a second when the pace is not limited

// A button that does what the action does, and can be pressed when it can.
void follow(QAbstractButton& button, QAction& action) {
  auto sync = [&button, &action] {
    button.setEnabled(action.isEnabled());
    const QString key = action.shortcut().toString(QKeySequence::NativeText);
    button.setToolTip(key.isEmpty() ? action.toolTip() : action.toolTip() + QStringLiteral("  ") + key);
  };
  QObject::connect(&action, &QAction::changed, &button, sync);
  QObject::connect(&button, &QAbstractButton::clicked, &action, &QAction::trigger);
  sync();
}

}  // namespace

TimelineTrack::TimelineTrack(const ThemeController& theme, Selection& selection, QWidget* parent)
    : QWidget(parent), theme_(theme), selection_(selection) {
  setObjectName("timeline_track");
  setAccessibleName(tr("Timeline"));
  setToolTip(tr("Tokens of the sequence: prompt, then continuation. Drag to choose the query."));
  setFocusPolicy(Qt::StrongFocus);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(&selection_, &Selection::cellChanged, this, [this] { update(); });
  connect(&selection_, &Selection::extentChanged, this, [this] { update(); });
}

QSize TimelineTrack::sizeHint() const {
  return {theme_.sizes().strip, theme_.sizes().row};
}
QSize TimelineTrack::minimumSizeHint() const {
  return {theme_.sizes().row * 2, theme_.sizes().row};
}

void TimelineTrack::setPromptTokens(std::uint32_t tokens) {
  if (tokens == prompt_tokens_) return;
  prompt_tokens_ = tokens;
  update();
}

double TimelineTrack::positionOf(std::uint32_t token) const {
  const double margin = theme_.sizes().step;
  const std::uint32_t steps = std::max(1u, selection_.tokens()) - 1;
  return margin + (steps == 0 ? 0.0 : double(token) / steps * (width() - 2 * margin));
}

std::uint32_t TimelineTrack::tokenAt(double x) const {
  const double margin = theme_.sizes().step;
  const double span = std::max(1.0, width() - 2 * margin);
  const std::uint32_t last = std::max(1u, selection_.tokens()) - 1;
  return std::uint32_t(std::lround(std::clamp((x - margin) / span, 0.0, 1.0) * last));
}

void TimelineTrack::scrub(double x) {
  if (selection_.tokens() == 0) return;
  emit scrubbed();
  selection_.lockQuery(tokenAt(x));
}

void TimelineTrack::mousePressEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton) scrub(event->position().x());
}

void TimelineTrack::mouseMoveEvent(QMouseEvent* event) {
  if (event->buttons() & Qt::LeftButton) scrub(event->position().x());
}

void TimelineTrack::keyPressEvent(QKeyEvent* event) {
  switch (event->key()) {
    case Qt::Key_Left:
      return selection_.moveQuery(-1);
    case Qt::Key_Right:
      return selection_.moveQuery(1);
    case Qt::Key_PageUp:
      return selection_.moveQuery(-16);
    case Qt::Key_PageDown:
      return selection_.moveQuery(16);
    case Qt::Key_Home:
      return selection_.lockQuery(0);
    case Qt::Key_End:
      return selection_.unlock();
    default:
      QWidget::keyPressEvent(event);
  }
}

void TimelineTrack::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  const Colors& colors = theme_.colors();
  const double middle = height() / 2.0, half = theme_.sizes().step / 2.0;
  auto bar = [&](double from, double to, Rgba color) {
    painter.setBrush(toQt(color));
    painter.drawRoundedRect(QRectF(from, middle - half, std::max(0.0, to - from), 2 * half), half, half);
  };
  const double margin = theme_.sizes().step;
  bar(margin, width() - margin, colors.pressed);
  const auto query = selection_.query();
  if (!query) return;
  const double head = positionOf(*query);
  bar(margin, head, colors.accent);
  if (prompt_tokens_ > 0 && prompt_tokens_ < selection_.tokens()) {
    painter.setBrush(toQt(colors.text_secondary));
    const double x = (positionOf(prompt_tokens_ - 1) + positionOf(prompt_tokens_)) / 2;
    painter.drawRect(QRectF(x - 0.5, middle - 3 * half, 1, 6 * half));
  }
  painter.setBrush(toQt(hasFocus() ? colors.accent : colors.text));
  painter.drawRoundedRect(QRectF(head - half, middle - 4 * half, 2 * half, 8 * half), 1.5, 1.5);
}

Timeline::Timeline(const ThemeController& theme, Selection& selection, const TimelineActions& actions,
                   QWidget* parent)
    : QWidget(parent),
      theme_(theme),
      selection_(selection),
      actions_(actions),
      play_(new IconButton(theme, Icon::kPlay, actions.play->toolTip(), this)),
      position_(new QLabel(this)),
      track_(new TimelineTrack(theme, selection, this)),
      pace_(new QComboBox(this)),
      generate_(new QPushButton(tr("Generate"), this)),
      stop_(new QPushButton(tr("Stop"), this)) {
  setObjectName("timeline");
  setProperty("role", "foot");
  setAttribute(Qt::WA_StyledBackground);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(8, 0, 12, 0);
  row->setSpacing(4);
  auto add = [&](Icon icon, QAction* action) {
    auto* button = new IconButton(theme, icon, action->toolTip(), this);
    follow(*button, *action);
    row->addWidget(button);
  };
  add(Icon::kFirst, actions.first);
  add(Icon::kPrevious, actions.previous);
  follow(*play_, *actions.play);
  row->addWidget(play_);
  add(Icon::kNext, actions.next);
  add(Icon::kLast, actions.last);
  row->addSpacing(4);
  row->addWidget(position_);
  row->addWidget(track_, 1);
  row->addSpacing(4);
  row->addWidget(pace_);
  row->addSpacing(4);
  row->addWidget(generate_);
  row->addWidget(stop_);

  position_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  position_->setToolTip(tr("Shown query, and tokens in the sequence; counted from 0"));
  generate_->setProperty("primary", true);
  for (const double pace : kPaces)
    pace_->addItem(pace == 0 ? tr("full speed") : tr("%1 tokens/s").arg(pace), pace);
  pace_->setToolTip(tr("Pace of generation and playback, tokens a second"));
  follow(*generate_, *actions.generate);
  follow(*stop_, *actions.stop);

  connect(pace_, &QComboBox::currentIndexChanged, this, [this] {
    if (isPlaying()) player_.setInterval(int(1000 / (pace() > 0 ? pace() : kFastestPlayback)));
    emit paceChanged();
  });
  connect(&player_, &QTimer::timeout, this, &Timeline::advance);
  connect(track_, &TimelineTrack::scrubbed, this, &Timeline::pause);
  connect(&selection_, &Selection::cellChanged, this, &Timeline::showPosition);
  connect(&selection_, &Selection::extentChanged, this, &Timeline::showPosition);
  connect(&theme_, &ThemeController::changed, this, &Timeline::applyTheme);
  applyTheme();
}

void Timeline::applyTheme() {
  setFixedHeight(theme_.sizes().timeline);
  position_->setFont(theme_.monoFont());
  position_->setFixedWidth(QFontMetrics(theme_.monoFont()).horizontalAdvance("8888 / 8888"));
  showPosition();
}

double Timeline::pace() const {
  return pace_->currentData().toDouble();
}

void Timeline::setPace(double tokens_per_second) {
  const int index = pace_->findData(tokens_per_second);
  if (index >= 0) pace_->setCurrentIndex(index);
}

void Timeline::setSnapshot(const core::Snapshot& snapshot) {
  std::uint32_t prompt = 0;
  if (snapshot.tokens)
    prompt = std::uint32_t(std::count_if(snapshot.tokens->begin(), snapshot.tokens->end(),
                                         [](const core::Token& token) { return token.prompt; }));
  track_->setPromptTokens(prompt);
}

void Timeline::showPosition() {
  const auto query = selection_.query();
  position_->setText(query ? QStringLiteral("%1 / %2").arg(*query).arg(selection_.tokens())
                           : QStringLiteral("– / –"));
}

void Timeline::togglePlay() {
  if (isPlaying()) return pause();
  const auto query = selection_.query();
  if (!query) return;
  if (*query + 1 >= selection_.tokens()) selection_.lockQuery(0);
  play_->setGlyph(Icon::kPause);
  player_.start(int(1000 / (pace() > 0 ? pace() : kFastestPlayback)));
}

void Timeline::pause() {
  player_.stop();
  play_->setGlyph(Icon::kPlay);
}

void Timeline::advance() {
  const auto query = selection_.query();
  if (query && *query + 1 < selection_.tokens()) return selection_.moveQuery(1);
  selection_.unlock();  // arrived: follow the newest token
  pause();
}

}  // namespace vitrine::ui
