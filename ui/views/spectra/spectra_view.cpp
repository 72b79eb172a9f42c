#include "ui/views/spectra/spectra_view.h"

#include "ui/views/spectra/live_report.h"
#include "ui/views/spectra/spectra_facts.h"
#include "ui/views/spectra/spectra_figures.h"

#include <QApplication>
#include <QFileDialog>
#include <QVBoxLayout>

#include <algorithm>

namespace vitrine::ui::spectra {
namespace {

constexpr int kLineHeight = 2, kSettled = 400;  // pixels; milliseconds without a change of an adapter's scale

}  // namespace

Result<std::unique_ptr<SpectraView>> SpectraView::create(const CanvasView::Parts& parts,
                                                         const ThemeController& theme,
                                                         core::SpectraWorkerOptions options) {
  std::unique_ptr<SpectraView> view(new SpectraView(parts, theme, std::move(options)));
  auto content =
      std::make_unique<SpectraContent>(parts.device, view->state_, parts.selection, parts.settings);
  view->content_ = content.get();
  TRY_ASSIGN(view->canvas_, CanvasView::create(parts, view->title(), std::move(content)));
  view->build(theme);
  return view;
}

SpectraView::SpectraView(const CanvasView::Parts& parts, const ThemeController&,
                         core::SpectraWorkerOptions options)
    : selection_(parts.selection), settings_(parts.settings), jobs_(&parts.device, std::move(options)) {}

SpectraView::~SpectraView() {
  jobs_.disconnect(this);
  canvas_.reset();
  if (page_ && !page_->parent()) delete page_;
}

void SpectraView::build(const ThemeController& theme) {
  page_ = new QWidget;
  bar_ = new SpectraBar(state_, theme, page_);
  progress_ = new QProgressBar(page_);
  progress_->setTextVisible(false);
  progress_->setProperty("role", "line");
  progress_->setFixedHeight(kLineHeight);
  auto* column = new QVBoxLayout(page_);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(bar_);
  column->addWidget(progress_);
  column->addWidget(canvas_->widget(), 1);
  page_->installEventFilter(this);
  adapters_timer_.setSingleShot(true);
  adapters_timer_.setInterval(kSettled);

  connect(bar_, &SpectraBar::subjectChosen, this, &SpectraView::chooseSubject);
  connect(bar_, &SpectraBar::referenceChosen, this, &SpectraView::chooseReference);
  const auto focus = qOverload<>(&QWidget::setFocus);
  connect(bar_, &SpectraBar::subjectChosen, canvas_->widget(), focus);
  connect(bar_, &SpectraBar::referenceChosen, canvas_->widget(), focus);
  connect(bar_, &SpectraBar::fileWanted, this, [this] { chooseFile(false); });
  connect(bar_, &SpectraBar::folderWanted, this, [this] { chooseFile(true); });
  connect(bar_, &SpectraBar::leave, canvas_->widget(), focus);
  connect(bar_, &SpectraBar::computeOrCancel, this, [this] {
    state_.running() ? jobs_.cancel(state_.subject()) : jobs_.compute(state_.subject(), true);
  });
  connect(&adapters_timer_, &QTimer::timeout, this, &SpectraView::applyAdapters);
  connect(canvas_.get(), &View::probesChanged, this, &View::probesChanged);
  connect(&canvas_->canvasWindow(), &CanvasWindow::drawn, this, &SpectraView::describeLive);
  connectState();
  showState();
}

void SpectraView::connectState() {
  connect(&jobs_, &SpectraJobs::changed, this, [this](Subject subject) {
    state_.setSnapshot(jobs_.snapshot(subject), subject);
    if (subject == Subject::kHeadGraph) state_.graph().setSource(jobs_.headGraph());
  });
  connect(&jobs_, &SpectraJobs::nullsChanged, this, [this] {
    const auto found = jobs_.nulls();
    for (std::size_t i = 0; i < found->total(); ++i)
      if (found->results[i].settled()) state_.addNull((*found->matrices)[i].name, found->results[i]);
  });
  connect(&state_, &SpectraState::cancelRequested, this, [this] { jobs_.cancel(state_.subject()); });
  connect(&state_, &SpectraState::computeRequested, this, [this] { jobs_.compute(state_.subject(), true); });
  // Queued: a dialogue runs events, and frames must not be drawn within a frame.
  connect(
      &state_, &SpectraState::referenceRequested, this, [this] { chooseFile(true); }, Qt::QueuedConnection);
  connect(&state_, &SpectraState::subjectRequested, this, &SpectraView::chooseSubject);
  connect(&state_, &SpectraState::filterRequested, bar_, &SpectraBar::focusFilter);
  connect(&state_, &SpectraState::changed, this, &SpectraView::showState);
  connect(&state_, &SpectraState::headChosen, &selection_, &Selection::setHead);
  connect(&selection_, &Selection::headChanged, this, [this](Head head) {
    state_.setPreferredLayer(head.layer);
    state_.setHead(head);
  });
  connect(qApp, &QCoreApplication::aboutToQuit, &jobs_, &SpectraJobs::cancelAll);
}

void SpectraView::setSnapshot(std::shared_ptr<const core::Snapshot> snapshot) {
  const std::filesystem::path model = snapshot->model ? snapshot->model->path : std::filesystem::path();
  if (model != jobs_.model()) {
    jobs_.setModel(model);
    state_.clearNulls();
    adapters_.clear();
    of_adapters_.clear();
    offerReferences();
    model_name_ = snapshot->model ? snapshot->model->name : "";
    state_.setPreferredLayer(snapshot->model ? snapshot->model->layers / 2 : 0);
    if (state_.subject() == Subject::kComparison) state_.setSubject(Subject::kWeights);
  }
  setAdapters(*snapshot);
  newest_ = std::move(snapshot);
  if (isLive(state_.subject())) canvas_->setSnapshot(newest_);
  computeOnceShown();
}

// As they are now, with their scales.
void SpectraView::setAdapters(const core::Snapshot& snapshot) {
  std::vector<core::AdapterChoice> adapters;
  if (snapshot.model)
    for (const core::AdapterSummary& adapter : snapshot.model->adapters)
      adapters.push_back({adapter.folder, adapters.size() < snapshot.adapter_scales.size()
                                              ? snapshot.adapter_scales[adapters.size()]
                                              : adapter.scale});
  const auto same = [](const core::AdapterChoice& a, const core::AdapterChoice& b) {
    return a.folder == b.folder && a.scale == b.scale;
  };
  if (std::ranges::equal(adapters, adapters_, same)) return;
  const bool first = adapters_.empty();
  adapters_ = std::move(adapters);
  first ? applyAdapters() : adapters_timer_.start();
}

// A comparison with one of them follows its scale.
void SpectraView::applyAdapters() {
  jobs_.setAdapters(adapters_);
  of_adapters_.clear();
  for (const core::AdapterChoice& adapter : adapters_) {
    of_adapters_.push_back({.path = adapter.folder, .adapter = true, .scale = adapter.scale});
    if (jobs_.reference() && jobs_.reference()->path == adapter.folder)
      jobs_.setReference(of_adapters_.back());
  }
  offerReferences();
  computeOnceShown();
}

void SpectraView::offerReferences() {
  std::vector<Reference> offered = of_adapters_;
  const auto add = [&](const Reference& reference) {
    if (std::ranges::find(offered, reference) == offered.end()) offered.push_back(reference);
  };
  for (const Reference& reference : chosen_) add(reference);
  if (jobs_.reference()) add(*jobs_.reference());
  bar_->setReferences(std::move(offered), jobs_.reference());
}

void SpectraView::chooseSubject(Subject subject) {
  // What is there to compare with needs no choosing.
  if (subject == Subject::kComparison && !jobs_.reference() && !of_adapters_.empty())
    return chooseReference(of_adapters_.front());
  const bool was_live = isLive(state_.subject());
  state_.setSubject(subject);
  if (isLive(subject) && newest_) canvas_->setSnapshot(newest_);
  if (was_live || isLive(subject)) emit probesChanged();
  computeOnceShown();
}

void SpectraView::chooseReference(const std::optional<Reference>& reference) {
  if (!reference) return chooseSubject(Subject::kWeights);
  jobs_.setReference(reference);
  state_.setSubject(Subject::kComparison);
  const core::SpectraState was = jobs_.snapshot(Subject::kComparison)->state;
  jobs_.compute(Subject::kComparison,
                was == core::SpectraState::kFailed || was == core::SpectraState::kCancelled);
  offerReferences();
}

void SpectraView::chooseFile(bool folder) {
  const QString from = QString::fromStdString(jobs_.model().parent_path().string());
  const QString path =
      folder ? QFileDialog::getExistingDirectory(
                   page_->window(), tr("The base of this fine-tune, or an adapter of this model"), from)
             : QFileDialog::getOpenFileName(page_->window(), tr("The base of this fine-tune"), from,
                                            tr("Models (*.gguf *.safetensors);;All files (*)"));
  if (path.isEmpty()) return;
  const Reference reference = referenceAt(path.toStdString());
  if (std::ranges::find(chosen_, reference) == chosen_.end()) chosen_.push_back(reference);
  chooseReference(reference);
}

core::ProbeRequest SpectraView::probes() const {
  return isLive(state_.subject()) ? canvas_->probes() : core::ProbeRequest{};
}

// After each frame: what is told beside the canvas is of the picture that the canvas has.
void SpectraView::describeLive() {
  if (!isLive(state_.subject())) return;
  const core::StreamSpectrum* spectrum = live().selected();
  if (spectrum == described_ && live().selectedRow() == described_row_ && note() == described_note_) return;
  described_ = spectrum;
  described_row_ = live().selectedRow();
  described_note_ = note();
  emit described();
}

void SpectraView::computeOnceShown() {
  if (page_ && page_->isVisible()) jobs_.compute(state_.subject());
}

bool SpectraView::eventFilter(QObject* watched, QEvent* event) {
  if (watched == page_ && event->type() == QEvent::Show) computeOnceShown();
  return View::eventFilter(watched, event);
}

void SpectraView::showState() {
  const core::SpectraSnapshot& snapshot = state_.snapshot();
  bar_->showState();
  const bool running = state_.running();
  progress_->setRange(0,
                      running && snapshot.total() == 0 ? 0 : int(std::max<std::size_t>(1, snapshot.total())));
  progress_->setValue(running ? int(snapshot.done) : 0);
  if (page_->isVisible()) jobs_.computeNulls(state_.missingNulls());
  canvas_->canvasWindow().wake();
  emit described();
}

QString SpectraView::baseName() const {
  if (!jobs_.reference()) return {};
  return nameOf(jobs_.reference()->adapter ? Reference{.path = jobs_.model()} : *jobs_.reference());
}

QString SpectraView::note() const {
  if (isLive(state_.subject())) return liveNote(live());
  const core::SpectraSnapshot& snapshot = state_.snapshot();
  if (snapshot.total() == 0) return {};
  if (state_.subject() == Subject::kHeadGraph)
    return state_.graph().graph() ? tr("%1 edges of %2 · by weights, float64")
                                        .arg(state_.graph().shown().size())
                                        .arg(state_.graph().graph()->graph.edges.size())
                                  : QString();
  const QString what = isProduct(state_.subject()) ? tr("products") : tr("matrices");
  QString text = state_.order().size() == snapshot.total()
                     ? tr("%1 %2").arg(snapshot.total()).arg(what)
                     : tr("%1 of %2 %3").arg(state_.order().size()).arg(snapshot.total()).arg(what);
  switch (state_.subject()) {
    case Subject::kWeights:
      text += tr(" · exact, float64 Gram");
      if (const std::size_t previews = snapshot.previews(); previews > 0)
        text += previews == 1 ? tr(" · 1 preview so far") : tr(" · %1 previews so far").arg(previews);
      break;
    case Subject::kComparison:
      text += (jobs_.reference() && jobs_.reference()->adapter
                   ? tr(" · %1 on %2").arg(nameOf(*jobs_.reference()), baseName())
                   : tr(" · against %1").arg(baseName())) +
              tr(" · full SVD, float64");
      break;
    default:
      text += tr(" · exact, QR and SVD in float64");
  }
  if (!snapshot.left_out.empty()) text += tr(" · %1 left out").arg(snapshot.left_out.size());
  if (!snapshot.solver.empty()) text += QStringLiteral(" · ") + QString::fromStdString(snapshot.solver);
  return text;
}

std::optional<std::vector<InspectorSection>> SpectraView::inspection() const {
  return isLive(state_.subject()) ? liveFacts(live()) : factsOf(state_);
}

QStringList SpectraView::figures() const {
  return isLive(state_.subject()) ? liveFigureNames() : figureNames(state_.subject());
}

bool SpectraView::hasFigure() const {
  if (isLive(state_.subject())) return hasLiveFigure(live());
  if (state_.subject() == Subject::kHeadGraph) return state_.graph().graph() != nullptr;
  return state_.snapshot().done > state_.snapshot().failed;
}

std::optional<ViewFigure> SpectraView::figure(int content) const {
  FigureNames names{.model = model_name_, .base = baseName().toStdString(), .tuned = model_name_};
  if (jobs_.reference() && jobs_.reference()->adapter) names.tuned = nameOf(*jobs_.reference()).toStdString();
  names.colormap = settings_.colormap();
  auto made = isLive(state_.subject()) ? liveFigureOf(live(), content, model_name_)
                                       : figureOf(state_, content, names);
  if (made) made->model_path = jobs_.model();
  return made;
}

}  // namespace vitrine::ui::spectra
