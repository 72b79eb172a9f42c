// A figure as LaTeX to paste or \input: the \includegraphics with caption and label, and a booktabs table of
// the figure's summary numbers. Needs the packages graphicx and booktabs; token names keep their UTF-8.
#pragma once

#include <string>
#include <string_view>

#include "core/figure/figure.h"
#include "core/figure/preset.h"

namespace vitrine::core {

// `base_name` is the picture's file name without its extension, and the label's.
std::string texOf(const Figure& figure, const FigurePreset& preset, std::string_view base_name);

std::string texEscape(std::string_view utf8);

}  // namespace vitrine::core
