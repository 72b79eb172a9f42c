// From Qt's events to Dear ImGui's inputs. Events wait here until the next frame; where two of them would
// hide each other (pressed and released between two frames) the second waits for the frame after.
#pragma once

#include <imgui.h>

#include <QEvent>

#include <deque>
#include <utility>
#include <vector>

namespace vitrine::ui {

struct KeyPress {
  int key = 0;  // Qt::Key
  Qt::KeyboardModifiers modifiers;
};

class InputQueue {
 public:
  // Takes mouse, wheel, focus and leave events; false for any other.
  bool add(const QEvent& event);
  void addKey(KeyPress press) { keys_.push_back(press); }

  // Puts the waiting inputs into `io` for the frame that starts now, positions divided by `zoom`. Returns
  // whether some still wait.
  bool apply(ImGuiIO& io, double zoom);
  std::vector<KeyPress> takeKeys() { return std::exchange(keys_, {}); }

 private:
  struct Input {
    enum class Kind { kMove, kLeave, kButton, kWheel, kFocus } kind{};
    float x = 0, y = 0;  // position, or wheel notches
    int button = 0;
    bool down = false;
    Qt::KeyboardModifiers modifiers;
  };
  void addMove(double x, double y, Qt::KeyboardModifiers modifiers);
  std::deque<Input> inputs_;
  std::vector<KeyPress> keys_;
};

}  // namespace vitrine::ui
