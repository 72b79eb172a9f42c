// Experts of a mixture beside one another: their spectra, cosines, and the overlap of their leading
// directions.
#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>

#include "core/methods/analysis.h"
#include "core/methods/support/panels.h"
#include "core/methods/support/tune_panels.h"
#include "core/spectra/expert_similarity.h"
#include "core/spectra/layer_name.h"
#include "core/spectra/metrics.h"
#include "core/spectra/parallel.h"

namespace vitrine::core::methods::expert_similarity {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "k",
     .fallback = 8,
     .least = 1,
     .most = 1'024,
     .unit = "",
     .help = "leading singular vectors of each expert that are compared"},
};

constexpr std::uint64_t kLargestShortSide = 4'096;
constexpr std::uint64_t kMostGroupElements = std::uint64_t{1} << 27;  // 1 GiB in double precision
constexpr std::size_t kMostKinds = 4;                                 // of the means' maps
constexpr std::size_t kMostExpertRows = 2'000;                        // of the table by expert

struct Group {
  std::string name;  // with * for the expert
  std::uint64_t rows = 0, columns = 0;
  std::vector<const NamedMatrix*> experts;
};

struct Groups {
  std::vector<Group> groups;
  std::vector<std::string> notes;
};

Result<Groups> groupsOf(const AnalysisInput& input) {
  std::vector<Group> all;
  std::map<std::string, std::size_t> index;
  for (const NamedMatrix& matrix : input.matrices) {
    const auto name = nameWithoutExpert(matrix.name);
    if (!name) continue;
    const auto [at, is_new] =
        index.emplace(fmt::format("{} {} {}", *name, matrix.rows, matrix.columns), all.size());
    if (is_new) all.push_back({*name, matrix.rows, matrix.columns, {}});
    all[at->second].experts.push_back(&matrix);
  }
  Groups groups;
  for (Group& group : all) {
    const std::uint64_t elements = group.rows * group.columns * group.experts.size();
    if (group.experts.size() < 2) continue;
    if (std::min(group.rows, group.columns) > kLargestShortSide || elements > kMostGroupElements)
      groups.notes.push_back(
          fmt::format("{} was left out: {} experts of {} x {}, and stacks are compared up to {} million "
                      "elements and a short side of {}.",
                      group.name, group.experts.size(), group.rows, group.columns,
                      kMostGroupElements / 1'000'000, kLargestShortSide));
    else
      groups.groups.push_back(std::move(group));
  }
  if (!groups.groups.empty()) return groups;
  return fail(
      ErrorCode::kInvalidArgument, "{}",
      groups.notes.empty()
          ? "no experts: expected matrices named ..experts.0... or stacks of them, of a mixture of experts"
          : groups.notes.front());
}

struct Expert {
  std::vector<double> sigma;
  SpectrumMetrics metrics;
  Eigen::MatrixXd u, v;  // leading vectors, no more than the rank
};

struct Found {
  Group group;
  std::vector<Expert> experts;  // without vectors
  ExpertCosines cosines;
  Eigen::MatrixXd left, right;  // overlaps
  double left_random = 0, right_random = 0;
};

Result<Expert> expertOf(const DenseMatrix& dense, Eigen::Index k) {
  TRY_ASSIGN(const FullSvd svd, fullSvd(dense));
  const Eigen::Index kept = std::min(k, svd.rank());
  Expert expert{
      .sigma = {svd.sigma.begin(), svd.sigma.end()}, .u = svd.u.leftCols(kept), .v = svd.v.leftCols(kept)};
  expert.metrics = spectrumMetrics(expert.sigma, svd.floor());
  return expert;
}

using Progress = std::function<void()>;

// An expert a thread: the group lies in memory as a whole.
Result<Found> look(const AnalysisInput& input, const Group& group, const Progress& progress) {
  const auto k = static_cast<Eigen::Index>(input.parameters.count("k"));
  const auto elements = static_cast<Eigen::Index>(group.rows * group.columns);
  Eigen::MatrixXd flat(elements, static_cast<Eigen::Index>(group.experts.size()));
  std::vector<std::optional<Result<Expert>>> experts(group.experts.size());
  std::mutex reporting;
  TRY(runParallel(group.experts.size(), input.threads, input.stop, [&](std::size_t e) {
    experts[e] = [&]() -> Result<Expert> {
      TRY_ASSIGN(const DenseMatrix dense, group.experts[e]->load());
      flat.col(static_cast<Eigen::Index>(e)) =
          Eigen::Map<const Eigen::VectorXf>(dense.values.data(), elements).cast<double>();
      auto expert = expertOf(dense, k);
      if (!expert) return within(group.experts[e]->name, std::move(expert).error());
      return expert;
    }();
    const std::lock_guard lock(reporting);
    progress();
  }));
  Found found{.group = group, .experts = {}, .cosines = {}, .left = {}, .right = {}};
  std::vector<Eigen::MatrixXd> left, right;
  for (auto& expert : experts) {
    if (!*expert) return tl::unexpected(std::move(*expert).error());
    left.push_back(std::move((*expert)->u));
    right.push_back(std::move((*expert)->v));
    found.experts.push_back(std::move(**expert));
  }
  found.cosines = expertCosines(flat);
  found.left = subspaceOverlaps(left);
  found.right = subspaceOverlaps(right);
  const auto used = static_cast<double>(std::min({static_cast<std::uint64_t>(k), group.rows, group.columns}));
  found.left_random = used / static_cast<double>(group.rows);
  found.right_random = used / static_cast<double>(group.columns);
  return found;
}

Table groupTable(const std::vector<Found>& all, std::size_t k) {
  Table table{
      .title = fmt::format("Experts of one layer and kind, k = {}", k),
      .columns = {{"experts", "", ""},
                  {"number", "", ""},
                  {"cosine", "",
                   "mean over pairs, as stored: near 0 where hidden units lie in another order too"},
                  {"highest", "", "cosine of the most alike pair"},
                  {"common part", "", "||mean W||^2 / mean ||W||^2; 1 / number of orthogonal experts"},
                  {"left overlap", "", "of k leading left vectors (outputs), mean over pairs"},
                  {"random", "", "k / rows"},
                  {"right overlap", "", "of k leading right vectors (inputs)"},
                  {"random ", "", "k / columns"},
                  {"stable rank", "", "mean over experts"},
                  {"s1 least", "", ""},
                  {"s1 most", "", ""}},
      .rows = {}};
  for (const Found& f : all) {
    const auto [least, most] =
        std::ranges::minmax(f.experts, {}, [](const Expert& e) { return e.metrics.s1; });
    const OffDiagonal cosine = offDiagonal(f.cosines.cosines);
    table.rows.push_back({f.group.name, static_cast<std::int64_t>(f.experts.size()), cosine.mean, cosine.most,
                          f.cosines.common, offDiagonal(f.left).mean, f.left_random,
                          offDiagonal(f.right).mean, f.right_random,
                          meanOver(f.experts, [](const Expert& e) { return e.metrics.stable_rank; }),
                          least.metrics.s1, most.metrics.s1});
  }
  return table;
}

Table expertTable(const std::vector<Found>& all) {
  Table table{.title = "Spectra by expert",
              .columns = {{"tensor", "", ""},
                          {"s1", "", ""},
                          {"Frobenius", "", ""},
                          {"stable rank", "", "sum s^2 / s1^2"},
                          {"effective rank", "", "exp of the entropy of s / sum s"},
                          {"nuclear", "", "sum s"}},
              .rows = {}};
  for (const Found& f : all)
    for (std::size_t e = 0; e < f.experts.size(); ++e) {
      const SpectrumMetrics& m = f.experts[e].metrics;
      table.rows.push_back(
          {f.group.experts[e]->name, m.s1, m.frobenius, m.stable_rank, m.effective_rank, m.nuclear});
    }
  return table;
}

// The largest off the diagonal of all maps: the diagonal is 1 and says nothing.
template <typename MapOf>
double largestOff(const std::vector<Found>& all, const MapOf& map_of) {
  double most = 1e-3;
  for (const Found& f : all) {
    Eigen::MatrixXd map = map_of(f);
    map.diagonal().setZero();
    most = std::max(most, map.cwiseAbs().maxCoeff());
  }
  return most;
}

template <typename MapOf>
Result<Panel> gridOf(const std::vector<Found>& all, const MapOf& map_of, std::string quantity,
                     bool is_signed) {
  std::vector<std::string> names;
  std::vector<SquareMap> maps;
  for (const Found& f : all) {
    names.push_back(f.group.name);
    maps.push_back(squareOf(map_of(f)));
  }
  MapStyle style{.shrink = cropped, .color = {}, .row_label = "expert", .column_label = "expert"};
  style.color.quantity = std::move(quantity);
  style.color.maximum = largestOff(all, map_of);
  style.color.minimum = is_signed ? -*style.color.maximum : 0;
  if (is_signed) style.color.map = ColormapId::kDiverging;
  style.directions = maps[0].side;
  return mapsOfMatrices(names, maps, style);
}

// Of the layers with as many experts as the first.
template <typename MapOf>
Panel meanMap(const std::vector<const Found*>& layers, const MapOf& map_of, std::string quantity) {
  const Eigen::Index side = map_of(*layers.front()).rows();
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(side, side);
  int count = 0;
  for (const Found* found : layers)
    if (const Eigen::MatrixXd map = map_of(*found); map.rows() == side) {
      sum += map;
      ++count;
    }
  sum /= count;
  Eigen::MatrixXd off = sum;
  off.diagonal().setConstant(sum(0, 1));  // there are two experts at least
  HeatMap map{.rows = static_cast<std::size_t>(side),
              .columns = static_cast<std::size_t>(side),
              .values = squareOf(sum).values,
              .mask = {},
              .color = {},
              .top = {},
              .right = {}};
  map.color.quantity = std::move(quantity);
  map.color.minimum = off.minCoeff();
  map.color.maximum = std::max(off.maxCoeff(), off.minCoeff() + 1e-3);
  Panel panel;
  panel.x.label = panel.y.label = "expert";
  for (Eigen::Index e = 0; e < side; ++e) panel.x.categories.push_back(std::to_string(e));
  panel.y.categories = panel.x.categories;
  panel.x.category_font = panel.y.category_font = FontRole::kSans;
  panel.heat_map = std::move(map);
  return panel;
}

// A row of three maps for each kind of matrix.
Figure meanFigure(const AnalysisInput& input, const std::vector<Found>& all) {
  std::vector<std::string> names;
  for (const Found& found : all) names.push_back(found.group.name);
  const std::vector<std::string> kinds = kindsOf(names);
  std::map<std::string, std::vector<const Found*>> by_kind;
  for (std::size_t g = 0; g < all.size(); ++g) by_kind[kinds[g]].push_back(&all[g]);
  Figure figure{
      .name = "expert-similarity-mean",
      .caption = fmt::format("Experts of {} against one another, means over the layers of each kind of "
                             "matrix: cosines, and overlap of their {} leading left (output) and right "
                             "(input) singular vectors. The diagonal is 1 and saturated.",
                             input.model, input.parameters.count("k")),
      .panels = {},
      .panel_columns = 3};
  for (const auto& [kind, layers] : by_kind) {
    if (figure.panels.size() == 3 * kMostKinds) break;
    for (Panel& panel :
         std::vector<Panel>{meanMap(
                                layers, [](const Found& f) { return f.cosines.cosines; }, "cosine"),
                            meanMap(
                                layers, [](const Found& f) { return f.left; }, "left overlap"),
                            meanMap(
                                layers, [](const Found& f) { return f.right; }, "right overlap")}) {
      panel.title = kind;
      figure.panels.push_back(std::move(panel));
    }
  }
  return figure;
}

Result<Figure> mapFigure(const AnalysisInput& input, const std::vector<Found>& all) {
  const auto cosines = [](const Found& f) { return f.cosines.cosines; };
  const auto left = [](const Found& f) { return f.left; };
  const auto right = [](const Found& f) { return f.right; };
  Figure figure{.name = "expert-similarity-map",
                .caption = fmt::format(
                    "Experts of {} against one another: cosines of their matrices, and overlap of their {} "
                    "leading left (output) and right (input) singular vectors; small maps of at most 32 "
                    "experts each, by kind and layer. The diagonal is 1 and saturated.",
                    input.model, input.parameters.count("k")),
                .panels = {}};
  TRY_ASSIGN(Panel cosine_grid, gridOf(all, cosines, "cosine", true));
  TRY_ASSIGN(Panel left_grid, gridOf(all, left, "left overlap", false));
  TRY_ASSIGN(Panel right_grid, gridOf(all, right, "right overlap", false));
  figure.panels = {std::move(cosine_grid), std::move(left_grid), std::move(right_grid)};
  return figure;
}

Panel spectraPanel(const std::vector<Found>& all, std::uint32_t layer) {
  Panel panel;
  panel.title = fmt::format("layer {}", layer);
  panel.x.label = "index";
  panel.y = {.label = "singular value", .scale = AxisScale::kLog};
  std::vector<std::string> names;
  for (const Found& f : all) names.push_back(f.group.name);
  const std::vector<std::string> kinds = kindsOf(names);
  for (std::size_t g = 0; g < all.size(); ++g) {
    const auto name = layerNameOf(names[g]);
    if (name && name->layer != layer) continue;
    std::vector<double> x;
    std::vector<std::vector<double>> curves;
    for (std::size_t i = 1; i <= all[g].experts[0].sigma.size(); ++i) x.push_back(static_cast<double>(i));
    for (const Expert& expert : all[g].experts) {
      curves.push_back(expert.sigma);
      for (double& s : curves.back())
        if (!(s > 1e-12 * expert.metrics.s1)) s = std::nan("");
    }
    LineSeries line = medianWithRange(kinds[g], std::move(x), curves);
    line.style = seriesStyle(panel.lines.size());
    line.style->marker = Marker::kNone;
    panel.lines.push_back(std::move(line));
  }
  return panel;
}

Figure spectraFigure(const AnalysisInput& input, const std::vector<Found>& all) {
  std::vector<std::string> names;
  std::vector<double> cosine, right, stable;
  std::uint32_t first = 0;
  for (const Found& f : all) {
    if (const auto name = layerNameOf(f.group.name); name && names.empty()) first = name->layer;
    names.push_back(f.group.name);
    cosine.push_back(offDiagonal(f.cosines.cosines).mean);
    right.push_back(offDiagonal(f.right).mean / f.right_random);
    stable.push_back(meanOver(f.experts, [](const Expert& e) { return e.metrics.stable_rank; }));
  }
  Figure figure{
      .name = "expert-similarity-spectra",
      .caption = fmt::format("Experts of {}: singular values (median and range over the experts of a layer), "
                             "and by layer the mean cosine of pairs, the overlap of their leading right "
                             "vectors over that of random ones, and the mean stable rank.",
                             input.model),
      .panels = {spectraPanel(all, first)}};
  for (Panel& panel :
       std::vector<Panel>{layerProfile(names, cosine, {.label = "cosine of pairs"}),
                          layerProfile(names, right, {.label = "right overlap / random", .minimum = 0}),
                          layerProfile(names, stable, {.label = "stable rank", .minimum = 0})})
    if (!panel.lines.empty()) figure.panels.push_back(std::move(panel));
  return figure;
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  TRY_ASSIGN(Groups groups, groupsOf(input));
  std::size_t experts = 0, done = 0;
  for (const Group& group : groups.groups) experts += group.experts.size();
  std::vector<Found> all;
  for (const Group& group : groups.groups) {
    TRY_ASSIGN(Found found, look(input, group, [&] {
                 if (input.progress) input.progress(++done, experts);
               }));
    all.push_back(std::move(found));
  }
  TRY_ASSIGN(Figure map, mapFigure(input, all));
  AnalysisResult result{.tables = {groupTable(all, input.parameters.count("k"))},
                        .figures = {std::move(map), meanFigure(input, all), spectraFigure(input, all)},
                        .notes = std::move(groups.notes)};
  if (experts <= kMostExpertRows)
    result.tables.push_back(expertTable(all));
  else
    result.notes.push_back(fmt::format(
        "Spectra by expert are listed up to {} matrices: choose some by --tensors.", kMostExpertRows));
  result.notes.push_back(fmt::format(
      "Over {} stacks the mean cosine of two experts is {:.3g}; their leading directions overlap {:.1f} "
      "times as much as random ones on the output's side, {:.1f} times on the input's.",
      all.size(), meanOver(all, [](const Found& f) { return offDiagonal(f.cosines.cosines).mean; }),
      meanOver(all, [](const Found& f) { return offDiagonal(f.left).mean / f.left_random; }),
      meanOver(all, [](const Found& f) { return offDiagonal(f.right).mean / f.right_random; })));
  result.notes.emplace_back(
      "The hidden units of an expert have no order: cosines compare them by place, overlaps on the side of "
      "the stream (inputs of gate and up, outputs of down) do not depend on it.");
  return result;
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "expert-similarity",
    .title = "Experts beside one another",
    .paper =
        "Lo, Huang, Qiu, Wang, Fu: A Closer Look into Mixture-of-Experts in Large Language Models "
        "(arXiv:2406.18219), for the cosines; Hamm, Lee: Grassmann Discriminant Analysis (ICML 2008), for "
        "the overlap",
    .summary =
        "The spectra of a mixture's experts, the cosines of their matrices and the overlap of their leading "
        "singular vectors, by layer.",
    .equation =
        "cos(a, b) = <W_a, W_b> / (||W_a||_F ||W_b||_F); overlap(a, b) = ||U_a^T U_b||_F^2 / k of k leading "
        "singular vectors, k / m of random ones; common = ||mean W||_F^2 / mean ||W||_F^2",
    .cost =
        "of E experts: E full decompositions of about 4 m n^2 + 8 n^3, E^2 m n and E^2 k^2 m; E m n doubles",
    .unchecked =
        "What experts do on tokens (their outputs' similarity and the router's choices need the engine), and "
        "a matching of hidden units before cosines are taken.",
    .subject = Subject::kMatrices,
    .parameters = kParameters,
    .run = run,
};

}  // namespace vitrine::core::methods::expert_similarity
