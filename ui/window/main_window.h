// The window: menus, docks, the token strip, the views and the timeline, around one engine and one selection.
// It turns what the user does into requests to the engine, and snapshots into what the parts show; it knows
// no view's inside.
#pragma once

#include "core/engine/engine.h"
#include "ui/docks/figure_dock.h"
#include "ui/docks/inspector_dock.h"
#include "ui/docks/model_dock.h"
#include "ui/docks/prompt_dock.h"
#include "ui/docks/range_dock.h"
#include "ui/selection.h"
#include "ui/theme/theme_controller.h"
#include "ui/view.h"
#include "ui/view_settings.h"
#include "ui/widgets/error_banner.h"
#include "ui/widgets/state_page.h"
#include "ui/widgets/status_bar.h"
#include "ui/widgets/timeline.h"
#include "ui/widgets/token_strip.h"
#include "ui/window/command_palette.h"
#include "ui/window/recent_files.h"
#include "ui/window/responsive_layout.h"
#include "ui/window/settings_history.h"
#include "ui/window/snapshot_relay.h"
#include "ui/window/tab_row.h"
#include "ui/window/window_actions.h"

#include <QMainWindow>
#include <QSettings>
#include <QStackedWidget>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace vitrine::ui {

class MethodsWindow;

// What the window stands on; all of it outlives the window.
struct WindowParts {
  core::Engine& engine;
  SnapshotRelay& relay;
  ThemeController& theme;
  Selection& selection;
  ViewSettings& view_settings;
  QSettings& settings;
  QString device;
  // Another one, for what runs a model beside the engine; empty: there is none.
  std::function<Result<std::shared_ptr<gpu::Device>>()> open_device = {};
};

class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  // Takes the views.
  MainWindow(const WindowParts& parts, std::vector<View*> views);
  ~MainWindow() override;

  void openModel(const QString& path) { openWithAdapters(path, {}, false); }
  void openWithAdapters(const QString& path, std::vector<core::AdapterChoice> adapters, bool merge);
  void setPrompt(const QString& prompt) { prompt_dock_->setPrompt(prompt); }
  void generate();
  void setMaxTokens(std::uint32_t tokens) { prompt_dock_->setMaxTokens(tokens); }
  void setPace(double tokens_per_second) { timeline_->setPace(tokens_per_second); }
  core::SamplingSettings sampling() const { return prompt_dock_->sampling(); }
  void setSampling(const core::SamplingSettings& sampling) { prompt_dock_->setSampling(sampling); }

  const core::Snapshot& snapshot() const { return *snapshot_; }
  const WindowActions& actions() const { return actions_; }
  ResponsiveLayout& layoutModes() { return *layout_; }
  // What the shown view exports itself; nothing: the map of the selected head.
  std::optional<ViewFigure> viewFigure(int content) const;
  void showView(int index) { tab_row_->choose(index); }
  const ErrorBanner& banner() const { return *banner_; }
  const TokenStrip& strip() const { return *strip_; }
  std::vector<PaletteEntry> commands() const { return menuEntries(*menuBar()); }

  // The whole window with the view's own picture in its place, in device pixels.
  QImage grabImage();
  // Shown above the picture until it is dismissed.
  void showError(Error error);

 signals:
  // The figure dock's and menu's requests; whoever can export connects them.
  void exportFigure(vitrine::ui::FigureChoice choice);
  void previewFigure(vitrine::ui::FigureChoice choice);
  void copyFigure(vitrine::ui::FigureChoice choice);

 public slots:
  void setFigureResult(const QString& text, bool failed) { figure_dock_->setResult(text, failed); }

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void showEvent(QShowEvent* event) override;
  void closeEvent(QCloseEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  // main_window.cpp: what the window consists of
  void buildDocks();
  void buildCentral();
  void buildMenus();
  void setSnapshot(std::shared_ptr<const core::Snapshot> snapshot);
  void showState();
  void describeView();
  View* currentView() const { return views_.empty() ? nullptr : views_[std::size_t(current_view_)]; }
  void updateActions();
  void updateProbes();
  void restoreSettings();
  void saveSettings();
  void applyLayoutMode();

  // main_window_commands.cpp: what the actions do
  void connectFile();
  void connectEdit();
  void connectView();
  void connectModel();
  void connectRun();
  void connectFigureAndHelp();
  void showMethods(const QString& id);  // empty: the one that was shown last
  void fillRecentMenu();
  void chooseFile();
  void chooseFolder();
  void saveScreenshot();
  void goToQuery();
  void showPalette();
  void showShortcuts();
  void showAbout();
  void chooseFigureFolder();
  void fitRange();
  void addAdapter();
  void loadAgain();  // with the chosen context, cache and the adapters as they are now
  void load(const std::filesystem::path& model, std::vector<core::AdapterChoice> adapters, bool merge);
  std::vector<core::AdapterChoice> adapters() const;  // of the loaded model, at their scales

  core::Engine& engine_;
  ThemeController& theme_;
  Selection& selection_;
  ViewSettings& view_settings_;
  QSettings& settings_;
  QString device_;
  std::function<Result<std::shared_ptr<gpu::Device>>()> open_device_;
  std::vector<View*> views_;
  RecentFiles recent_;
  SettingsHistory history_;
  WindowActions actions_;
  WindowMenus menus_{};

  QMainWindow* area_;  // holds the docks; the timeline and the status bar run below all of it
  ModelDock* model_dock_ = nullptr;
  PromptDock* prompt_dock_ = nullptr;
  InspectorDock* inspector_dock_ = nullptr;
  RangeDock* range_dock_ = nullptr;
  FigureDock* figure_dock_ = nullptr;
  TokenStrip* strip_ = nullptr;
  TabRow* tab_row_ = nullptr;
  ErrorBanner* banner_ = nullptr;
  QProgressBar* progress_ = nullptr;
  QStackedWidget* stack_ = nullptr;
  StatePage* state_page_ = nullptr;
  Timeline* timeline_ = nullptr;
  StatusBar* status_ = nullptr;
  CommandPalette* palette_ = nullptr;
  MethodsWindow* methods_ = nullptr;  // made when it is first opened
  std::unique_ptr<ResponsiveLayout> layout_;

  std::shared_ptr<const core::Snapshot> snapshot_;
  std::optional<Error> own_error_;  // of the window itself, not of the engine
  int current_view_ = 0;
  bool docks_restored_ = false;
};

}  // namespace vitrine::ui
