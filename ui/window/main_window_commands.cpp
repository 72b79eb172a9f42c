// What the window's actions do.
#include "ui/window/main_window.h"

#include "ui/methods/methods_window.h"
#include "ui/window/shortcuts_dialog.h"

#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QMessageBox>

#include <algorithm>

namespace vitrine::ui {
namespace {

constexpr double kMapZoomStep = 1.25, kInterfaceZoomStep = 0.125;

void check(const QActionGroup& group, int value) {
  for (QAction* action : group.actions()) action->setChecked(action->data().toInt() == value);
}

int checkedValue(const QActionGroup& group) {
  return group.checkedAction() ? group.checkedAction()->data().toInt() : 0;
}

}  // namespace

void MainWindow::load(const std::filesystem::path& model, std::vector<core::AdapterChoice> adapters,
                      bool merge) {
  own_error_.reset();
  engine_.loadModel(model, {.context = std::uint32_t(checkedValue(*actions_.contexts)),
                            .cache = core::CacheType(checkedValue(*actions_.caches)),
                            .adapters = std::move(adapters),
                            .merge_adapters = merge});
}

void MainWindow::openWithAdapters(const QString& path, std::vector<core::AdapterChoice> adapters,
                                  bool merge) {
  recent_.add(path);
  settings_.setValue("files/folder", QFileInfo(path).absolutePath());
  load(path.toStdString(), std::move(adapters), merge);
}

std::vector<core::AdapterChoice> MainWindow::adapters() const {
  std::vector<core::AdapterChoice> adapters;
  for (const core::AdapterSummary& adapter : snapshot_->model->adapters)
    adapters.push_back({adapter.folder, snapshot_->adapter_scales[adapters.size()]});
  return adapters;
}

void MainWindow::loadAgain() {
  const core::ModelSummary& model = *snapshot_->model;
  load(model.path, adapters(), !model.adapters.empty() && model.adapters.front().merged);
}

void MainWindow::addAdapter() {
  const QString path = QFileDialog::getExistingDirectory(
      this, tr("Add a LoRA adapter: adapter_config.json and adapter_model.safetensors"),
      settings_.value("files/adapters", settings_.value("files/folder")).toString());
  if (path.isEmpty() || !snapshot_->model) return;
  settings_.setValue("files/adapters", QFileInfo(path).absolutePath());
  std::vector<core::AdapterChoice> all = adapters();
  all.push_back({.folder = path.toStdString()});
  load(snapshot_->model->path, std::move(all), false);
}

void MainWindow::generate() {
  timeline_->pause();
  selection_.unlock();  // the newest token's query is what one wants to watch
  engine_.generate({.prompt = prompt_dock_->prompt().toStdString(),
                    .max_tokens = prompt_dock_->maxTokens(),
                    .sampling = prompt_dock_->sampling(),
                    .tokens_per_s_limit = timeline_->pace()});
}

void MainWindow::connectFile() {
  connect(actions_.open_file, &QAction::triggered, this, &MainWindow::chooseFile);
  connect(actions_.open_folder, &QAction::triggered, this, &MainWindow::chooseFolder);
  connect(state_page_, &StatePage::openFile, this, &MainWindow::chooseFile);
  connect(state_page_, &StatePage::openFolder, this, &MainWindow::chooseFolder);
  connect(menus_.recent, &QMenu::aboutToShow, this, &MainWindow::fillRecentMenu);
  connect(actions_.save_screenshot, &QAction::triggered, this, &MainWindow::saveScreenshot);
  connect(actions_.reload, &QAction::triggered, this, [this] {
    if (snapshot_->model) loadAgain();
  });
  connect(actions_.quit, &QAction::triggered, this, &QWidget::close);
  fillRecentMenu();
}

void MainWindow::fillRecentMenu() {
  menus_.recent->clear();
  const QStringList paths = recent_.paths();
  for (const QString& path : paths) {
    QAction* action = menus_.recent->addAction(recentLabel(path), this, [this, path] { openModel(path); });
    action->setToolTip(path);
  }
  if (!paths.isEmpty()) {
    menus_.recent->addSeparator();
    menus_.recent->addAction(tr("Clear this list"), this, [this] { recent_.clear(); });
  }
  menus_.recent->menuAction()->setEnabled(!paths.isEmpty());
}

void MainWindow::chooseFile() {
  const QString path = QFileDialog::getOpenFileName(
      this, tr("Open a model file"), settings_.value("files/folder").toString(),
      tr("Models (*.gguf *.safetensors *.safetensors.index.json);;All files (*)"));
  if (!path.isEmpty()) openModel(path);
}

void MainWindow::chooseFolder() {
  const QString path = QFileDialog::getExistingDirectory(this, tr("Open a model folder"),
                                                         settings_.value("files/folder").toString());
  if (!path.isEmpty()) openModel(path);
}

void MainWindow::saveScreenshot() {
  const QImage image = grabImage();  // before the dialog covers it
  const QString path =
      QFileDialog::getSaveFileName(this, tr("Save screenshot"), "vitrine.png", tr("PNG (*.png)"));
  if (path.isEmpty()) return;
  if (!image.save(path))
    showError({ErrorCode::kIo,
               path.toStdString() + ": the screenshot cannot be written; choose another folder", nullptr});
}

void MainWindow::connectEdit() {
  QUndoStack& stack = history_.stack();
  connect(actions_.undo, &QAction::triggered, &stack, &QUndoStack::undo);
  connect(actions_.redo, &QAction::triggered, &stack, &QUndoStack::redo);
  connect(&stack, &QUndoStack::canUndoChanged, actions_.undo, &QAction::setEnabled);
  connect(&stack, &QUndoStack::canRedoChanged, actions_.redo, &QAction::setEnabled);
  connect(&stack, &QUndoStack::undoTextChanged, this, [this](const QString& text) {
    actions_.undo->setText(text.isEmpty() ? tr("&Undo") : tr("&Undo %1").arg(text));
  });
  connect(&stack, &QUndoStack::redoTextChanged, this, [this](const QString& text) {
    actions_.redo->setText(text.isEmpty() ? tr("&Redo") : tr("&Redo %1").arg(text));
  });
  actions_.undo->setEnabled(false);
  actions_.redo->setEnabled(false);
  connect(actions_.copy_map, &QAction::triggered, this, [this] {
    if (!views_.empty()) QApplication::clipboard()->setImage(views_[std::size_t(current_view_)]->grabImage());
  });
  connect(actions_.unlock, &QAction::triggered, &selection_, &Selection::unlock);
  connect(actions_.go_to_query, &QAction::triggered, this, &MainWindow::goToQuery);
}

void MainWindow::goToQuery() {
  if (selection_.tokens() == 0) return;
  const int last = int(selection_.tokens()) - 1;
  bool accepted = false;
  const int query = QInputDialog::getInt(this, tr("Go to query"), tr("Position, 0 to %1").arg(last),
                                         int(selection_.query().value_or(0)), 0, last, 1, &accepted);
  if (accepted) selection_.lockQuery(std::uint32_t(query));
}

void MainWindow::connectView() {
  auto on_view = [this](QAction* action, auto call) {
    connect(action, &QAction::triggered, this, [this, call] {
      if (!views_.empty()) call(*views_[std::size_t(current_view_)]);
    });
  };
  on_view(actions_.fit_map, [](View& view) { view.fit(); });
  on_view(actions_.actual_size, [](View& view) { view.actualSize(); });
  on_view(actions_.zoom_map_in, [](View& view) { view.zoom(kMapZoomStep); });
  on_view(actions_.zoom_map_out, [](View& view) { view.zoom(1 / kMapZoomStep); });

  connect(actions_.toggle_scale, &QAction::toggled, this,
          [this](bool log) { view_settings_.setScale(log ? Scale::kLog : Scale::kLinear); });
  connect(actions_.fit_range, &QAction::triggered, this, &MainWindow::fitRange);
  connect(actions_.reset_range, &QAction::triggered, &view_settings_, &ViewSettings::resetRange);
  connect(actions_.colormaps, &QActionGroup::triggered, this,
          [this](QAction* action) { view_settings_.setColormap(core::ColormapId(action->data().toInt())); });
  connect(actions_.poolings, &QActionGroup::triggered, this,
          [this](QAction* action) { view_settings_.setPooling(core::Pooling(action->data().toInt())); });
  connect(actions_.next_colormap, &QAction::triggered, this, [this] {
    const auto at =
        std::find(std::begin(kSequentialMaps), std::end(kSequentialMaps), view_settings_.colormap());
    const auto next = at == std::end(kSequentialMaps) ? at : at + 1;
    view_settings_.setColormap(next == std::end(kSequentialMaps) ? kSequentialMaps[0] : *next);
  });
  connect(actions_.next_pooling, &QAction::triggered, this, [this] {
    const bool max = view_settings_.pooling() == core::Pooling::kMax;
    view_settings_.setPooling(max ? core::Pooling::kMean : core::Pooling::kMax);
  });
  auto show_settings = [this] {
    actions_.toggle_scale->setChecked(view_settings_.scale() == Scale::kLog);
    check(*actions_.colormaps, int(view_settings_.colormap()));
    check(*actions_.poolings, int(view_settings_.pooling()));
  };
  connect(&view_settings_, &ViewSettings::changed, this, show_settings);
  show_settings();

  connect(actions_.themes, &QActionGroup::triggered, this,
          [this](QAction* action) { theme_.setChoice(ThemeChoice(action->data().toInt())); });
  auto show_theme = [this] { check(*actions_.themes, int(theme_.choice())); };
  connect(&theme_, &ThemeController::changed, this, show_theme);
  show_theme();
  connect(actions_.zoom_in, &QAction::triggered, this,
          [this] { theme_.setZoom(theme_.zoom() + kInterfaceZoomStep); });
  connect(actions_.zoom_out, &QAction::triggered, this,
          [this] { theme_.setZoom(theme_.zoom() - kInterfaceZoomStep); });
  connect(actions_.zoom_reset, &QAction::triggered, this, [this] { theme_.setZoom(1.0); });
  connect(actions_.reset_layout, &QAction::triggered, this, [this] {
    layout_->reset(theme_.sizes());
    layout_->distribute();
  });
  connect(actions_.full_screen, &QAction::toggled, this,
          [this](bool on) { on ? showFullScreen() : showNormal(); });
}

void MainWindow::fitRange() {
  range_dock_->fitToData();
}

void MainWindow::connectModel() {
  check(*actions_.contexts, settings_.value("model/context", 0).toInt());
  check(*actions_.caches, settings_.value("model/cache", int(core::CacheType::kF16)).toInt());
  auto changed = [this] {
    settings_.setValue("model/context", checkedValue(*actions_.contexts));
    settings_.setValue("model/cache", checkedValue(*actions_.caches));
    if (snapshot_->model) loadAgain();
  };
  connect(actions_.contexts, &QActionGroup::triggered, this, changed);
  connect(actions_.caches, &QActionGroup::triggered, this, changed);
  connect(actions_.add_adapter, &QAction::triggered, this, &MainWindow::addAdapter);
  connect(&model_dock_->adapters(), &AdapterList::scaleChanged, this,
          [this](std::uint32_t adapter, float scale) { engine_.setAdapterScale(adapter, scale); });
  connect(&model_dock_->adapters(), &AdapterList::removeRequested, this, [this](std::uint32_t adapter) {
    const core::ModelSummary& model = *snapshot_->model;
    std::vector<core::AdapterChoice> rest = adapters();
    rest.erase(rest.begin() + adapter);
    load(model.path, std::move(rest), model.adapters.front().merged);
  });
  connect(actions_.cancel_load, &QAction::triggered, this, [this] { engine_.cancelLoad(); });
  connect(state_page_, &StatePage::cancel, this, [this] { engine_.cancelLoad(); });
  connect(actions_.unload, &QAction::triggered, this, [this] { engine_.unloadModel(); });
  connect(tab_row_, &TabRow::cancelRequested, this, [this] {
    snapshot_->state == core::EngineState::kLoading ? engine_.cancelLoad() : engine_.stop();
  });
}

void MainWindow::connectRun() {
  connect(actions_.generate, &QAction::triggered, this, &MainWindow::generate);
  connect(actions_.continue_generation, &QAction::triggered, this, [this] {
    selection_.unlock();
    engine_.continueGeneration(prompt_dock_->maxTokens(), prompt_dock_->sampling());
  });
  connect(actions_.step, &QAction::triggered, this, [this] {
    selection_.unlock();
    engine_.step(prompt_dock_->sampling());
  });
  connect(actions_.stop, &QAction::triggered, this, [this] { engine_.stop(); });
  connect(actions_.truncate, &QAction::triggered, this, [this] {
    if (const auto query = selection_.query()) engine_.truncate(*query + 1);
  });
  connect(actions_.edit_prompt, &QAction::triggered, prompt_dock_, &PromptDock::focusPrompt);
  connect(state_page_, &StatePage::writePrompt, prompt_dock_, &PromptDock::focusPrompt);

  connect(actions_.play, &QAction::triggered, timeline_, &Timeline::togglePlay);
  auto scrub = [this](QAction* action, auto move) {
    connect(action, &QAction::triggered, this, [this, move] {
      timeline_->pause();
      move(selection_);
    });
  };
  scrub(actions_.first, [](Selection& s) { s.lockQuery(0); });
  scrub(actions_.previous, [](Selection& s) { s.moveQuery(-1); });
  scrub(actions_.next, [](Selection& s) { s.moveQuery(1); });
  scrub(actions_.last, [](Selection& s) { s.unlock(); });
  connect(actions_.layer_up, &QAction::triggered, this, [this] { selection_.moveHead(-1, 0); });
  connect(actions_.layer_down, &QAction::triggered, this, [this] { selection_.moveHead(1, 0); });
  connect(actions_.head_left, &QAction::triggered, this, [this] { selection_.moveHead(0, -1); });
  connect(actions_.head_right, &QAction::triggered, this, [this] { selection_.moveHead(0, 1); });
}

void MainWindow::connectFigureAndHelp() {
  connect(actions_.export_figure, &QAction::triggered, this,
          [this] { emit exportFigure(figure_dock_->choice()); });
  connect(actions_.preview_figure, &QAction::triggered, this,
          [this] { emit previewFigure(figure_dock_->choice()); });
  connect(actions_.copy_figure, &QAction::triggered, this,
          [this] { emit copyFigure(figure_dock_->choice()); });
  connect(actions_.figure_folder, &QAction::triggered, this, &MainWindow::chooseFigureFolder);
  connect(figure_dock_, &FigureDock::exportRequested, actions_.export_figure, &QAction::trigger);
  connect(figure_dock_, &FigureDock::previewRequested, actions_.preview_figure, &QAction::trigger);
  connect(figure_dock_, &FigureDock::copyRequested, actions_.copy_figure, &QAction::trigger);
  connect(figure_dock_, &FigureDock::chooseFolder, this, &MainWindow::chooseFigureFolder);
  connect(actions_.all_methods, &QAction::triggered, this, [this] { showMethods({}); });
  connect(actions_.methods, &QActionGroup::triggered, this,
          [this](QAction* action) { showMethods(action->data().toString()); });
  connect(actions_.palette, &QAction::triggered, this, &MainWindow::showPalette);
  connect(actions_.shortcuts, &QAction::triggered, this, &MainWindow::showShortcuts);
  connect(actions_.about, &QAction::triggered, this, &MainWindow::showAbout);
}

void MainWindow::showMethods(const QString& id) {
  if (!methods_) {
    methods_ = new MethodsWindow(theme_, device_, this);
    methods_->setOpenDevice(open_device_);
    methods_->setModel(snapshot_->model, snapshot_->adapter_scales);
  }
  methods_->setPrompt(prompt_dock_->prompt());
  methods_->setFigureFolder(figure_dock_->choice().folder);
  if (!id.isEmpty()) methods_->choose(id.toStdString());
  methods_->show();
  methods_->raise();
  methods_->activateWindow();
}

void MainWindow::chooseFigureFolder() {
  const QString path =
      QFileDialog::getExistingDirectory(this, tr("Folder for figures"), figure_dock_->choice().folder);
  if (!path.isEmpty()) figure_dock_->setFolder(path);
}

void MainWindow::showPalette() {
  fillRecentMenu();
  std::vector<PaletteEntry> entries = commands();
  // What can be done now comes first.
  std::stable_partition(entries.begin(), entries.end(),
                        [](const PaletteEntry& entry) { return entry.action && entry.action->isEnabled(); });
  palette_->open(std::move(entries));
}

void MainWindow::showShortcuts() {
  auto* dialog = new ShortcutsDialog(theme_, commands(), this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->show();
}

void MainWindow::showAbout() {
  auto* box =
      new QMessageBox(QMessageBox::NoIcon, tr("About Vitrine"),
                      tr("Vitrine %1").arg(QApplication::applicationVersion()), QMessageBox::Close, this);
  box->setInformativeText(
      tr("Looks inside language models while they run.\n\nDevice: %1\nQt %2").arg(device_, qVersion()));
  box->setAttribute(Qt::WA_DeleteOnClose);
  box->show();
}

}  // namespace vitrine::ui
