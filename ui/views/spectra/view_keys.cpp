#include "ui/views/spectra/view_keys.h"

#include <Qt>

namespace vitrine::ui::spectra {

std::optional<std::ptrdiff_t> rowsOf(int key, std::ptrdiff_t page, std::ptrdiff_t all) {
  switch (key) {
    case Qt::Key_Up:
      return -1;
    case Qt::Key_Down:
      return 1;
    case Qt::Key_PageUp:
      return -page;
    case Qt::Key_PageDown:
      return page;
    case Qt::Key_Home:
      return -all;
    case Qt::Key_End:
      return all;
    default:
      return std::nullopt;
  }
}

std::optional<double> zoomOf(int key) {
  constexpr double kStep = 1.25;
  switch (key) {
    case Qt::Key_0:
    case Qt::Key_F:
      return 0;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      return kStep;
    case Qt::Key_Minus:
      return 1 / kStep;
    default:
      return std::nullopt;
  }
}

}  // namespace vitrine::ui::spectra
