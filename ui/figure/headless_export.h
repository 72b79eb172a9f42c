// exportFigure for programs without a window: brings up what Qt needs to draw, without a display.
#pragma once

#include "ui/figure/export_figure.h"

namespace vitrine::ui {

// Must be called from the main thread, and not while a QGuiApplication of the caller lives.
Result<std::vector<std::filesystem::path>> exportFigureHeadless(const core::Figure& figure,
                                                                const core::FigurePreset& preset,
                                                                std::span<const core::FigureFormat> formats,
                                                                const core::FigureTarget& target,
                                                                const core::Provenance& provenance);

}  // namespace vitrine::ui
