#include "ui/canvas/input_queue.h"

#include <cfloat>
#include <utility>

#include <QMouseEvent>
#include <QWheelEvent>

namespace vitrine::ui {
namespace {

constexpr double kAnglePerNotch = 120, kPixelsPerNotch = 50;

int buttonIndex(Qt::MouseButton button) {
  switch (button) {
    case Qt::LeftButton:
      return ImGuiMouseButton_Left;
    case Qt::RightButton:
      return ImGuiMouseButton_Right;
    case Qt::MiddleButton:
      return ImGuiMouseButton_Middle;
    default:
      return -1;
  }
}

void applyModifiers(ImGuiIO& io, Qt::KeyboardModifiers modifiers) {
  io.KeyCtrl = modifiers.testFlag(Qt::ControlModifier);
  io.KeyShift = modifiers.testFlag(Qt::ShiftModifier);
  io.KeyAlt = modifiers.testFlag(Qt::AltModifier);
  io.KeySuper = modifiers.testFlag(Qt::MetaModifier);
}

}  // namespace

void InputQueue::addMove(double x, double y, Qt::KeyboardModifiers modifiers) {
  Input move{.kind = Input::Kind::kMove, .x = float(x), .y = float(y), .modifiers = modifiers};
  const bool replaces = !inputs_.empty() && inputs_.back().kind == Input::Kind::kMove;
  if (replaces)
    inputs_.back() = std::move(move);
  else
    inputs_.push_back(std::move(move));
}

bool InputQueue::add(const QEvent& event) {
  switch (event.type()) {
    case QEvent::MouseMove:
    case QEvent::MouseButtonPress:
    case QEvent::MouseButtonRelease:
    case QEvent::MouseButtonDblClick: {
      const auto& mouse = static_cast<const QMouseEvent&>(event);
      addMove(mouse.position().x(), mouse.position().y(), mouse.modifiers());
      const int button = buttonIndex(mouse.button());
      if (event.type() != QEvent::MouseMove && button >= 0)
        inputs_.push_back({.kind = Input::Kind::kButton,
                           .button = button,
                           .down = event.type() != QEvent::MouseButtonRelease,
                           .modifiers = mouse.modifiers()});
      return true;
    }
    case QEvent::Wheel: {
      const auto& wheel = static_cast<const QWheelEvent&>(event);
      const QPointF notches = wheel.pixelDelta().isNull() ? QPointF(wheel.angleDelta()) / kAnglePerNotch
                                                          : QPointF(wheel.pixelDelta()) / kPixelsPerNotch;
      addMove(wheel.position().x(), wheel.position().y(), wheel.modifiers());
      inputs_.push_back({.kind = Input::Kind::kWheel,
                         .x = float(notches.x()),
                         .y = float(notches.y()),
                         .modifiers = wheel.modifiers()});
      return true;
    }
    case QEvent::Leave:
      inputs_.push_back({.kind = Input::Kind::kLeave});
      return true;
    case QEvent::FocusIn:
    case QEvent::FocusOut:
      inputs_.push_back({.kind = Input::Kind::kFocus, .down = event.type() == QEvent::FocusIn});
      return true;
    default:
      return false;
  }
}

bool InputQueue::apply(ImGuiIO& io, double zoom) {
  bool button_changed[ImGuiMouseButton_COUNT] = {}, any_button = false;
  while (!inputs_.empty()) {
    const Input& input = inputs_.front();
    switch (input.kind) {
      case Input::Kind::kMove:
        if (any_button) return true;  // a click happens where the pointer was then
        io.MousePos = ImVec2(float(input.x / zoom), float(input.y / zoom));
        applyModifiers(io, input.modifiers);
        break;
      case Input::Kind::kLeave:
        if (any_button) return true;
        io.MousePos = ImVec2(-FLT_MAX, -FLT_MAX);
        break;
      case Input::Kind::kButton:
        if (button_changed[input.button]) return true;
        button_changed[input.button] = any_button = true;
        io.MouseDown[input.button] = input.down;
        applyModifiers(io, input.modifiers);
        break;
      case Input::Kind::kWheel:
        io.MouseWheelH += input.x;
        io.MouseWheel += input.y;
        applyModifiers(io, input.modifiers);
        break;
      case Input::Kind::kFocus:
        io.AddFocusEvent(input.down);
        break;
    }
    inputs_.pop_front();
  }
  return false;
}

}  // namespace vitrine::ui
