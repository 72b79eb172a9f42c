// Exports a figure as PDF, SVG and PNG together with its data (core/figure/export_data.h). Needs a
// QGuiApplication; without a display its platform must be "offscreen" (QT_QPA_PLATFORM=offscreen). The same
// call gives the same bytes on the same machine (fonts are the machine's).
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "core/figure/drawing.h"
#include "core/figure/export_data.h"

class QImage;

namespace vitrine::ui {

struct FigureExportOptions {
  int png_dpi = 300;
  std::function<void()> written = {};  // after each picture, and after the data
};

// Returns the files written, pictures first. A JSON sidecar is always among them.
Result<std::vector<std::filesystem::path>> exportFigure(const core::Figure& figure,
                                                        const core::FigurePreset& preset,
                                                        std::span<const core::FigureFormat> formats,
                                                        const core::FigureTarget& target,
                                                        const core::Provenance& provenance,
                                                        const FigureExportOptions& options = {});

// The figure as pixels, for previews and the clipboard.
Result<QImage> renderFigure(const core::Figure& figure, const core::FigurePreset& preset, int dpi);

}  // namespace vitrine::ui
