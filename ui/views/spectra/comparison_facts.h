// What the inspector says of a fine-tune's matrix against its base's.
#pragma once

#include "core/spectra/comparison_source.h"
#include "ui/view.h"
#include "ui/views/spectra/subject.h"

namespace vitrine::ui::spectra {

std::vector<InspectorSection> comparisonFacts(const core::ComparedMatrix& compared, IntruderRule rule);

}  // namespace vitrine::ui::spectra
