// What the inspector and the figure panel say of the head graph.
#pragma once

#include "ui/view.h"
#include "ui/views/spectra/head_graph_state.h"

#include <QStringList>

namespace vitrine::ui::spectra {

// Of the locked edge, else of the model.
std::vector<InspectorSection> headGraphFacts(const HeadGraphState& state,
                                             const std::vector<std::string>& left_out);

enum class HeadGraphFigure { kMap, kComponents };
QStringList headGraphFigureNames();
// Nothing while there is no graph; of the components while none are there.
std::optional<ViewFigure> headGraphFigure(const HeadGraphState& state, HeadGraphFigure content,
                                          const std::string& model);

}  // namespace vitrine::ui::spectra
