// The figures of the Spectra view, as it shows them.
#pragma once

#include "core/figure/figure.h"
#include "ui/view.h"
#include "ui/views/spectra/spectra_state.h"

#include <QStringList>

namespace vitrine::ui::spectra {

// Of weights and products; of a comparison.
enum class FigureContent { kSpectrum, kProfile, kBoth };
enum class ComparisonFigure {
  kIntruders,
  kPhi,
  kChange,
  kSpectrum,
  kProfile,
  kAllIntruders,
  kAllPhi,
  kAllChange
};

QStringList figureNames(Subject subject);

// What captions call the models.
struct FigureNames {
  std::string model, base, tuned;  // the loaded one; of a comparison
  core::ColormapId colormap = core::ColormapId::kViridis;
};

// `content` counts figureNames(). Nothing where none of the matrices has been computed.
std::optional<ViewFigure> figureOf(const SpectraState& state, int content, const FigureNames& names);

std::optional<ViewFigure> figureOf(const SpectraState& state, FigureContent content,
                                   const std::string& model);
// The maps are of the selected matrices, or of all rows of the table.
std::optional<ViewFigure> figureOf(const SpectraState& state, ComparisonFigure content,
                                   const FigureNames& names);

// A name that a file can have.
std::string fileNameOf(std::string text);

}  // namespace vitrine::ui::spectra
