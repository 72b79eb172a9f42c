// What the inspector says of a matrix: its numbers and what certifies them.
#pragma once

#include "ui/view.h"
#include "ui/views/spectra/spectra_state.h"

namespace vitrine::ui::spectra {

std::vector<InspectorSection> matrixFacts(const core::MatrixName& matrix, const core::MatrixResult& result);
// Of no matrix: what to do.
std::vector<InspectorSection> noFacts();

}  // namespace vitrine::ui::spectra
