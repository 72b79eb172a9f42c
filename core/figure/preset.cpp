#include "core/figure/preset.h"

namespace vitrine::core {
namespace {

constexpr double kMillimetre = 1 / 25.4;

FigurePreset venue(std::string name, double width_in, double max_height_in) {
  FigurePreset preset;
  preset.name = std::move(name);
  preset.width_in = width_in;
  preset.max_height_in = max_height_in;
  return preset;
}

// Nature wants Arial or Helvetica at 5 to 7 pt and at most 170 mm of height.
FigurePreset nature(std::string name, double width_mm) {
  FigurePreset preset = venue(std::move(name), width_mm * kMillimetre, 170 * kMillimetre);
  preset.label_pt = 7;
  preset.tick_pt = 6;
  preset.max_token_pt = 6;
  preset.min_token_pt = 5;
  preset.sans = {"Arial", "Helvetica", "Liberation Sans", "Inter", "DejaVu Sans"};
  return preset;
}

std::vector<FigurePreset> makePresets() {
  return {
      venue("neurips", 5.5, 8),      venue("iclr", 5.5, 8),        venue("icml-column", 3.25, 8),
      venue("icml-page", 6.75, 8),   venue("acl-column", 3.03, 8), venue("acl-page", 6.3, 8),
      venue("cvpr-column", 3.25, 8), venue("cvpr-page", 6.875, 8), venue("eccv", 4.8, 7),
      venue("aaai-column", 3.3, 8),  venue("aaai-page", 6.975, 8), venue("ieee-column", 3.5, 8),
      venue("ieee-page", 7.16, 8),   venue("jmlr", 6, 8),          venue("tmlr", 6.5, 8),
      nature("nature-column", 89),   nature("nature-page", 183),
  };
}

}  // namespace

std::span<const FigurePreset> figurePresets() {
  static const std::vector<FigurePreset> kPresets = makePresets();
  return kPresets;
}

Result<FigurePreset> findFigurePreset(std::string_view name) {
  std::string known;
  for (const FigurePreset& preset : figurePresets()) {
    if (preset.name == name) return preset;
    known += (known.empty() ? "" : ", ") + preset.name;
  }
  return fail(ErrorCode::kInvalidArgument, "figure preset \"{}\" does not exist; choose one of {}", name,
              known);
}

}  // namespace vitrine::core
