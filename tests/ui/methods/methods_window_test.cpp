#include "ui/methods/methods_window.h"

#include <gtest/gtest.h>

#include <QCoreApplication>
#include <QKeyEvent>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/figure/model_hash.h"
#include "support/qt_application.h"
#include "support/small_model.h"

namespace vitrine::ui {
namespace {

class MethodsWindowTest : public testing::Test {
 protected:
  void SetUp() override {
    window_ = std::make_unique<MethodsWindow>(theme_, "none", nullptr);
    window_->show();
    list_ = window_->findChild<QListWidget*>("methods_list");
    filter_ = window_->findChild<QLineEdit*>("methods_filter");
    ASSERT_TRUE(list_ && filter_);
  }
  void press(Qt::Key key) {
    QKeyEvent event(QEvent::KeyPress, key, Qt::NoModifier);
    QCoreApplication::sendEvent(filter_, &event);
  }
  QString chosen() const { return list_->currentItem()->data(Qt::UserRole).toString(); }

  ThemeController theme_{tests::qtApplication()};
  std::unique_ptr<MethodsWindow> window_;
  QListWidget* list_ = nullptr;
  QLineEdit* filter_ = nullptr;
};

TEST_F(MethodsWindowTest, TheFilterChoosesWhatItLeaves) {
  window_->choose("clip-svd");
  filter_->setText("kronecker");
  EXPECT_EQ(chosen(), "soka");
  EXPECT_FALSE(list_->currentItem()->isHidden());
  filter_->clear();
  EXPECT_EQ(chosen(), "soka");
  filter_->setText("nothing is called this");
  EXPECT_EQ(chosen(), "soka");
  const auto* nothing = window_->findChild<QLabel*>("methods_nothing");
  ASSERT_TRUE(nothing);
  EXPECT_TRUE(nothing->isVisible());
  EXPECT_TRUE(nothing->text().contains("nothing is called this"));
  window_->run();  // not what nobody sees
  EXPECT_FALSE(window_->runner().isRunning());
  press(Qt::Key_Escape);
  EXPECT_TRUE(filter_->text().isEmpty());
  EXPECT_TRUE(window_->isVisible());
  EXPECT_FALSE(nothing->isVisible());
  press(Qt::Key_Escape);
  EXPECT_FALSE(window_->isVisible());
}

TEST_F(MethodsWindowTest, SaysWhatWentWrongWhereTheResultWouldBe) {
  window_->choose("gram-iteration");
  press(Qt::Key_Return);
  ASSERT_TRUE(window_->runner().isRunning());
  while (window_->runner().isRunning()) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
  const auto* tabs = window_->findChild<QTabWidget*>();
  const auto* said = qobject_cast<const QLabel*>(tabs->currentWidget());
  ASSERT_TRUE(said);
  EXPECT_EQ(said->property("role"), "error");
  EXPECT_TRUE(said->text().contains("no model")) << said->text().toStdString();
}

TEST_F(MethodsWindowTest, ArrowsMoveThroughTheListFromItsFilter) {
  filter_->setText("jacobi");
  const QString first = chosen();
  press(Qt::Key_Down);
  EXPECT_NE(chosen(), first);
  EXPECT_FALSE(list_->currentItem()->isHidden());
  press(Qt::Key_Up);
  EXPECT_EQ(chosen(), first);
}

TEST_F(MethodsWindowTest, TakesAdaptersWithTheScalesOfTheirSliders) {
  auto model = std::make_shared<core::ModelSummary>();
  model->path = "/models/base";
  core::AdapterSummary adapter;
  adapter.name = "tuned";
  adapter.folder = "/models/tuned";
  model->adapters = {adapter};
  const auto* said = window_->findChild<QLabel*>("methods_adapters");
  ASSERT_TRUE(said);
  EXPECT_FALSE(said->isVisible());
  for (const float scale : {1.0f, 0.25f}) {
    window_->setModel(model, {scale});
    for (const char* id : {"intruder-dimensions", "talking-heads"}) {
      SCOPED_TRACE(id);
      window_->choose(id);
      const auto source = window_->source();
      ASSERT_EQ(source.adapters.size(), 1u);
      EXPECT_EQ(source.adapters[0].folder, "/models/tuned");
      EXPECT_EQ(source.adapters[0].scale, scale);
      EXPECT_TRUE(said->isVisible());
      EXPECT_EQ(said->text(), scale == 1 ? "tuned × 1" : "tuned × 0.25");
    }
  }
  window_->choose("gram-iteration");
  EXPECT_TRUE(window_->source().adapters.empty());
  EXPECT_TRUE(said->text().startsWith("left out")) << said->text().toStdString();
}

TEST_F(MethodsWindowTest, WritesFiguresBesideTheWindowWithTheModelsHash) {
  const test::ScratchFolder folder, out;
  test::writeSmallModel(folder.path(), {.layers = 2, .width = 48, .heads = 6, .kv_heads = 2}, 1);
  auto model = std::make_shared<core::ModelSummary>();
  model->path = folder.path();
  model->tensors = {{.name = "model.layers.0.self_attn.q_proj.weight"}};
  window_->setModel(model);
  window_->setFigureFolder(QString::fromStdString(out.path().string()));
  window_->choose("gram-iteration");
  window_->run();
  const auto* empty = window_->findChild<QLabel*>("methods_empty");
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->text().startsWith("Running")) << empty->text().toStdString();
  while (window_->runner().isRunning()) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
  const auto* of = window_->findChild<ElidedLabel*>("methods_result_of");
  ASSERT_TRUE(of);
  EXPECT_TRUE(of->fullText().contains("*layers.0.*")) << of->fullText().toStdString();

  auto* button = window_->findChild<QPushButton*>("methods_export_figure");
  ASSERT_TRUE(button && button->isEnabled());
  button->click();
  EXPECT_TRUE(window_->exporter().isRunning());
  EXPECT_FALSE(button->isEnabled());
  while (window_->exporter().isRunning()) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
  EXPECT_TRUE(button->isEnabled());
  std::map<std::string, int> written;
  nlohmann::json sidecar;
  for (const auto& file : std::filesystem::directory_iterator(out.path())) {
    ++written[file.path().extension().string()];
    if (file.path().extension() == ".json") sidecar = nlohmann::json::parse(std::ifstream(file.path()));
  }
  EXPECT_EQ(written[".pdf"], 1);
  EXPECT_EQ(written[".json"], 1);
  EXPECT_GE(written[".csv"], 1);
  const auto& provenance = sidecar.contains("provenance") ? sidecar["provenance"] : sidecar;
  EXPECT_EQ(provenance["model"]["sha256"], core::modelHash(folder.path()));
  EXPECT_EQ(provenance["model"]["sha256"].get<std::string>().size(), 64u);
  EXPECT_EQ(provenance["method"], "gram-iteration");
  EXPECT_EQ(provenance["parameters"]["matrices"], "*layers.0.*");
}

// A folder that is a file.
TEST_F(MethodsWindowTest, SaysWhyAFigureCannotBeWritten) {
  const test::ScratchFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  MethodExporter exporter;
  QString why;
  QStringList files{"none yet"};
  QObject::connect(&exporter, &MethodExporter::finished,
                   [&](const QStringList& written, const QString& error) {
                     files = written;
                     why = error;
                   });
  core::Figure figure;
  figure.name = "empty";
  MethodExport job{.figure = figure,
                   .preset = *core::findFigurePreset("icml-column"),
                   .formats = {core::FigureFormat::kCsv},
                   .folder = folder.path() / "file",
                   .source = {},
                   .provenance = {}};
  ASSERT_TRUE(exporter.start(job));
  EXPECT_FALSE(exporter.start(job));
  while (exporter.isRunning()) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
  EXPECT_TRUE(files.empty());
  EXPECT_FALSE(why.isEmpty());
}

// The session's prompt stays there until another one is typed; methods that read none do not show it.
TEST_F(MethodsWindowTest, OffersTheSessionsPrompt) {
  auto* prompt = window_->findChild<QPlainTextEdit*>("methods_prompt");
  ASSERT_TRUE(prompt);
  window_->setPrompt("It was");
  EXPECT_EQ(prompt->toPlainText(), "It was");
  window_->setPrompt("It was a cold day");
  EXPECT_EQ(prompt->toPlainText(), "It was a cold day");
  prompt->setPlainText("MACBETH:");
  window_->setPrompt("It was not");
  EXPECT_EQ(prompt->toPlainText(), "MACBETH:");
  window_->choose("talking-heads");
  EXPECT_TRUE(prompt->isVisible());
  EXPECT_FALSE(prompt->toolTip().isEmpty());
  window_->choose("mergelock");
  EXPECT_FALSE(prompt->isVisible());
}

}  // namespace
}  // namespace vitrine::ui
