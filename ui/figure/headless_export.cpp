#include "ui/figure/headless_export.h"

#include <QGuiApplication>
#include <QtGlobal>

namespace vitrine::ui {

Result<std::vector<std::filesystem::path>> exportFigureHeadless(const core::Figure& figure,
                                                                const core::FigurePreset& preset,
                                                                std::span<const core::FigureFormat> formats,
                                                                const core::FigureTarget& target,
                                                                const core::Provenance& provenance) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  int count = 1;
  char name[] = "vitrine";
  char* arguments[] = {name, nullptr};
  QGuiApplication application(count, arguments);
  return exportFigure(figure, preset, formats, target, provenance);
}

}  // namespace vitrine::ui
