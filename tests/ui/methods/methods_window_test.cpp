#include "ui/methods/methods_window.h"

#include <gtest/gtest.h>

#include <QCoreApplication>
#include <QKeyEvent>

#include "support/qt_application.h"

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
