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

}  // namespace
}  // namespace vitrine::ui
