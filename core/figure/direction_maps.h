// Square maps over directions of matrices as panels: one as a heat map, several as small multiples, kinds of
// matrices down and layers to the right.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "core/figure/figure.h"
#include "gpu/error.h"

namespace vitrine::core {

struct SquareMap {
  std::size_t side = 0;
  std::vector<float> values;  // (side, side), row-major
};

SquareMap squareOf(const Eigen::MatrixXd& values);
// Down to side x side: the largest value (at least 0) of the cells that fall on each; the first cells.
SquareMap shrunk(const SquareMap& map, std::size_t side);
SquareMap cropped(const SquareMap& map, std::size_t side);

struct MapStyle {
  SquareMap (*shrink)(const SquareMap& map, std::size_t side) = cropped;  // to a thumbnail
  ColorScale color;
  std::string row_label, column_label;
  std::size_t directions = 0;  // of a whole map: what its cells are numbered by
};

// `names`: of the matrices, a map each. Without a title. kInvalidArgument for several maps none of which has
// a layer in its name; those without one are left out.
Result<Panel> mapPanel(const std::vector<std::string>& names, const std::vector<SquareMap>& maps,
                       const MapStyle& style);

}  // namespace vitrine::core
