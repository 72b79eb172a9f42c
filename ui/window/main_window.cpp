#include "ui/window/main_window.h"

#include "ui/methods/methods_window.h"

#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QMimeData>
#include <QPainter>
#include <QScreen>
#include <QTimer>
#include <QVBoxLayout>

#include <utility>

namespace vitrine::ui {
namespace {

constexpr int kProgressHeight = 2;

bool canOpen(const QMimeData& data) {
  return data.hasUrls() && data.urls().size() >= 1 && data.urls().front().isLocalFile();
}

}  // namespace

MainWindow::MainWindow(const WindowParts& parts, std::vector<View*> views)
    : engine_(parts.engine),
      theme_(parts.theme),
      selection_(parts.selection),
      view_settings_(parts.view_settings),
      settings_(parts.settings),
      device_(parts.device),
      open_device_(parts.open_device),
      views_(std::move(views)),
      recent_(parts.settings),
      history_(parts.view_settings),
      actions_(makeActions(*this)),
      area_(new QMainWindow(nullptr, Qt::Widget)),
      snapshot_(std::make_shared<const core::Snapshot>()) {
  setObjectName("main_window");
  setWindowTitle(tr("Vitrine"));
  setAcceptDrops(true);
  theme_.setChoice(themeChoiceNamed(settings_.value("view/theme", "dark").toString()));
  theme_.setZoom(settings_.value("view/zoom", 1.0).toDouble());
  setMinimumSize(theme_.sizes().min_width, theme_.sizes().min_height);
  for (View* view : views_) view->setParent(this);
  buildDocks();
  buildCentral();
  palette_ = new CommandPalette(theme_, this);
  buildMenus();
  connectFile();
  connectEdit();
  connectView();
  connectModel();
  connectRun();
  connectFigureAndHelp();

  connect(&parts.relay, &SnapshotRelay::arrived, this, &MainWindow::setSnapshot);
  connect(&selection_, &Selection::headChanged, this, &MainWindow::updateProbes);
  connect(&selection_, &Selection::cellChanged, this, &MainWindow::updateProbes);
  connect(&selection_, &Selection::cellChanged, this, &MainWindow::updateActions);
  for (View* view : views_) {
    connect(view, &View::probesChanged, this, &MainWindow::updateProbes);
    connect(view, &View::described, this, [this, view] {
      if (view == currentView()) describeView();
    });
    connect(&theme_, &ThemeController::changed, view, [this, view] { view->setTheme(theme_.theme()); });
    view->setTheme(theme_.theme());
  }
  connect(&theme_, &ThemeController::changed, this, [this] {
    const bool resized = menuBar()->height() != theme_.sizes().menu;
    menuBar()->setFixedHeight(theme_.sizes().menu);
    if (layout_->update(width(), theme_.sizes())) applyLayoutMode();
    if (resized && isVisible()) QTimer::singleShot(0, this, [this] { layout_->distribute(); });
  });
  restoreSettings();
  updateActions();
  showState();
  updateProbes();
}

MainWindow::~MainWindow() = default;

void MainWindow::buildDocks() {
  model_dock_ = new ModelDock(theme_, selection_, area_);
  prompt_dock_ = new PromptDock(theme_, *actions_.generate, *actions_.stop, area_);
  inspector_dock_ = new InspectorDock(theme_, selection_, area_);
  range_dock_ = new RangeDock(theme_, view_settings_, area_);
  figure_dock_ = new FigureDock(theme_, area_);
  area_->setDockOptions(QMainWindow::AllowNestedDocks | QMainWindow::AllowTabbedDocks);
  area_->setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
  area_->setContextMenuPolicy(Qt::PreventContextMenu);
  layout_ = std::make_unique<ResponsiveLayout>(
      *area_, std::vector<QDockWidget*>{model_dock_, prompt_dock_},
      std::vector<QDockWidget*>{inspector_dock_, range_dock_, figure_dock_});
}

void MainWindow::buildCentral() {
  strip_ = new TokenStrip(theme_, selection_);
  tab_row_ = new TabRow(theme_, selection_);
  banner_ = new ErrorBanner;
  progress_ = new QProgressBar;
  progress_->setTextVisible(false);
  progress_->setFixedHeight(kProgressHeight);
  progress_->setProperty("role", "line");
  stack_ = new QStackedWidget;
  state_page_ = new StatePage;
  stack_->addWidget(state_page_);
  for (View* view : views_) {
    tab_row_->addTab(view->title());
    stack_->addWidget(view->widget());
  }
  auto* central = new QWidget;
  auto* column = new QVBoxLayout(central);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(strip_);
  column->addWidget(tab_row_);
  column->addWidget(progress_);
  column->addWidget(banner_);
  column->addWidget(stack_, 1);
  area_->setCentralWidget(central);

  timeline_ = new Timeline(theme_, selection_,
                           {actions_.play, actions_.first, actions_.previous, actions_.next, actions_.last,
                            actions_.generate, actions_.stop});
  status_ = new StatusBar(theme_, device_);
  auto* all = new QWidget(this);
  auto* rows = new QVBoxLayout(all);
  rows->setContentsMargins(0, 0, 0, 0);
  rows->setSpacing(0);
  rows->addWidget(area_, 1);
  rows->addWidget(timeline_);
  rows->addWidget(status_);
  setCentralWidget(all);

  connect(tab_row_, &TabRow::tabChosen, this, [this](int index) {
    current_view_ = index;
    showState();
    describeView();
    updateProbes();
  });
  connect(banner_, &ErrorBanner::dismissed, this, [this] {
    own_error_.reset();
    engine_.clearError();
  });
}

void MainWindow::buildMenus() {
  auto* brand = new QLabel(tr("Vitrine"), menuBar());
  brand->setProperty("role", "brand");
  menuBar()->setCornerWidget(brand, Qt::TopLeftCorner);
  menus_ = ui::buildMenus(*menuBar(), actions_);
  menuBar()->setFixedHeight(theme_.sizes().menu);
  int number = 1;
  for (QDockWidget* dock : std::initializer_list<QDockWidget*>{model_dock_, prompt_dock_, inspector_dock_,
                                                               range_dock_, figure_dock_}) {
    QAction* toggle = dock->toggleViewAction();
    toggle->setShortcut(QKeySequence(QStringLiteral("Alt+%1").arg(number++)));
    toggle->setToolTip(tr("Show or hide this panel"));
    addAction(toggle);
    menus_.docks->addAction(toggle);
    actions_.docks.push_back(toggle);
  }
}

void MainWindow::setSnapshot(std::shared_ptr<const core::Snapshot> snapshot) {
  const bool new_model = snapshot->model != snapshot_->model;
  snapshot_ = std::move(snapshot);
  const core::Snapshot& s = *snapshot_;
  if (new_model)
    setWindowTitle(s.model ? tr("%1 – Vitrine").arg(QString::fromStdString(s.model->name)) : tr("Vitrine"));
  selection_.setExtent(s.model ? s.model->layers : 0, s.model ? s.model->heads : 0,
                       s.tokens ? std::uint32_t(s.tokens->size()) : 0);
  strip_->setTokens(s.tokens);
  strip_->setRow(s.row);
  model_dock_->setSnapshot(s);
  inspector_dock_->setSnapshot(snapshot_);
  range_dock_->setSnapshot(s);
  timeline_->setSnapshot(s);
  status_->setSnapshot(s);
  tab_row_->setSnapshot(s, timeline_->pace());
  for (View* view : views_) view->setSnapshot(snapshot_);
  banner_->setError(own_error_ ? own_error_ : s.error);
  if (methods_) {
    methods_->setModel(s.model, s.adapter_scales);
    methods_->setPrompt(prompt_dock_->prompt());
  }
  showState();
  if (new_model) describeView();
  updateActions();
}

// The views while there is something to show; otherwise why not, and what to do.
void MainWindow::showState() {
  const core::Snapshot& s = *snapshot_;
  const bool loading = s.state == core::EngineState::kLoading;
  const bool busy = loading || s.state == core::EngineState::kPrefilling;
  const bool has_tokens = s.tokens && !s.tokens->empty();
  const View* view = currentView();
  const bool shows_view =
      s.model && view && (has_tokens || !view->needsTokens() || s.state == core::EngineState::kPrefilling);
  if (shows_view)
    stack_->setCurrentIndex(1 + current_view_);
  else
    stack_->setCurrentWidget(state_page_);
  if (!s.model)
    loading ? state_page_->showProgress(s) : state_page_->showEmpty();
  else if (!has_tokens)
    state_page_->showNoTokens();
  progress_->setRange(0, busy && s.progress_total == 0 ? 0 : 1000);
  progress_->setValue(busy && s.model ? progressPermille(s) : 0);
}

void MainWindow::describeView() {
  const View* view = currentView();
  if (!view) return;
  tab_row_->setNote(snapshot_->model ? view->note() : QString());
  inspector_dock_->setSections(snapshot_->model ? view->inspection() : std::nullopt);
  figure_dock_->setContents(view->figures());
  updateActions();
}

std::optional<ViewFigure> MainWindow::viewFigure(int content) const {
  const View* view = currentView();
  return view ? view->figure(content) : std::nullopt;
}

void MainWindow::updateActions() {
  const core::Snapshot& s = *snapshot_;
  const bool model = s.model != nullptr;
  const bool tokens = s.tokens && !s.tokens->empty();
  const bool loading = s.state == core::EngineState::kLoading;
  const bool running = s.state == core::EngineState::kGenerating || s.state == core::EngineState::kPrefilling;
  auto enable = [](std::initializer_list<QAction*> actions, bool on) {
    for (QAction* action : actions) action->setEnabled(on);
  };
  enable({actions_.reload, actions_.unload, actions_.add_adapter}, model && !loading);
  enable({actions_.cancel_load}, loading);
  enable({actions_.generate}, model && !loading);
  enable({actions_.continue_generation, actions_.step}, tokens && !running && !loading);
  enable({actions_.stop}, running);
  enable({actions_.truncate}, tokens && selection_.query() && *selection_.query() + 1 < selection_.tokens());
  enable({actions_.play, actions_.first, actions_.previous, actions_.next, actions_.last,
          actions_.go_to_query, actions_.copy_map, actions_.fit_map, actions_.actual_size,
          actions_.zoom_map_in, actions_.zoom_map_out, actions_.fit_range},
         tokens);
  const View* view = currentView();
  const bool own_figures = view && !view->figures().isEmpty();
  const bool figure = own_figures ? model && view->hasFigure() : tokens;
  enable({actions_.export_figure, actions_.preview_figure, actions_.copy_figure}, figure);
  figure_dock_->setAvailable(figure);
  enable({actions_.layer_up, actions_.layer_down, actions_.head_left, actions_.head_right}, model);
  enable({actions_.unlock}, selection_.isLocked());
}

void MainWindow::updateProbes() {
  core::ProbeRequest probes;
  if (!views_.empty()) probes = views_[std::size_t(current_view_)]->probes();
  const Head head = selection_.head();
  const bool has_map = snapshot_->model && snapshot_->model->hasMap(head.layer, head.head);
  if (const auto query = selection_.query(); query && has_map)
    probes.row = core::RowRequest{head.layer, head.head, *query};
  engine_.setProbes(probes);
}

void MainWindow::showError(Error error) {
  own_error_ = std::move(error);
  banner_->setError(own_error_);
}

void MainWindow::applyLayoutMode() {
  // After Qt has laid the docks out anew.
  if (isVisible() && layout_->mode() == LayoutMode::kNarrow)
    QTimer::singleShot(0, this, [this] { layout_->distribute(); });
  const bool tiny = layout_->mode() == LayoutMode::kTiny;
  tab_row_->setVisible(!tiny);
  status_->setVisible(!tiny);
}

void MainWindow::resizeEvent(QResizeEvent* event) {
  QMainWindow::resizeEvent(event);
  if (layout_->update(width(), theme_.sizes())) applyLayoutMode();
}

void MainWindow::restoreSettings() {
  view_settings_.setScale(settings_.value("view/scale", "log").toString() == "linear" ? Scale::kLinear
                                                                                      : Scale::kLog);
  if (const auto map =
          core::findColormap(settings_.value("view/colormap", "viridis").toString().toStdString()))
    view_settings_.setColormap(*map);
  history_.stack().clear();
  prompt_dock_->restore(settings_);
  timeline_->setPace(settings_.value("run/pace", 0.0).toDouble());
  if (!restoreGeometry(settings_.value("window/geometry").toByteArray())) resize(1600, 1000);
  if (const QScreen* on = screen()) resize(size().boundedTo(on->availableSize()));
  docks_restored_ = layout_->restore(settings_.value("window/docks").toByteArray());
  if (!docks_restored_) layout_->reset(theme_.sizes());
  layout_->update(width(), theme_.sizes());
  applyLayoutMode();
}

void MainWindow::saveSettings() {
  auto text = [](std::string_view name) { return QString::fromUtf8(name.data(), qsizetype(name.size())); };
  settings_.setValue("view/theme", text(name(theme_.choice())));
  settings_.setValue("view/zoom", theme_.zoom());
  settings_.setValue("view/scale", text(name(view_settings_.scale())));
  settings_.setValue("view/colormap", text(core::colormapName(view_settings_.colormap())));
  settings_.setValue("run/pace", timeline_->pace());
  settings_.setValue("window/geometry", saveGeometry());
  settings_.setValue("window/docks", layout_->save());
  prompt_dock_->save(settings_);
  figure_dock_->save(settings_);
}

void MainWindow::showEvent(QShowEvent* event) {
  QMainWindow::showEvent(event);
  strip_->setFocus();
  if (!std::exchange(docks_restored_, true)) QTimer::singleShot(0, this, [this] { layout_->distribute(); });
}

void MainWindow::closeEvent(QCloseEvent* event) {
  saveSettings();
  QMainWindow::closeEvent(event);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (canOpen(*event->mimeData())) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  if (!canOpen(*event->mimeData())) return;
  event->acceptProposedAction();
  openModel(event->mimeData()->urls().front().toLocalFile());
}

QImage MainWindow::grabImage() {
  QImage image = grab().toImage();
  if (views_.empty() || stack_->currentIndex() == 0) return image;
  View& view = *views_[std::size_t(current_view_)];
  const QImage picture = view.grabImage();
  if (picture.isNull()) return image;
  QPainter painter(&image);
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  const QWidget& place = *view.pictureWidget();
  painter.drawImage(QRect(place.mapTo(this, QPoint(0, 0)), place.size()), picture);
  return image;
}

}  // namespace vitrine::ui
