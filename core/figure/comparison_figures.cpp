#include "core/figure/comparison_figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "core/figure/direction_maps.h"
#include "core/figure/series_style.h"

namespace vitrine::core {
namespace {

SquareMap relativeMap(const ChangeMap& change, double norm) {
  SquareMap map{.side = change.cells, .values = change.largest};
  if (norm > 0)
    for (float& value : map.values) value = static_cast<float>(value / norm);
  return map;
}

template <typename MapOf>
Result<void> addMaps(std::span<const ComparedTune> tunes, const MapStyle& style, MapOf mapOf,
                     Figure& figure) {
  for (const ComparedTune& tune : tunes) {
    std::vector<std::string> names;
    std::vector<SquareMap> maps;
    for (const MatrixComparison& matrix : tune.matrices) {
      names.push_back(matrix.name);
      maps.push_back(mapOf(matrix));
    }
    TRY_ASSIGN(Panel panel, mapPanel(names, maps, style));
    if (tunes.size() > 1) panel.title = tune.name;
    figure.panels.push_back(std::move(panel));
  }
  return {};
}

template <typename ValueOf>
double meanOf(const ComparedTune& tune, ValueOf value) {
  double sum = 0;
  for (const MatrixComparison& matrix : tune.matrices) sum += value(matrix);
  return sum / static_cast<double>(tune.matrices.size());
}

std::size_t smallestRank(std::span<const ComparedTune> tunes) {
  Eigen::Index smallest = std::numeric_limits<Eigen::Index>::max();
  for (const ComparedTune& tune : tunes)
    for (const MatrixComparison& matrix : tune.matrices)
      smallest = std::min(smallest, matrix.base_sigma.size());
  return static_cast<std::size_t>(smallest);
}

std::string comparedSubject(std::span<const ComparedTune> tunes, const ComparisonFigureOptions& options) {
  std::set<std::string> names;
  for (const ComparedTune& tune : tunes)
    for (const MatrixComparison& matrix : tune.matrices) names.insert(matrix.name);
  std::string text = names.size() == 1 ? *names.begin() : fmt::format("{} matrices", names.size());
  text += " of ";
  for (std::size_t i = 0; i < tunes.size(); ++i) text += (i > 0 ? " and " : "") + tunes[i].name;
  return text + (options.base.empty() ? "" : " against " + options.base);
}

// Lines of many points: markers would cover them.
SeriesStyle unmarkedStyle(std::size_t index) {
  SeriesStyle style = seriesStyle(index);
  style.marker = Marker::kNone;
  return style;
}

// What small multiples leave out of maps of directions.
std::string croppedNote(const Figure& figure) {
  if (!figure.panels[0].thumbnails) return "";
  return fmt::format(" Of each matrix the first {} directions.", figure.panels[0].thumbnails->thumbnail_rows);
}

std::string means(std::span<const ComparedTune> tunes) {
  const std::size_t most =
      std::ranges::max(tunes, {}, [](const auto& t) { return t.matrices.size(); }).matrices.size();
  return most == 1 ? "" : ", means over the matrices";
}

MapStyle cosineStyle(const ComparisonFigureOptions& options, std::string quantity, std::size_t directions) {
  MapStyle style{
      .shrink = cropped, .color = {}, .row_label = "base direction", .column_label = "tuned direction"};
  style.color.map = options.colormap;
  style.color.minimum = 0;
  style.color.maximum = 1;
  style.color.quantity = std::move(quantity);
  style.directions = directions;
  return style;
}

std::size_t blockOf(std::span<const ComparedTune> tunes) {
  return static_cast<std::size_t>(tunes[0].matrices[0].similarity.rows());
}

Result<Figure> intruderFigure(std::span<const ComparedTune> tunes, const ComparisonFigureOptions& options) {
  Figure figure{.name = "intruders", .caption = {}, .panels = {}, .summary = {}, .summary_caption = {}};
  TRY(addMaps(
      tunes, cosineStyle(options, "cosine similarity", blockOf(tunes)),
      [](const MatrixComparison& m) { return squareOf(m.similarity); }, figure));
  Panel counts;
  counts.x.label = "strongest tuned directions, k";
  counts.y.label = means(tunes).empty() ? "intruders" : "intruders a matrix";
  counts.y.minimum = 0;
  const std::size_t most = std::min<std::size_t>(smallestRank(tunes), 100);
  for (const ComparedTune& tune : tunes) {
    LineSeries line{.label = tune.name, .x = {}, .y = {}};
    for (std::size_t k = 1; k <= most; ++k) {
      line.x.push_back(static_cast<double>(k));
      line.y.push_back(meanOf(tune, [&](const auto& m) { return intrudersAt(m, k, options.epsilon); }));
    }
    line.style = unmarkedStyle(counts.lines.size());
    counts.lines.push_back(std::move(line));
    figure.summary.push_back(
        {fmt::format("{}: intruders in the top {}", tune.name, options.first),
         meanOf(tune, [&](const auto& m) { return intrudersAt(m, options.first, options.epsilon); }), ""});
    figure.summary.push_back({fmt::format("{}: |dW| / |W|", tune.name),
                              meanOf(tune, [](const auto& m) { return m.change_norm / m.base_norm; }), ""});
  }
  figure.panels.push_back(std::move(counts));
  figure.caption = fmt::format(
      "Intruder dimensions: {}. Maps: |cosine| between left singular vectors of the base (down) and the "
      "fine-tune (right), strongest first.{} Last panel: how many of the first k tuned vectors match no base "
      "vector, nor cluster of equal singular values, by {} or more{}.",
      comparedSubject(tunes, options), croppedNote(figure), options.epsilon, means(tunes));
  figure.summary_caption = fmt::format("Intruders (epsilon {}){}.", options.epsilon, means(tunes));
  return figure;
}

Result<Figure> phiFigure(std::span<const ComparedTune> tunes, const ComparisonFigureOptions& options) {
  Figure figure{.name = "phi", .caption = {}, .panels = {}, .summary = {}, .summary_caption = {}};
  MapStyle style = cosineStyle(options, "subspace similarity", blockOf(tunes));
  style.row_label = "first i of the base";
  style.column_label = "first j of the fine-tune";
  TRY(addMaps(
      tunes, style, [](const MatrixComparison& m) { return squareOf(m.phi); }, figure));
  Panel diagonal;
  diagonal.x.label = "strongest directions, i";
  diagonal.y.label = "φ(i, i)";
  diagonal.y.minimum = 0;
  diagonal.y.maximum = 1.02;
  Eigen::Index most = std::numeric_limits<Eigen::Index>::max();
  for (const ComparedTune& tune : tunes)
    for (const MatrixComparison& matrix : tune.matrices) most = std::min(most, matrix.phi.rows());
  const auto addLine = [&](std::string label, const ComparedTune& tune, auto value) {
    LineSeries line{.label = std::move(label), .x = {}, .y = {}};
    for (Eigen::Index i = 0; i < most; ++i) {
      line.x.push_back(static_cast<double>(i + 1));
      line.y.push_back(meanOf(tune, [&](const auto& m) { return value(m, i); }));
    }
    line.style = unmarkedStyle(diagonal.lines.size());
    diagonal.lines.push_back(std::move(line));
  };
  for (const ComparedTune& tune : tunes) {
    addLine(tune.name, tune, [](const MatrixComparison& m, Eigen::Index i) { return m.phi(i, i); });
    for (const Eigen::Index i : {Eigen::Index{7}, most - 1})
      if (i < most)
        figure.summary.push_back({fmt::format("{0}: phi({1}, {1})", tune.name, i + 1),
                                  meanOf(tune, [&](const auto& m) { return m.phi(i, i); }), ""});
  }
  addLine("random directions", tunes[0], [](const MatrixComparison& m, Eigen::Index i) {
    return static_cast<double>(i + 1) / static_cast<double>(m.rows);
  });
  figure.panels.push_back(std::move(diagonal));
  figure.caption = fmt::format(
      "Subspace similarity phi(i, j) = ||U0_i^T U1_j||^2 / min(i, j) of the left singular vectors: {}.{} "
      "Last "
      "panel: its diagonal{}.",
      comparedSubject(tunes, options), croppedNote(figure), means(tunes));
  figure.summary_caption = fmt::format("Subspace similarity{}.", means(tunes));
  return figure;
}

std::size_t largestSide(std::span<const ComparedTune> tunes) {
  std::size_t side = 1;
  for (const ComparedTune& tune : tunes)
    for (const MatrixComparison& matrix : tune.matrices) side = std::max(side, matrix.change.side);
  return side;
}

// Of |D| / ||dW||, so that all maps have one scale; above `least` also where nothing changed.
double largestChange(std::span<const ComparedTune> tunes, double least) {
  double largest = 10 * least;
  for (const ComparedTune& tune : tunes)
    for (const MatrixComparison& matrix : tune.matrices)
      if (matrix.change_norm > 0)
        largest = std::max(largest, std::ranges::max(matrix.change.largest) / matrix.change_norm);
  return largest;
}

// The shares of ||dW||^2 in the order of the bars.
std::array<double, 3> sharesOf(const MatrixComparison& m) {
  return {m.change.diagonal_share, m.change.band_share, m.change.corner_share};
}
std::array<double, 3> expectedShares(const MatrixComparison& m) {
  return {m.change.diagonal_expected, m.change.band_expected, m.change.corner_expected};
}

template <typename Shares>
BarSeries shareBars(std::string label, const ComparedTune& tune, Shares shares) {
  BarSeries bars{.label = std::move(label), .values = {}};
  for (std::size_t part = 0; part < 3; ++part)
    bars.values.push_back(meanOf(tune, [&](const auto& m) { return shares(m)[part]; }));
  return bars;
}

Result<Figure> deltaFigure(std::span<const ComparedTune> tunes, const ComparisonFigureOptions& options) {
  Figure figure{.name = "delta", .caption = {}, .panels = {}, .summary = {}, .summary_caption = {}};
  MapStyle style{
      .shrink = shrunk, .color = {}, .row_label = "base left vector", .column_label = "base right vector"};
  style.directions = tunes[0].matrices[0].change.side;
  style.color.map = options.colormap;
  style.color.scale = AxisScale::kLog;
  style.color.quantity = "|U₀ᵀΔW V₀| / ‖ΔW‖";
  style.color.minimum = 0.1 / static_cast<double>(largestSide(tunes));  // a tenth of an even spread
  style.color.maximum = largestChange(tunes, *style.color.minimum);
  TRY(addMaps(
      tunes, style, [](const MatrixComparison& m) { return relativeMap(m.change, m.change_norm); }, figure));
  Panel shares;
  shares.x.categories = {"diagonal", "band", "corner"};
  shares.x.category_font = FontRole::kSans;
  shares.y.label = "share of ‖ΔW‖²";
  shares.y.minimum = 0;
  std::string energies;
  for (const ComparedTune& tune : tunes) {
    shares.bars.push_back(shareBars(tune.name, tune, sharesOf));
    const std::vector<double>& values = shares.bars.back().values;
    energies += fmt::format("; {}: diagonal {:.2g} %, band {:.2g} %, corner {:.2g} %", tune.name,
                            100 * values[0], 100 * values[1], 100 * values[2]);
    for (std::size_t part = 0; part < 3; ++part)
      figure.summary.push_back(
          {fmt::format("{}: {}", tune.name, shares.x.categories[part]), values[part], ""});
  }
  shares.bars.push_back(shareBars("even spread", tunes[0], expectedShares));
  const std::vector<double>& even = shares.bars.back().values;
  energies += fmt::format("; an even spread has {:.2g} %, {:.2g} % and {:.2g} %", 100 * even[0],
                          100 * even[1], 100 * even[2]);
  figure.panels.push_back(std::move(shares));
  figure.caption = fmt::format(
      "The change in the base's own coordinates, |U0^T dW V0| / ||dW||: {}, strongest directions first, the "
      "largest of the elements in each cell. Shares of ||dW||^2 on the diagonal, within |i - j| <= r / 20, "
      "and "
      "between the strongest r / 10 directions{}{}.",
      comparedSubject(tunes, options), means(tunes), energies);
  figure.summary_caption = fmt::format("Shares of the change's energy{}.", means(tunes));
  return figure;
}

}  // namespace

std::span<const std::string_view> comparisonFigureNames() {
  static constexpr std::array<std::string_view, 3> kComparisonFigures = {"intruders", "phi", "delta"};
  return kComparisonFigures;
}

Result<Figure> comparisonFigure(std::string_view name, std::span<const ComparedTune> tunes,
                                const ComparisonFigureOptions& options) {
  if (tunes.empty() || std::ranges::any_of(tunes, [](const auto& t) { return t.matrices.empty(); }))
    return fail(ErrorCode::kInvalidArgument, "no matrix to draw a figure of");
  if (name == "intruders") return intruderFigure(tunes, options);
  if (name == "phi") return phiFigure(tunes, options);
  if (name == "delta") return deltaFigure(tunes, options);
  return fail(ErrorCode::kInvalidArgument, "figure \"{}\" does not exist; choose one of {}", name,
              fmt::join(comparisonFigureNames(), ", "));
}

}  // namespace vitrine::core
