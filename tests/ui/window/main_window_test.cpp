#include "ui/window/main_window.h"

#include "support/fake_engine.h"
#include "support/fake_view.h"
#include "support/qt_application.h"

#include <gtest/gtest.h>

#include <QClipboard>
#include <QMimeData>
#include <QPushButton>
#include <QSlider>
#include <QTemporaryDir>
#include <QToolButton>

#include <map>
#include <set>

namespace vitrine::ui {
namespace {

class MainWindowTest : public ::testing::Test {
 protected:
  MainWindowTest()
      : theme(tests::qtApplication()), settings(folder.filePath("settings.ini"), QSettings::IniFormat) {
    open();
  }

  void open() {
    window.reset();
    view = new tests::FakeView;
    window = std::make_unique<MainWindow>(
        WindowParts{engine, relay, theme, selection, view_settings, settings, "test device"},
        std::vector<View*>{view});
    relay.setSource([this] { return engine.snapshot(); });
  }

  // Shows `snapshot` as the engine would.
  void publish(core::Snapshot snapshot) {
    engine.publish(std::move(snapshot));
    relay.setSource([this] { return engine.snapshot(); });
  }

  static core::Snapshot ready(const std::vector<std::string>& tokens, std::size_t generated = 0) {
    core::Snapshot snapshot;
    auto model = std::make_shared<core::ModelSummary>();
    model->name = "test-model";
    model->path = "/models/test.gguf";
    model->layers = 4;
    model->heads = 6;
    model->layer_kinds.assign(4, {"attention", 6});
    model->kv_heads = 2;
    snapshot.model = model;
    snapshot.state = core::EngineState::kReady;
    auto list = std::make_shared<std::vector<core::Token>>();
    for (std::size_t i = 0; i < tokens.size(); ++i)
      list->push_back({core::TokenId(i), tokens[i], i + generated < tokens.size()});
    if (!tokens.empty()) snapshot.tokens = list;
    return snapshot;
  }

  QTemporaryDir folder;
  tests::FakeEngine engine;
  SnapshotRelay relay;
  ThemeController theme;
  Selection selection;
  ViewSettings view_settings;
  QSettings settings;
  tests::FakeView* view = nullptr;
  std::unique_ptr<MainWindow> window;
};

core::Snapshot withAdapters(core::Snapshot snapshot) {
  auto model = std::make_shared<core::ModelSummary>(*snapshot.model);
  for (const char* name : {"one", "two"})
    model->adapters.push_back({.name = name, .folder = std::string("/adapters/") + name, .scale = 1});
  snapshot.model = model;
  snapshot.adapter_scales = {1, 1};
  return snapshot;
}

TEST_F(MainWindowTest, AnAdaptersSliderAndFieldSetItsScale) {
  core::Snapshot snapshot = withAdapters(ready({"a", "b"}));
  publish(snapshot);
  const auto sliders = window->findChildren<QSlider*>();
  const auto fields = window->findChild<AdapterList*>()->findChildren<QDoubleSpinBox*>();
  ASSERT_EQ(sliders.size(), 2);
  ASSERT_EQ(fields.size(), 2);
  sliders[1]->setValue(-25);
  EXPECT_EQ(fields[1]->value(), -0.25);
  fields[0]->setValue(7.5);  // beyond the slider
  EXPECT_EQ(sliders[0]->value(), sliders[0]->maximum());
  using Scale = std::pair<std::uint32_t, float>;
  EXPECT_EQ(engine.adapter_scales, (std::vector<Scale>{{1, -0.25f}, {0, 7.5f}}));
  // What the engine says does not take the slider out of the hand; what is loaded again keeps the scales.
  snapshot.adapter_scales = {7.5f, -0.25f};
  publish(snapshot);
  EXPECT_EQ(window->findChildren<QSlider*>(), sliders);
  window->actions().reload->trigger();
  ASSERT_EQ(engine.load_options.adapters.size(), 2u);
  EXPECT_EQ(engine.load_options.adapters[0].scale, 7.5f);
  EXPECT_EQ(engine.load_options.adapters[1].folder, "/adapters/two");
}

TEST_F(MainWindowTest, RemovingAnAdapterLoadsTheModelWithTheOthers) {
  publish(withAdapters(ready({"a"})));
  window->findChildren<QToolButton*>("remove_adapter").front()->click();
  ASSERT_EQ(engine.load_options.adapters.size(), 1u);
  EXPECT_EQ(engine.load_options.adapters[0].folder, "/adapters/two");
  EXPECT_EQ(engine.loaded.back(), "/models/test.gguf");
  publish(ready({"a"}));
  EXPECT_TRUE(window->findChildren<QSlider*>().isEmpty());
}

TEST_F(MainWindowTest, AViewMaySpeakForItselfWithoutTokens) {
  publish(ready({}));
  EXPECT_FALSE(view->widget()->isVisibleTo(window.get()));
  view->needs_tokens = false;
  view->own_note = "5 matrices";
  view->sections = {{QString(), {{"Tensor", "blk.0", ""}}}, {"Certificate", {}}};
  view->own_figures = QStringList{"one", "two"};
  emit view->described();
  publish(ready({}));
  EXPECT_TRUE(view->widget()->isVisibleTo(window.get()));
  EXPECT_TRUE(window->actions().export_figure->isEnabled());
  ASSERT_TRUE(window->viewFigure(1));
  EXPECT_EQ(window->viewFigure(1)->base_name, "two");
  const auto labels = window->findChildren<ElidedLabel*>();
  EXPECT_TRUE(
      std::ranges::any_of(labels, [](const ElidedLabel* l) { return l->fullText() == "5 matrices"; }));
  const auto lists = window->findChild<InspectorDock*>()->findChildren<FactList*>();
  const auto own = std::ranges::find_if(lists, [](const FactList* list) {
    return !list->facts().empty() && list->facts()[0].name == "Tensor";
  });
  ASSERT_NE(own, lists.end());
  EXPECT_TRUE((*own)->isVisibleTo(window.get()));

  view->sections.reset();
  view->own_note.clear();
  view->own_figures.clear();
  emit view->described();
  EXPECT_FALSE((*own)->isVisibleTo(window.get()));
  EXPECT_FALSE(window->actions().export_figure->isEnabled());  // no map without tokens
}

TEST_F(MainWindowTest, NoTwoActionsShareAKey) {
  std::map<QString, QString> owner;
  const auto entries = window->commands();
  EXPECT_GT(entries.size(), 50u);
  for (const PaletteEntry& entry : entries) {
    for (const QKeySequence& key : entry.action->shortcuts()) {
      const auto [found, fresh] = owner.emplace(key.toString(), entry.text);
      // The same action stands in two menus: File and Figure both export.
      if (!fresh) {
        EXPECT_EQ(found->second.section(" › ", -1), entry.text.section(" › ", -1))
            << key.toString().toStdString();
      }
    }
  }
  EXPECT_TRUE(owner.contains("Ctrl+K"));
  EXPECT_TRUE(owner.contains("?"));
}

TEST_F(MainWindowTest, EveryActionHasATooltipAndAPlaceInAMenu) {
  std::set<const QAction*> in_menus;
  for (const PaletteEntry& entry : window->commands()) {
    in_menus.insert(entry.action);
    EXPECT_FALSE(entry.action->toolTip().isEmpty()) << entry.text.toStdString();
  }
  for (const QAction* action : window->actions().docks) EXPECT_TRUE(in_menus.contains(action));
  for (const QAction* action : static_cast<QWidget&>(*window).actions())
    EXPECT_TRUE(in_menus.contains(action)) << action->text().toStdString();
}

TEST_F(MainWindowTest, OnlyWhatIsPossibleCanBeDone) {
  const WindowActions& actions = window->actions();
  EXPECT_FALSE(actions.generate->isEnabled());
  EXPECT_FALSE(actions.export_figure->isEnabled());
  EXPECT_TRUE(actions.open_file->isEnabled());
  publish(ready({}));
  EXPECT_TRUE(actions.generate->isEnabled());
  EXPECT_FALSE(actions.step->isEnabled());
  publish(ready({"The", "·end"}));
  EXPECT_TRUE(actions.step->isEnabled());
  EXPECT_TRUE(actions.export_figure->isEnabled());
  EXPECT_FALSE(actions.stop->isEnabled());
  core::Snapshot running = ready({"The", "·end"});
  running.state = core::EngineState::kGenerating;
  publish(running);
  EXPECT_TRUE(actions.stop->isEnabled());
  EXPECT_FALSE(actions.step->isEnabled());
  actions.stop->trigger();
  EXPECT_EQ(engine.stopped, 1);
}

TEST_F(MainWindowTest, GenerateSendsThePromptAndTheSettings) {
  publish(ready({}));
  window->setPrompt("Once upon a time");
  window->setMaxTokens(17);
  window->setPace(5);
  window->actions().generate->trigger();
  ASSERT_EQ(engine.generated.size(), 1u);
  EXPECT_EQ(engine.generated[0].prompt, "Once upon a time");
  EXPECT_EQ(engine.generated[0].max_tokens, 17u);
  EXPECT_EQ(engine.generated[0].tokens_per_s_limit, 5);
  EXPECT_EQ(engine.generated[0].sampling, core::SamplingSettings{});
}

TEST_F(MainWindowTest, TheSelectionFollowsTheSequenceAndAsksForItsRow) {
  publish(ready({"a", "b", "c"}));
  selection.setHead({2, 5});
  ASSERT_TRUE(engine.probes.row.has_value());
  EXPECT_EQ(*engine.probes.row, (core::RowRequest{2, 5, 2}));
  EXPECT_TRUE(engine.probes.overview.has_value());  // the view's own wish goes along
  publish(ready({"a", "b", "c", "d"}, 1));
  EXPECT_EQ(engine.probes.row->query, 3u);
  window->actions().previous->trigger();
  EXPECT_EQ(engine.probes.row->query, 2u);
  EXPECT_TRUE(selection.isLocked());
  window->actions().truncate->trigger();
  EXPECT_EQ(engine.truncated, std::vector<std::uint32_t>{3});
  window->actions().unlock->trigger();
  EXPECT_EQ(engine.probes.row->query, 3u);
}

TEST_F(MainWindowTest, TheBannerShowsAnErrorOnceAndKeepsItDismissed) {
  core::Snapshot snapshot = ready({"a"});
  const auto cause =
      std::make_shared<const Error>(Error{ErrorCode::kInvalidFile, "tensor 3: offset 99", nullptr});
  snapshot.error = Error{ErrorCode::kInvalidFile, "opening x.gguf", cause};
  publish(snapshot);
  EXPECT_FALSE(window->banner().isHidden());
  EXPECT_EQ(window->banner().details(), "opening x.gguf: tensor 3: offset 99");
  window->banner().findChild<QPushButton*>("copy_details")->click();
  EXPECT_EQ(QApplication::clipboard()->text(), window->banner().details());
  window->banner().findChild<QPushButton*>("dismiss")->click();
  EXPECT_EQ(engine.errors_cleared, 1);
  EXPECT_TRUE(window->banner().isHidden());
  publish(snapshot);  // the engine has not heard yet
  EXPECT_TRUE(window->banner().isHidden());
  publish(ready({"a"}));
  publish(snapshot);  // it happened again
  EXPECT_FALSE(window->banner().isHidden());
}

TEST_F(MainWindowTest, TheWindowsOwnErrorsStayUntilDismissed) {
  window->showError({ErrorCode::kIo, "disk full", nullptr});
  publish(ready({"a"}));
  EXPECT_FALSE(window->banner().isHidden());
  window->banner().findChild<QPushButton*>("dismiss")->click();
  publish(ready({"a"}));
  EXPECT_TRUE(window->banner().isHidden());
}

TEST_F(MainWindowTest, PanelsGoWhenThereIsNoRoomAndComeBack) {
  window->resize(1600, 1000);
  window->show();
  QApplication::processEvents();
  auto* inspector = window->findChild<QDockWidget*>("inspector_dock");
  auto* model = window->findChild<QDockWidget*>("model_dock");
  auto* area = qobject_cast<QMainWindow*>(inspector->parentWidget());
  EXPECT_EQ(area->dockWidgetArea(inspector), Qt::RightDockWidgetArea);
  window->resize(1000, 640);
  QApplication::processEvents();
  EXPECT_EQ(window->layoutModes().mode(), LayoutMode::kNarrow);
  EXPECT_EQ(area->dockWidgetArea(inspector), Qt::LeftDockWidgetArea);
  EXPECT_TRUE(area->tabifiedDockWidgets(model).contains(inspector));
  window->resize(640, 480);
  QApplication::processEvents();
  EXPECT_TRUE(model->isHidden());
  EXPECT_TRUE(window->findChild<QWidget*>("status_bar")->isHidden());
  EXPECT_LE(window->minimumSizeHint().width(), 640);
  EXPECT_LE(window->minimumSizeHint().height(), 480);
  window->resize(1600, 1000);
  QApplication::processEvents();
  EXPECT_EQ(area->dockWidgetArea(inspector), Qt::RightDockWidgetArea);
  EXPECT_FALSE(model->isHidden());
}

TEST_F(MainWindowTest, WhatTheUserArrangedComesBackOnTheNextStart) {
  window->resize(1600, 1000);
  window->show();
  window->findChild<QDockWidget*>("range_dock")->close();
  view_settings.setColormap(core::ColormapId::kCividis);
  theme.setChoice(ThemeChoice::kLight);
  window->close();
  view_settings.setColormap(core::ColormapId::kViridis);
  theme.setChoice(ThemeChoice::kDark);
  open();
  window->show();
  QApplication::processEvents();
  EXPECT_TRUE(window->findChild<QDockWidget*>("range_dock")->isHidden());
  EXPECT_FALSE(window->findChild<QDockWidget*>("figure_dock")->isHidden());
  EXPECT_EQ(view_settings.colormap(), core::ColormapId::kCividis);
  EXPECT_EQ(theme.choice(), ThemeChoice::kLight);
  EXPECT_EQ(view->appearance, Appearance::kLight);
  window->actions().reset_layout->trigger();
  EXPECT_FALSE(window->findChild<QDockWidget*>("range_dock")->isHidden());
}

TEST_F(MainWindowTest, AModelIsOpenedWithTheChosenOptionsAndRemembered) {
  const QString path = folder.filePath("m.gguf");
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  for (QAction* action : window->actions().contexts->actions())
    if (action->data().toInt() == 1024) action->trigger();
  window->openModel(path);
  ASSERT_EQ(engine.loaded.size(), 1u);
  EXPECT_EQ(engine.loaded[0], path.toStdString());
  EXPECT_EQ(engine.load_options.context, 1024u);
  EXPECT_EQ(RecentFiles(settings).paths(), QStringList{path});
}

TEST_F(MainWindowTest, TheStripShadesTheRowOfTheShownQueryOnly) {
  core::Snapshot snapshot = ready({"The", "·日本", "·مرحبا", "👍"});
  auto row = std::make_shared<core::RowValues>();
  row->request = {0, 0, 3};
  row->probability = {0.5f, 0.25f, 0.125f, 0.125f};
  snapshot.row = row;
  publish(snapshot);
  window->resize(1200, 800);
  window->show();
  QApplication::processEvents();
  EXPECT_EQ(window->strip().weight(0), 0.5);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(window->strip().tokenAt(window->strip().tokenRect(i).center()), i);
  selection.setHead({1, 0});  // the row of another head must not shade
  EXPECT_LT(window->strip().weight(0), 0);
  selection.setHead({0, 0});
  selection.lockQuery(2);
  EXPECT_LT(window->strip().weight(0), 0);
}

TEST_F(MainWindowTest, SaysWhatIsMissingAndWhatIsHappening) {
  auto* page = window->findChild<StatePage*>("state_page");
  auto* stack = qobject_cast<QStackedWidget*>(page->parentWidget());
  EXPECT_EQ(stack->currentWidget(), page);
  core::Snapshot loading;
  loading.state = core::EngineState::kLoading;
  loading.activity = "Loading weights";
  loading.progress_done = 25'000'000;
  loading.progress_total = 100'000'000;
  EXPECT_EQ(progressText(loading), QString("Loading weights · 25.0\u00a0MB of 100\u00a0MB"));
  EXPECT_EQ(progressPermille(loading), 250);
  publish(loading);
  EXPECT_EQ(stack->currentWidget(), page);
  publish(ready({}));
  EXPECT_EQ(stack->currentWidget(), page);
  publish(ready({"a"}));
  EXPECT_EQ(stack->currentWidget(), view->widget());
  window->actions().fit_map->trigger();
  EXPECT_EQ(view->fits, 1);
  core::Snapshot ended = ready({"a", "b"}, 1);
  ended.stop = core::StopReason::kContextFull;
  EXPECT_EQ(activityText(ended, 0), "ended: context is full");
}

TEST(SnapshotRelay, WakesOnceAndDeliversTheNewest) {
  tests::qtApplication();
  tests::FakeEngine engine;
  SnapshotRelay relay;
  std::vector<std::uint64_t> seen;
  QObject::connect(
      &relay, &SnapshotRelay::arrived,
      [&](const std::shared_ptr<const core::Snapshot>& snapshot) { seen.push_back(snapshot->sequence); });
  relay.setSource([&] { return engine.snapshot(); });
  seen.clear();
  for (int i = 0; i < 100; ++i) {
    engine.publish({});
    relay.wake();
  }
  QElapsedTimer clock;
  clock.start();
  while (seen.empty() && clock.elapsed() < 2000) QApplication::processEvents(QEventLoop::AllEvents, 20);
  EXPECT_EQ(seen, std::vector<std::uint64_t>{100});
}

}  // namespace
}  // namespace vitrine::ui
