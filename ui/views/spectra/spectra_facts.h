// What the inspector says of the inspected matrix: its numbers, and what certifies or explains them.
#pragma once

#include "ui/view.h"
#include "ui/views/spectra/spectra_state.h"

namespace vitrine::ui::spectra {

// Of what the state inspects; of no matrix: what to do.
std::vector<InspectorSection> factsOf(const SpectraState& state);

std::vector<InspectorSection> matrixFacts(const core::MatrixName& matrix, const core::MatrixResult& result);
std::vector<InspectorSection> previewFacts(const core::MatrixName& matrix,
                                           const core::SpectrumPreview& preview, bool running);
std::vector<InspectorSection> productFacts(const core::MatrixName& product, const core::MatrixResult& result);
std::vector<InspectorSection> noFacts();
// Beside the matrix's own spectrum that of its shuffled elements.
InspectorSection nullFacts(const core::SpectrumReport& report, const core::SpectrumReport& shuffled);
// What has no row, and why; the first few.
InspectorSection leftOutFacts(const QString& title, const std::vector<std::string>& left_out);

}  // namespace vitrine::ui::spectra
