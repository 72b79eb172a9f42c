#include "core/figure/direction_maps.h"

#include <algorithm>

#include "core/spectra/layer_name.h"

namespace vitrine::core {
namespace {

constexpr std::size_t kThumbnailSide = 32;  // cells

Panel oneMap(const SquareMap& map, const MapStyle& style) {
  Panel panel;
  panel.x.label = style.column_label;
  panel.y.label = style.row_label;
  if (map.side < style.directions)  // the axis may number cells
    for (std::string* label : {&panel.x.label, &panel.y.label})
      *label +=
          fmt::format(" / {:.3g}", static_cast<double>(style.directions) / static_cast<double>(map.side));
  panel.x.category_font = panel.y.category_font = FontRole::kSans;
  for (std::size_t i = 0; i < map.side; ++i)
    panel.x.categories.push_back(std::to_string(i * style.directions / map.side + 1));
  panel.y.categories = panel.x.categories;
  panel.heat_map = HeatMap{.rows = map.side,
                           .columns = map.side,
                           .values = map.values,
                           .mask = {},
                           .color = style.color,
                           .top = {},
                           .right = {}};
  return panel;
}

// Kinds of matrices down, layers to the right; what is not there is masked.
Result<Panel> mapGrid(const std::vector<std::string>& names, const std::vector<SquareMap>& maps,
                      const MapStyle& style) {
  std::vector<std::string> kinds;
  std::uint32_t layers = 0;
  std::size_t side = kThumbnailSide;
  for (std::size_t m = 0; m < maps.size(); ++m) {
    const auto name = layerNameOf(names[m]);
    if (!name) continue;
    if (std::ranges::find(kinds, name->kind) == kinds.end()) kinds.push_back(name->kind);
    layers = std::max(layers, name->layer + 1);
    side = std::min(side, maps[m].side);
  }
  if (kinds.empty())
    return fail(ErrorCode::kInvalidArgument,
                "{} matrices without layers in their names: choose one by --tensors", maps.size());
  ThumbnailGrid grid{.row_label = "matrix", .column_label = "layer", .row_names = shortLabels(kinds)};
  grid.rows = kinds.size();
  grid.columns = layers;
  grid.thumbnail_rows = grid.thumbnail_columns = side;
  grid.color = style.color;
  grid.values.assign(grid.rows * grid.columns * side * side, 0);
  grid.mask.assign(grid.values.size(), 1);
  for (std::size_t m = 0; m < maps.size(); ++m) {
    const auto name = layerNameOf(names[m]);
    if (!name) continue;
    const auto row = static_cast<std::size_t>(std::ranges::find(kinds, name->kind) - kinds.begin());
    const std::size_t at = (row * grid.columns + name->layer) * side * side;
    std::ranges::copy(style.shrink(maps[m], side).values,
                      grid.values.begin() + static_cast<std::ptrdiff_t>(at));
    std::fill_n(grid.mask.begin() + static_cast<std::ptrdiff_t>(at), side * side, std::uint8_t{0});
  }
  Panel panel;
  panel.thumbnails = std::move(grid);
  return panel;
}

}  // namespace

SquareMap squareOf(const Eigen::MatrixXd& values) {
  SquareMap map{.side = static_cast<std::size_t>(values.rows()), .values = {}};
  map.values.reserve(map.side * map.side);
  for (Eigen::Index i = 0; i < values.rows(); ++i)
    for (Eigen::Index j = 0; j < values.cols(); ++j) map.values.push_back(static_cast<float>(values(i, j)));
  return map;
}

SquareMap shrunk(const SquareMap& map, std::size_t side) {
  SquareMap small{.side = side, .values = std::vector<float>(side * side)};
  for (std::size_t i = 0; i < map.side; ++i)
    for (std::size_t j = 0; j < map.side; ++j) {
      float& cell = small.values[i * side / map.side * side + j * side / map.side];
      cell = std::max(cell, map.values[i * map.side + j]);
    }
  return small;
}

SquareMap cropped(const SquareMap& map, std::size_t side) {
  SquareMap corner{.side = side, .values = {}};
  for (std::size_t i = 0; i < side; ++i)
    for (std::size_t j = 0; j < side; ++j) corner.values.push_back(map.values[i * map.side + j]);
  return corner;
}

Result<Panel> mapPanel(const std::vector<std::string>& names, const std::vector<SquareMap>& maps,
                       const MapStyle& style) {
  if (maps.size() == 1) return oneMap(maps[0], style);
  return mapGrid(names, maps, style);
}

}  // namespace vitrine::core
