// Where a figure will be printed: physical width, font sizes and families of venues. Widths are the venues'
// text or column widths in inches (the style files of NeurIPS, ICLR, ICML, CVPR, AAAI, IEEE, ACL, ECCV, JMLR
// and TMLR; Nature's guide for figures, in millimetres there).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/error.h"

namespace vitrine::core {

struct FigurePreset {
  std::string name;            // "icml-column"
  double width_in = 3.25;      // the page's width is exactly this
  double max_height_in = 6.0;  // the page is as high as its content, but no higher
  double label_pt = 8;         // axis and colour-bar labels, legend
  double tick_pt = 7;          // tick labels, notes
  double max_token_pt = 7;     // token labels shrink from here ..
  double min_token_pt = 5.5;   // .. to here before they are thinned
  std::vector<std::string> sans = {"Inter", "Helvetica", "Arial", "DejaVu Sans"};
  std::vector<std::string> mono = {"JetBrains Mono", "DejaVu Sans Mono"};
};

std::span<const FigurePreset> figurePresets();  // in the order of a menu
Result<FigurePreset> findFigurePreset(std::string_view name);

}  // namespace vitrine::core
