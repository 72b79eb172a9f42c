#include "ui/canvas/input_queue.h"

#include <gtest/gtest.h>

#include <QMouseEvent>
#include <QWheelEvent>

namespace vitrine::ui {
namespace {

QMouseEvent mouse(QEvent::Type type, QPointF at, Qt::MouseButton button = Qt::NoButton) {
  return {type, at, at, button, button, Qt::NoModifier};
}

class InputQueueTest : public ::testing::Test {
 protected:
  InputQueueTest() : context_(ImGui::CreateContext()) { ImGui::SetCurrentContext(context_); }
  ~InputQueueTest() override { ImGui::DestroyContext(context_); }
  ImGuiIO& io() { return ImGui::GetIO(); }
  InputQueue queue_;

 private:
  ImGuiContext* context_;
};

TEST_F(InputQueueTest, AQuickClickTakesTwoFrames) {
  queue_.add(mouse(QEvent::MouseButtonPress, {10, 20}, Qt::LeftButton));
  queue_.add(mouse(QEvent::MouseButtonRelease, {10, 20}, Qt::LeftButton));
  EXPECT_TRUE(queue_.apply(io(), 1));
  EXPECT_TRUE(io().MouseDown[0]);
  EXPECT_FLOAT_EQ(io().MousePos.x, 10);
  EXPECT_FALSE(queue_.apply(io(), 1));
  EXPECT_FALSE(io().MouseDown[0]);
}

TEST_F(InputQueueTest, AClickHappensWhereThePointerWas) {
  queue_.add(mouse(QEvent::MouseButtonPress, {10, 20}, Qt::LeftButton));
  queue_.add(mouse(QEvent::MouseMove, {90, 95}));
  EXPECT_TRUE(queue_.apply(io(), 1));
  EXPECT_FLOAT_EQ(io().MousePos.x, 10);
  EXPECT_FALSE(queue_.apply(io(), 1));
  EXPECT_FLOAT_EQ(io().MousePos.y, 95);
}

TEST_F(InputQueueTest, ManyMovesAreOneAndLeavingForgetsThePointer) {
  for (int x = 0; x < 50; ++x) queue_.add(mouse(QEvent::MouseMove, QPointF(x, x)));
  EXPECT_FALSE(queue_.apply(io(), 1));
  EXPECT_FLOAT_EQ(io().MousePos.x, 49);
  queue_.add(QEvent(QEvent::Leave));
  EXPECT_FALSE(queue_.apply(io(), 1));
  EXPECT_FALSE(ImGui::IsMousePosValid(&io().MousePos));
}

TEST_F(InputQueueTest, PositionsAreOfTheZoomedCanvas) {
  queue_.add(mouse(QEvent::MouseMove, {30, 45}));
  queue_.apply(io(), 1.5);
  EXPECT_FLOAT_EQ(io().MousePos.x, 20);
  EXPECT_FLOAT_EQ(io().MousePos.y, 30);
}

TEST_F(InputQueueTest, WheelNotchesAddUp) {
  for (int notch = 0; notch < 3; ++notch)
    queue_.add(QWheelEvent({5, 6}, {5, 6}, {}, {0, 120}, Qt::NoButton, Qt::ControlModifier, Qt::NoScrollPhase,
                           false));
  queue_.apply(io(), 1);
  EXPECT_FLOAT_EQ(io().MouseWheel, 3);
  EXPECT_TRUE(io().KeyCtrl);
  EXPECT_FALSE(queue_.add(QEvent(QEvent::Resize)));
}

}  // namespace
}  // namespace vitrine::ui
