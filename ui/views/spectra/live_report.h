// What the Spectra tab says of live spectra beside its canvas: the note, the inspector and the figures.
#pragma once

#include "ui/view.h"
#include "ui/views/spectra/live_content.h"

namespace vitrine::ui::spectra {

// "keys of 57 tokens · exact"; empty where there is no picture yet.
QString liveNote(const LiveContent& live);
// Of the selected layer and kv head.
std::vector<InspectorSection> liveFacts(const LiveContent& live);

enum class LiveFigure { kRanks, kValues, kBoth };
QStringList liveFigureNames();
bool hasLiveFigure(const LiveContent& live);
// `content` counts liveFigureNames(). Nothing where there is no spectrum of what is selected.
std::optional<ViewFigure> liveFigureOf(const LiveContent& live, int content, const std::string& model);

}  // namespace vitrine::ui::spectra
