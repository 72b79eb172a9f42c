// The figures of the Spectra view, as it shows them.
#pragma once

#include "core/figure/figure.h"
#include "ui/view.h"
#include "ui/views/spectra/spectra_state.h"

namespace vitrine::ui::spectra {

enum class FigureContent { kSpectrum, kProfile, kBoth };

// Nothing where none of the matrices has been computed. `model` is named in the caption.
std::optional<ViewFigure> figureOf(const SpectraState& state, FigureContent content,
                                   const std::string& model);

}  // namespace vitrine::ui::spectra
