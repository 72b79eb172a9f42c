#include "ui/methods/method_runner.h"

#include <gtest/gtest.h>

#include <QCoreApplication>

#include "support/gguf_builder.h"
#include "support/qt_application.h"
#include "support/small_model.h"
#include "ui/methods/method_table.h"

namespace vitrine::ui {
namespace {

namespace methods = core::methods;

class MethodRunnerTest : public testing::Test {
 protected:
  void SetUp() override {
    tests::qtApplication();
    test::writeSmallModel(model_.path(), {.layers = 2, .width = 48, .heads = 6, .kv_heads = 2}, 1);
    QObject::connect(&runner_, &MethodRunner::finished,
                     [this](const methods::Analysis*, const QString& error) { error_ = error; });
    QObject::connect(&runner_, &MethodRunner::progressed, [this](qulonglong, qulonglong of) { of_ = of; });
  }

  void run(const methods::AnalysisSource& source) {
    ASSERT_TRUE(runner_.start(*gram_, source, methods::Parameters(gram_->parameters)));
    while (runner_.isRunning()) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
  }

  const methods::Analysis* gram_ = *methods::findAnalysis("gram-iteration");
  test::ScratchFolder model_;
  MethodRunner runner_;
  QString error_;
  qulonglong of_ = 0;
};

TEST_F(MethodRunnerTest, KeepsTheLastRunAndTellsItsProgress) {
  EXPECT_EQ(runner_.lastOf(*gram_), nullptr);
  run({.model = model_.path(), .matrices = "*layers.0.*"});
  EXPECT_EQ(error_, QString());
  ASSERT_NE(runner_.lastOf(*gram_), nullptr);
  EXPECT_FALSE(runner_.lastOf(*gram_)->result.tables.front().rows.empty());
  EXPECT_GT(of_, 0u);
}

TEST_F(MethodRunnerTest, AnErrorSaysWhatToDoAndLeavesTheLastRun) {
  run({.model = model_.path(), .matrices = "*layers.0.*"});
  run({.model = model_.path(), .matrices = "nothing*"});
  EXPECT_TRUE(error_.contains("nothing*")) << error_.toStdString();
  ASSERT_NE(runner_.lastOf(*gram_), nullptr);
  EXPECT_EQ(runner_.lastOf(*gram_)->source.matrices, "*layers.0.*");
  run({});
  EXPECT_TRUE(error_.contains("no model")) << error_.toStdString();
}

TEST_F(MethodRunnerTest, ACancelledRunLeavesNothing) {
  ASSERT_TRUE(runner_.start(*gram_, {.model = model_.path()}, methods::Parameters(gram_->parameters)));
  EXPECT_FALSE(runner_.start(*gram_, {.model = model_.path()}, methods::Parameters(gram_->parameters)));
  runner_.cancel();
  EXPECT_TRUE(runner_.isCancelling());
  while (runner_.isRunning()) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
  EXPECT_EQ(runner_.lastOf(*gram_), nullptr);
  EXPECT_EQ(error_, QString());
}

// The files that a run is given are looked for before it begins; without a device to run on it says so.
TEST_F(MethodRunnerTest, NeedsItsTextsAndADevice) {
  const auto* lock = *methods::findAnalysis("mergelock");
  const auto missing = methods::analysisInput(*lock, {.model = model_.path(), .text = model_ / "none.txt"});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().describe().find("none.txt"), std::string::npos);
  test::writeFile(model_ / "a.txt", std::as_bytes(std::span("some text", 9)));
  ASSERT_TRUE(runner_.start(*lock, {.model = model_.path(), .text = model_ / "a.txt"},
                            methods::Parameters(lock->parameters)));
  while (runner_.isRunning()) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
  EXPECT_TRUE(error_.contains("no device")) << error_.toStdString();
}

TEST_F(MethodRunnerTest, FineTunesNeedSomethingTuned) {
  const auto* intruders = *methods::findAnalysis("intruder-dimensions");
  const auto input = methods::analysisInput(*intruders, {.model = model_.path()});
  ASSERT_FALSE(input);
  EXPECT_NE(input.error().describe().find("adapter"), std::string::npos);
}

TEST(MethodTableTest, WritesCsvAndTsv) {
  const methods::Table table{"t",
                             {{"name", "", "which"}, {"size", "MB", "how much"}},
                             {{std::string("a,\"b"), 0.1}, {std::string("c"), std::nan("")}}};
  EXPECT_EQ(tableAsCsv(table), "name,size (MB)\n\"a,\"\"b\",0.1\nc,\n");
  const MethodTable model(table);
  EXPECT_EQ(cellsAsTsv(model, {model.index(1, 0), model.index(0, 1), model.index(0, 0), model.index(1, 1)}),
            "a,\"b\t0.1\nc\t-");
  EXPECT_TRUE(model.data(model.index(0, 1), Qt::TextAlignmentRole).toInt() & Qt::AlignRight);
  EXPECT_EQ(model.headerData(1, Qt::Horizontal, Qt::ToolTipRole).toString(), "how much");
}

TEST(AnalysisSourceTest, FindsTheFirstLayersNames) {
  const std::vector<std::string> gguf{"token_embd.weight", "blk.0.attn_q.weight"}, none{"wte"};
  EXPECT_EQ(methods::firstLayerGlob(gguf), "blk.0.*");
  EXPECT_EQ(methods::firstLayerGlob(none), "");
}

}  // namespace
}  // namespace vitrine::ui
