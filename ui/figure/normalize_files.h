// Takes what changes from run to run, or from reader to reader, out of the files that Qt writes.
#pragma once

#include <QByteArray>

#include "core/figure/preset.h"
#include "gpu/error.h"

namespace vitrine::ui {

// Fixes the creation date (whose length follows the time zone) and a random document id, and corrects the
// cross-reference table for what moved. Error: bytes that are no PDF with such a table.
Result<QByteArray> normalizePdf(QByteArray pdf);

// Names fallback families after the first and asks for sharp pixels in the words that browsers and editors
// know.
QByteArray normalizeSvg(QByteArray svg, const core::FigurePreset& preset);

}  // namespace vitrine::ui
