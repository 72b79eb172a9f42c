// The sequence as time: play, pause, step and scrub over its tokens (what is scrubbed to becomes the locked
// query), the pace of playback and generation, Generate and Stop.
#pragma once

#include "core/engine/engine_types.h"
#include "ui/selection.h"
#include "ui/theme/theme_controller.h"
#include "ui/widgets/icons.h"

#include <QAction>
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QTimer>
#include <QWidget>

namespace vitrine::ui {

// The track: one position a token, the prompt's part lighter, the playhead at the shown query.
class TimelineTrack : public QWidget {
  Q_OBJECT

 public:
  TimelineTrack(const ThemeController& theme, Selection& selection, QWidget* parent = nullptr);
  void setPromptTokens(std::uint32_t tokens);
  std::uint32_t tokenAt(double x) const;
  double positionOf(std::uint32_t token) const;
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 signals:
  void scrubbed();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void scrub(double x);

  const ThemeController& theme_;
  Selection& selection_;
  std::uint32_t prompt_tokens_ = 0;
};

// The window's actions that the buttons stand for.
struct TimelineActions {
  QAction *play, *first, *previous, *next, *last, *generate, *stop;
};

class Timeline : public QWidget {
  Q_OBJECT

 public:
  Timeline(const ThemeController& theme, Selection& selection, const TimelineActions& actions,
           QWidget* parent = nullptr);

  void setSnapshot(const core::Snapshot& snapshot);
  double pace() const;  // tokens a second, 0: as fast as the device
  void setPace(double tokens_per_second);
  bool isPlaying() const { return player_.isActive(); }
  void togglePlay();  // from the shown query, or from the beginning when it is the last
  void pause();

 signals:
  void paceChanged();

 private:
  void advance();
  void showPosition();
  void applyTheme();

  const ThemeController& theme_;
  Selection& selection_;
  TimelineActions actions_;
  IconButton* play_;
  QLabel* position_;
  TimelineTrack* track_;
  QComboBox* pace_;
  QPushButton *generate_, *stop_;
  QTimer player_;
};

}  // namespace vitrine::ui
