#include "ui/views/spectra/spectra_view.h"

#include "ui/views/spectra/spectra_content.h"
#include "ui/views/spectra/spectra_facts.h"
#include "ui/views/spectra/spectra_figures.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QVBoxLayout>

#include <cmath>

namespace vitrine::ui::spectra {
namespace {

constexpr int kLineHeight = 2;

QString qtText(std::string_view text) {
  return QString::fromUtf8(text.data(), qsizetype(text.size()));
}

QString durationText(double seconds) {
  if (seconds < 10) return SpectraView::tr("%1 s").arg(seconds, 0, 'f', 1);
  if (seconds < 120) return SpectraView::tr("%1 s").arg(std::lround(seconds));
  return SpectraView::tr("%1 min").arg(std::lround(seconds / 60));
}

QLabel* barLabel(const QString& text, QWidget* buddy) {
  auto* label = new QLabel(text);
  label->setProperty("role", "secondary");
  label->setBuddy(buddy);
  return label;
}

}  // namespace

QString progressText(const core::SpectraSnapshot& snapshot) {
  if (snapshot.total() == 0) return {};
  QString text = SpectraView::tr("%1 of %2").arg(snapshot.done).arg(snapshot.total());
  if (snapshot.state == core::SpectraState::kRunning && snapshot.seconds_left >= 0)
    text += SpectraView::tr(" · %1 s left").arg(std::max(1L, std::lround(snapshot.seconds_left)));
  if (snapshot.state == core::SpectraState::kDone)
    text += snapshot.cached == snapshot.total()
                ? SpectraView::tr(" from the cache")
                : SpectraView::tr(" in %1").arg(durationText(snapshot.seconds));
  if (snapshot.state == core::SpectraState::kCancelled) text += SpectraView::tr(" · cancelled");
  if (snapshot.state == core::SpectraState::kFailed) text += SpectraView::tr(" · failed");
  if (snapshot.failed > 0) text += SpectraView::tr(" · %1 refused").arg(snapshot.failed);
  return text;
}

Result<std::unique_ptr<SpectraView>> SpectraView::create(const CanvasView::Parts& parts,
                                                         const ThemeController& theme,
                                                         core::SpectraWorkerOptions options) {
  std::unique_ptr<SpectraView> view(new SpectraView(parts, theme, std::move(options)));
  TRY_ASSIGN(view->canvas_,
             CanvasView::create(parts, view->title(),
                                std::make_unique<SpectraContent>(view->state_, parts.selection)));
  view->build(theme);
  return view;
}

SpectraView::SpectraView(const CanvasView::Parts& parts, const ThemeController&,
                         core::SpectraWorkerOptions options)
    : selection_(parts.selection),
      worker_(std::make_unique<core::SpectraWorker>(
          &parts.device, [this] { wake(); }, std::move(options))) {}

SpectraView::~SpectraView() {
  worker_.reset();
  canvas_.reset();
  if (page_ && !page_->parent()) delete page_;
}

void SpectraView::build(const ThemeController& theme) {
  page_ = new QWidget;
  auto* bar = new QWidget(page_);
  bar->setProperty("role", "bar");
  bar->setAttribute(Qt::WA_StyledBackground);
  sort_ = new QComboBox(bar);
  mode_ = new QComboBox(bar);
  filter_ = new QLineEdit(bar);
  progress_text_ = new ElidedLabel(bar);
  button_ = new QPushButton(tr("Cancel"), bar);
  progress_ = new QProgressBar(page_);
  sort_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  sort_->setMinimumContentsLength(14);
  sort_->setMaxVisibleItems(int(allMetrics().size()));
  sort_->setToolTip(
      tr("Number by which the table is sorted and that the profile shows; again: the other way "
         "round (S, R)"));
  for (const PlotMode mode : kPlotModes) mode_->addItem(qtText(name(mode)));
  mode_->setToolTip(
      tr("What the upper plot shows: values, their energy, or their density with the law of noise (D)"));
  filter_->setPlaceholderText(tr("Filter: attn_q, blk.*.ffn_*"));
  filter_->setToolTip(tr("Parts of names, with * and ?; several apart by spaces (/)"));
  filter_->setClearButtonEnabled(true);
  filter_->setMinimumWidth(80);
  filter_->setMaximumWidth(260);
  progress_text_->setProperty("role", "secondary");
  progress_text_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  progress_text_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  progress_->setTextVisible(false);
  progress_->setProperty("role", "line");
  progress_->setFixedHeight(kLineHeight);
  auto* row = new QHBoxLayout(bar);
  row->setContentsMargins(12, 0, 12, 0);
  row->setSpacing(8);
  row->addWidget(barLabel(tr("Sort"), sort_));
  row->addWidget(sort_);
  row->addSpacing(4);
  row->addWidget(barLabel(tr("Show"), mode_));
  row->addWidget(mode_);
  row->addSpacing(4);
  row->addWidget(filter_, 1);
  row->addWidget(progress_text_, 1);
  row->addWidget(button_);
  auto* column = new QVBoxLayout(page_);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(bar);
  column->addWidget(progress_);
  column->addWidget(canvas_->widget(), 1);
  const auto size = [this, bar, &theme] {
    bar->setFixedHeight(theme.sizes().view_bar);
    filter_->setFixedHeight(theme.sizes().control);
  };
  connect(&theme, &ThemeController::changed, this, size);
  size();
  page_->installEventFilter(this);

  connect(sort_, &QComboBox::activated, this,
          [this](int index) { state_.sortBy(allMetrics()[std::size_t(index)]); });
  connect(mode_, &QComboBox::activated, this,
          [this](int index) { state_.setMode(kPlotModes[std::size_t(index)]); });
  connect(filter_, &QLineEdit::textChanged, this,
          [this](const QString& text) { state_.setGlob(text.toStdString()); });
  connect(filter_, &QLineEdit::returnPressed, canvas_->widget(), qOverload<>(&QWidget::setFocus));
  connect(button_, &QPushButton::clicked, this, [this] { state_.running() ? worker_->cancel() : compute(); });
  connect(&state_, &SpectraState::cancelRequested, this, [this] { worker_->cancel(); });
  connect(&state_, &SpectraState::computeRequested, this, &SpectraView::compute);
  connect(&state_, &SpectraState::filterRequested, this, [this] {
    page_->window()->activateWindow();
    filter_->setFocus();
    filter_->selectAll();
  });
  connect(&state_, &SpectraState::changed, this, &SpectraView::showState);
  connect(qApp, &QCoreApplication::aboutToQuit, this, [this] { worker_->cancel(); });
  connect(&selection_, &Selection::headChanged, this,
          [this] { state_.setPreferredLayer(selection_.head().layer); });
  showState();
}

void SpectraView::setSnapshot(std::shared_ptr<const core::Snapshot> snapshot) {
  const std::filesystem::path model = snapshot->model ? snapshot->model->path : std::filesystem::path();
  if (model == model_) return;
  model_ = model;
  model_name_ = snapshot->model ? snapshot->model->name : "";
  computed_.clear();
  worker_->clear();
  state_.setPreferredLayer(snapshot->model ? snapshot->model->layers / 2 : 0);
  computeOnceShown();
}

void SpectraView::computeOnceShown() {
  if (page_ && page_->isVisible() && !model_.empty() && computed_ != model_) compute();
}

void SpectraView::compute() {
  if (model_.empty()) return;
  computed_ = model_;
  worker_->start(model_);
}

bool SpectraView::eventFilter(QObject* watched, QEvent* event) {
  if (watched == page_ && event->type() == QEvent::Show) computeOnceShown();
  return View::eventFilter(watched, event);
}

void SpectraView::wake() {
  if (woken_.exchange(true)) return;
  QMetaObject::invokeMethod(this, &SpectraView::deliver, Qt::QueuedConnection);
}

void SpectraView::deliver() {
  woken_ = false;  // before reading: what is published from here on wakes again
  state_.setSnapshot(worker_->snapshot());
}

void SpectraView::fillSorting() {
  const QSignalBlocker quiet(sort_);
  const auto all = allMetrics();
  while (sort_->count() < int(all.size())) sort_->addItem({});
  for (int i = 0; i < sort_->count(); ++i) {
    const Metric metric = all[std::size_t(i)];
    QString text = qtText(name(metric));
    if (metric == state_.sorting().by) {
      text += state_.sorting().descending ? QStringLiteral(" ↓") : QStringLiteral(" ↑");
      sort_->setCurrentIndex(i);
    }
    if (sort_->itemText(i) != text) sort_->setItemText(i, text);
    sort_->setItemData(i, qtText(formula(metric)), Qt::ToolTipRole);
  }
}

void SpectraView::showState() {
  const core::SpectraSnapshot& snapshot = state_.snapshot();
  fillSorting();
  mode_->setCurrentIndex(int(state_.mode()));
  progress_text_->setFullText(progressText(snapshot));
  const bool running = state_.running();
  button_->setText(running ? tr("Cancel") : tr("Compute"));
  button_->setToolTip(running ? tr("Keep what has been computed and stop (Esc)")
                              : tr("Compute the spectra; what was computed before is read from the cache"));
  button_->setVisible(running || snapshot.state == core::SpectraState::kCancelled ||
                      snapshot.state == core::SpectraState::kFailed);
  progress_->setRange(0,
                      running && snapshot.total() == 0 ? 0 : int(std::max<std::size_t>(1, snapshot.total())));
  progress_->setValue(running ? int(snapshot.done) : 0);
  canvas_->canvasWindow().wake();
  emit described();
}

QString SpectraView::note() const {
  const core::SpectraSnapshot& snapshot = state_.snapshot();
  if (snapshot.total() == 0) return {};
  QString text = state_.order().size() == snapshot.total()
                     ? tr("%1 matrices").arg(snapshot.total())
                     : tr("%1 of %2 matrices").arg(state_.order().size()).arg(snapshot.total());
  text += tr(" · exact, float64 Gram");
  if (!snapshot.solver.empty()) text += QStringLiteral(" · ") + qtText(snapshot.solver);
  return text;
}

std::optional<std::vector<InspectorSection>> SpectraView::inspection() const {
  const auto matrix = state_.inspected();
  if (!matrix || *matrix >= state_.snapshot().total()) return noFacts();
  return matrixFacts((*state_.snapshot().matrices)[*matrix], state_.snapshot().results[*matrix]);
}

QStringList SpectraView::figures() const {
  return {tr("Spectrum"), tr("Layer profile"), tr("Both")};
}

std::optional<ViewFigure> SpectraView::figure(int content) const {
  auto made = figureOf(state_, FigureContent(std::clamp(content, 0, 2)), model_name_);
  if (made) made->model_path = model_;
  return made;
}

}  // namespace vitrine::ui::spectra
