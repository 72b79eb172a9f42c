// Takes what changes from run to run, and what Qt rounds, out of the files that it writes.
#pragma once

#include <QByteArray>

#include "core/figure/preset.h"
#include "gpu/error.h"

namespace vitrine::ui {

// Fixes the creation date (whose length follows the time zone) and a random document id, gives the page its
// exact width (Qt rounds it to whole points), and corrects the cross-reference table for what moved. Error:
// bytes that are no PDF with such a table.
Result<QByteArray> normalizePdf(QByteArray pdf, double page_width_points);

// Names fallback families after the first and asks for sharp pixels in the words that browsers and editors
// know.
QByteArray normalizeSvg(QByteArray svg, const core::FigurePreset& preset);

}  // namespace vitrine::ui
