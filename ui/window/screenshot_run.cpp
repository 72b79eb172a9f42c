#include "ui/window/screenshot_run.h"

#include "ui/shown_row.h"
#include "ui/window/notable_head.h"

#include <QDir>

namespace vitrine::ui {
namespace {

constexpr int kPollMs = 200;
constexpr int kEnoughMs = 60'000;     // after this generation is stopped
constexpr int kPatienceMs = 240'000;  // until the model is loaded and something is to be seen
constexpr int kLeastSettleMs = 800;   // for the window to be laid out and drawn anew
constexpr int kMostSettleMs = 20'000;
constexpr int kFigureDpi = 300;

}  // namespace

ScreenshotRun::ScreenshotRun(MainWindow& window, ThemeController& theme, Selection& selection,
                             FigureExporter& exporter, std::filesystem::path folder, QObject* parent)
    : QObject(parent),
      window_(window),
      theme_(theme),
      selection_(selection),
      exporter_(exporter),
      folder_(QString::fromStdString(folder.string())) {
  connect(&timer_, &QTimer::timeout, this, &ScreenshotRun::poll);
  connect(&settling_, &QTimer::timeout, this, &ScreenshotRun::settle);
  connect(&exporter_, &FigureExporter::failed, this, &ScreenshotRun::finished);
  connect(&exporter_, &FigureExporter::written, this, &ScreenshotRun::nextStep);
  clock_.start();
  timer_.start(kPollMs);
}

bool ScreenshotRun::hasGenerated() const {
  const core::Snapshot& snapshot = window_.snapshot();
  return snapshot.tokens && !snapshot.tokens->empty() && !snapshot.tokens->back().prompt;
}

void ScreenshotRun::poll() {
  const core::Snapshot& snapshot = window_.snapshot();
  const bool impatient = clock_.elapsed() > kPatienceMs;
  const bool running = snapshot.state != core::EngineState::kReady;
  if (snapshot.error) {
    timer_.stop();
    return emit finished(QString::fromStdString(snapshot.error->describe()));
  }
  if (hasGenerated() && running && clock_.elapsed() > kEnoughMs) window_.actions().stop->trigger();
  if (hasGenerated() && ((!running && pictureIsCurrent()) || impatient)) {
    timer_.stop();
    if (const auto head = notableHead(snapshot)) selection_.setHead(*head);
    planShots();
    return nextStep();
  }
  if (impatient) {
    timer_.stop();
    emit finished(tr("nothing was generated within %1 s").arg(kPatienceMs / 1000));
  }
}

bool ScreenshotRun::pictureIsCurrent() const {
  const core::Snapshot& snapshot = window_.snapshot();
  if (!snapshot.map || !snapshot.row || !snapshot.overview || !snapshot.heads || !snapshot.tokens)
    return false;
  const Head head = selection_.head();
  const auto& map = *snapshot.map;
  return map.tokens == snapshot.tokens->size() && map.request.layer == head.layer &&
         map.request.head == head.head && snapshot.overview->tokens == snapshot.tokens->size() &&
         isShownRow(*snapshot.row, selection_);
}

void ScreenshotRun::settle() {
  const qint64 waited = settling_since_.elapsed();
  const bool shown = shown_ ? shown_() : pictureIsCurrent();
  const int most = shown_ ? kPatienceMs : kMostSettleMs;  // a tab may compute for a while
  if (waited < kLeastSettleMs || (!shown && waited < most)) return;
  settling_.stop();
  nextStep();
}

// Of the newest query, so that the selection is to be seen.
void ScreenshotRun::lockStrongestKey() {
  const auto& row = window_.snapshot().row;
  if (!row || !isShownRow(*row, selection_)) return;
  const auto keys = topKeys(row->probability, 1);
  if (!keys.empty()) selection_.lock({row->request.query, keys.front().key});
}

void ScreenshotRun::planShots() {
  QDir().mkpath(folder_);
  auto arrange = [this](ThemeChoice theme, QSize size) {
    steps_.push_back([this, theme, size] {
      theme_.setChoice(theme);
      window_.resize(size);
      settling_since_.start();
      settling_.start(kPollMs);
    });
  };
  auto shot = [this](const QString& name) { steps_.push_back([this, name] { shoot(name); }); };
  arrange(ThemeChoice::kDark, {1600, 1000});
  steps_.push_back([this] {
    lockStrongestKey();
    nextStep();
  });
  arrange(ThemeChoice::kDark, {1600, 1000});
  shot("window-dark.png");
  arrange(ThemeChoice::kLight, {1600, 1000});
  shot("window-light.png");
  arrange(ThemeChoice::kDark, {1000, 640});
  shot("window-small.png");
  for (const Tab& tab : tabs_) planTab(tab);
  steps_.push_back([this] {
    exporter_.write({"icml-column", {"pdf", "svg", "png", "csv", "npz", "tex"}, kFigureDpi, folder_});
  });
}

void ScreenshotRun::addTab(int tab, QString file, std::function<bool()> complete) {
  tabs_.push_back({tab, std::move(file), std::move(complete)});
}

void ScreenshotRun::planTab(const Tab& tab) {
  const auto wait = [this] {
    settling_since_.start();
    settling_.start(kPollMs);
  };
  steps_.push_back([this, tab, wait] {
    window_.resize(1600, 1000);
    window_.showView(tab.index);
    shown_ = tab.complete;
    wait();
  });
  steps_.push_back(wait);  // for the picture of the last result
  steps_.push_back([this, tab] { shoot(tab.file); });
  steps_.push_back([this, wait] {
    window_.showView(0);
    shown_ = nullptr;
    wait();
  });
}

void ScreenshotRun::nextStep() {
  if (steps_.empty()) return emit finished({});
  const auto step = std::move(steps_.front());
  steps_.pop_front();
  step();
}

void ScreenshotRun::shoot(const QString& name) {
  const QString path = QDir(folder_).filePath(name);
  if (!window_.grabImage().save(path)) {
    steps_.clear();
    return emit finished(tr("%1: cannot be written; choose another folder").arg(path));
  }
  nextStep();
}

}  // namespace vitrine::ui
