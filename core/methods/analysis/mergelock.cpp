// MergeLock: random changes of basis inside of heads keep what a model computes and break its averages.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "core/methods/support/for_each.h"
#include "core/methods/support/locked_runs.h"
#include "core/methods/support/model_runs.h"
#include "core/methods/support/panels.h"
#include "core/methods/support/tune_panels.h"
#include "core/spectra/head_lock.h"
#include "core/spectra/head_products.h"
#include "core/spectra/lapack_spectrum.h"

namespace vitrine::core::methods::mergelock {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "strength",
     .fallback = 0.5,
     .least = 0,
     .most = 2,
     .unit = "",
     .help = "deviation of the logarithms of the locks' singular values; 0: rotations",
     .whole = false},
    {.name = "seed", .fallback = 1, .least = 0, .most = 1e9, .unit = "", .help = "of the locks"},
    {.name = "offset",
     .fallback = 7,
     .least = 0,
     .most = 1e6,
     .unit = "tokens",
     .help = "distance of query and key at which QK is compared"},
    kWindowParameter,
    kWindowsParameter,
};

constexpr double kStrengths[] = {0, 0.25, 0.5, 0.75, 1, 1.5, 2};
constexpr std::size_t kMostSweptLayers = 6;       // evenly spread
constexpr std::uint64_t kLargestRawSide = 4'096;  // of raw spectra

// Relative errors over the heads of a layer, of one kind of product; NaN where it has none.
struct Errors {
  double exact = std::nan("");     // the worst, in double precision
  double stored = std::nan("");    // the worst, locked weights rounded to float32
  double merged = std::nan("");    // mean, of the average with the original
  double spectrum = std::nan("");  // the worst |s' - s| / s1
};

struct RawMatrix {
  double moved = 0;                // ||W' - W|| / ||W||
  double spectrum = std::nan("");  // max |s' - s| / s1
  std::vector<double> before, after;
};

struct Found {
  std::uint32_t layer = 0;
  Errors qk, ov;
  RawMatrix raw[4];  // Q, K, V, O
  // At kStrengths, empty where that was not looked at: worst exact and stored, mean merged error over both
  // kinds, mean move of the four.
  std::vector<double> exact, stored, merged, moved;
  std::vector<double> ov_before, ov_after;  // spectra of OV of head 0
};

constexpr const char* kRawNames[] = {"Q", "K", "V", "O"};

double relative(double error, double of) {
  return of > 0 ? error / of : std::nan("");
}

AttentionMatrices rounded(const AttentionMatrices& m) {
  const auto to_float = [](const Eigen::MatrixXd& w) {
    return Eigen::MatrixXd(w.cast<float>().cast<double>());
  };
  return {to_float(m.query), to_float(m.key), to_float(m.value), to_float(m.output)};
}

// The same wherever a layer is locked with one strength.
AttentionLocks locksOf(const AnalysisInput& input, std::uint32_t layer, double strength) {
  std::mt19937_64 random(input.parameters.count("seed") * 1'000'003 + layer);
  return randomLocks(*input.spec->blocks[layer].attention(), strength, random);
}

struct Variants {
  AttentionMatrices original, locked, stored, merged;
};

Variants variantsOf(const AttentionSpec& attention, const AttentionMatrices& original,
                    const AttentionLocks& locks) {
  Variants v{.original = original, .locked = locked(attention, original, locks), .stored = {}, .merged = {}};
  v.stored = rounded(v.locked);
  v.merged = averaged(v.locked, v.original);
  return v;
}

Result<Errors> errorsOf(const AttentionSpec& attention, const Variants& v, ProductKind kind,
                        std::int64_t offset, bool with_spectra) {
  Errors errors;
  if (!reasonAgainstLock(attention, kind == ProductKind::kQk).empty()) return errors;
  const auto product = [&](const AttentionMatrices& of, std::uint32_t head) {
    return kind == ProductKind::kQk ? qkProduct(attention, of, head, offset) : ovProduct(attention, of, head);
  };
  std::vector<double> exact, stored, merged, spectra;
  for (std::uint32_t head = 0; head < attention.heads; ++head) {
    const LowRankProduct original = product(v.original, head);
    TRY_ASSIGN(const double norm, distanceOf(original, {Eigen::MatrixXd::Zero(original.left.rows(), 0),
                                                        Eigen::MatrixXd::Zero(0, original.right.cols())}));
    TRY_ASSIGN(const double off, distanceOf(product(v.locked, head), original));
    TRY_ASSIGN(const double off_stored, distanceOf(product(v.stored, head), original));
    TRY_ASSIGN(const double off_merged, distanceOf(product(v.merged, head), original));
    exact.push_back(relative(off, norm));
    stored.push_back(relative(off_stored, norm));
    merged.push_back(relative(off_merged, norm));
    if (!with_spectra) continue;
    TRY_ASSIGN(const Spectrum before, productSpectrum(original));
    TRY_ASSIGN(const Spectrum after, productSpectrum(product(v.locked, head)));
    double worst = 0;
    for (std::size_t i = 0; i < before.sigma.size(); ++i)
      worst = std::max(worst, std::abs(after.sigma[i] - before.sigma[i]));
    spectra.push_back(relative(worst, before.sigma[0]));
  }
  errors.exact = std::ranges::max(exact);
  errors.stored = std::ranges::max(stored);
  errors.merged = meanOf(merged);
  if (with_spectra) errors.spectrum = std::ranges::max(spectra);
  return errors;
}

DenseMatrix denseOf(const Eigen::MatrixXd& matrix) {
  DenseMatrix dense{static_cast<std::uint64_t>(matrix.rows()), static_cast<std::uint64_t>(matrix.cols()), {}};
  dense.values.reserve(static_cast<std::size_t>(matrix.size()));
  for (Eigen::Index i = 0; i < matrix.rows(); ++i)
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) dense.values.push_back(static_cast<float>(matrix(i, j)));
  return dense;
}

Result<RawMatrix> rawOf(const Eigen::MatrixXd& before, const Eigen::MatrixXd& after,
                        const std::stop_token& stop) {
  RawMatrix raw{.moved = relative((after - before).norm(), before.norm()), .before = {}, .after = {}};
  if (static_cast<std::uint64_t>(std::min(before.rows(), before.cols())) > kLargestRawSide) return raw;
  TRY_ASSIGN(Spectrum first, lapackSpectrum(denseOf(before), stop));
  TRY_ASSIGN(Spectrum second, lapackSpectrum(denseOf(after), stop));
  double worst = 0;
  for (std::size_t i = 0; i < first.sigma.size(); ++i)
    worst = std::max(worst, std::abs(second.sigma[i] - first.sigma[i]));
  raw.spectrum = relative(worst, first.sigma[0]);
  raw.before = std::move(first.sigma);
  raw.after = std::move(second.sigma);
  return raw;
}

double movedMean(const Variants& v) {
  double sum = 0;
  for (const auto matrix : {&AttentionMatrices::query, &AttentionMatrices::key, &AttentionMatrices::value,
                            &AttentionMatrices::output})
    sum += relative((v.locked.*matrix - v.original.*matrix).norm(), (v.original.*matrix).norm());
  return sum / 4;
}

// The mean of those that are numbers.
double both(double a, double b) {
  return std::isnan(a) ? b : std::isnan(b) ? a : (a + b) / 2;
}

Result<void> sweep(const AttentionSpec& attention, const AttentionMatrices& original,
                   const AnalysisInput& input, std::int64_t offset, Found& to) {
  for (const double strength : kStrengths) {
    if (input.stop.stop_requested()) return fail(ErrorCode::kCancelled, "cancelled in layer {}", to.layer);
    const Variants v = variantsOf(attention, original, locksOf(input, to.layer, strength));
    TRY_ASSIGN(const Errors qk, errorsOf(attention, v, ProductKind::kQk, offset, false));
    TRY_ASSIGN(const Errors ov, errorsOf(attention, v, ProductKind::kOv, offset, false));
    to.exact.push_back(std::fmax(qk.exact, ov.exact));
    to.stored.push_back(std::fmax(qk.stored, ov.stored));
    to.merged.push_back(both(qk.merged, ov.merged));
    to.moved.push_back(movedMean(v));
  }
  return {};
}

Result<Found> look(const AnalysisInput& input, std::uint32_t layer, bool with_sweep) {
  const AttentionSpec& attention = *input.spec->blocks[layer].attention();
  const auto offset = static_cast<std::int64_t>(input.parameters.count("offset"));
  Found found{.layer = layer};
  TRY_ASSIGN(const AttentionMatrices original, attentionMatrices(attention));
  const Variants v =
      variantsOf(attention, original, locksOf(input, layer, input.parameters.value("strength")));
  TRY_ASSIGN(found.qk, errorsOf(attention, v, ProductKind::kQk, offset, true));
  TRY_ASSIGN(found.ov, errorsOf(attention, v, ProductKind::kOv, offset, true));
  std::size_t at = 0;
  for (const auto matrix : {&AttentionMatrices::query, &AttentionMatrices::key, &AttentionMatrices::value,
                            &AttentionMatrices::output}) {
    TRY_ASSIGN(found.raw[at++], rawOf(v.original.*matrix, v.locked.*matrix, input.stop));
  }
  TRY_ASSIGN(const Spectrum before, productSpectrum(ovProduct(attention, v.original, 0)));
  TRY_ASSIGN(const Spectrum after, productSpectrum(ovProduct(attention, v.locked, 0)));
  found.ov_before = before.sigma;
  found.ov_after = after.sigma;
  if (with_sweep) TRY(sweep(attention, original, input, offset, found));
  return found;
}

struct Layers {
  std::vector<std::uint32_t> usable;
  std::vector<std::string> notes;
};
Layers layersOf(const ModelSpec& spec) {
  Layers layers;
  std::map<std::string, std::string> by_reason;  // layers of each sentence
  for (std::uint32_t layer = 0; layer < spec.blocks.size(); ++layer) {
    const AttentionSpec* attention = spec.blocks[layer].attention();
    if (!attention) continue;
    bool any = false;
    for (const bool of_scores : {true, false}) {
      const std::string reason = reasonAgainstLock(*attention, of_scores);
      any = any || reason.empty();
      if (reason.empty()) continue;
      std::string& list = by_reason[fmt::format(
          "{} were left as they are: {}.", of_scores ? "Queries and keys" : "Values and outputs", reason)];
      list += fmt::format("{}{}", list.empty() ? "" : ", ", layer);
    }
    if (any) layers.usable.push_back(layer);
  }
  for (const auto& [sentence, list] : by_reason)
    layers.notes.push_back(fmt::format("{} In layers {}.", sentence, list));
  return layers;
}

Table tableOf(const AnalysisInput& input, const std::vector<Found>& all) {
  Table table{.title = fmt::format("Locked heads, strength {}", input.parameters.value("strength")),
              .columns = {{"layer", "", ""}},
              .rows = {}};
  for (const char* kind : {"QK", "OV"}) {
    table.columns.push_back(
        {fmt::format("{} error", kind), "", "||P' - P|| / ||P||, the worst head, in double precision"});
    table.columns.push_back(
        {fmt::format("{} in float32", kind), "", "the same with the locked weights rounded to float32"});
    table.columns.push_back(
        {fmt::format("{} s moved", kind), "", "max |s' - s| / s1 of the product, the worst head"});
    table.columns.push_back(
        {fmt::format("{} merged", kind), "",
         "||P' - P|| / ||P|| of the weights' average with the original, mean over the heads"});
  }
  for (const char* name : kRawNames) {
    table.columns.push_back({fmt::format("{} moved", name), "", "||W' - W|| / ||W||"});
    table.columns.push_back({fmt::format("{} s moved", name), "", "max |s' - s| / s1"});
  }
  for (const Found& f : all) {
    std::vector<Cell> row = {static_cast<std::int64_t>(f.layer)};
    for (const Errors& e : {f.qk, f.ov})
      for (const double value : {e.exact, e.stored, e.spectrum, e.merged}) row.emplace_back(value);
    for (const RawMatrix& raw : f.raw) {
      row.emplace_back(raw.moved);
      row.emplace_back(raw.spectrum);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Figure strengthFigure(const AnalysisInput& input, const std::vector<Found>& all) {
  const std::vector<double> x(std::begin(kStrengths), std::end(kStrengths));
  const auto line = [&](std::string label, std::vector<double> Found::*values) {
    std::vector<std::vector<double>> curves;
    for (const Found& found : all)
      if (!(found.*values).empty()) curves.push_back(found.*values);
    return medianWithRange(std::move(label), x, curves);
  };
  Panel panel;
  panel.x.label = "strength (deviation of log singular values)";
  panel.y = {.label = "relative error", .scale = AxisScale::kLog};
  panel.lines = {line("products, float64", &Found::exact),
                 line("products, stored in float32", &Found::stored),
                 line("products of the average", &Found::merged), line("raw weights", &Found::moved)};
  return {.name = "mergelock-strength",
          .caption = fmt::format(
              "Locking the heads of {}: how far QK (at an offset of {} tokens) and OV are from the original, "
              "locked and averaged with it, and how far the weights moved; median and range over {} layers.",
              input.model, input.parameters.count("offset"),
              std::ranges::count_if(all, [](const Found& f) { return !f.exact.empty(); })),
          .panels = {std::move(panel)}};
}

LineSeries spectrumLine(std::string label, const std::vector<double>& sigma, std::size_t index, bool dashed) {
  std::vector<double> x;
  for (std::size_t i = 1; i <= sigma.size(); ++i) x.push_back(static_cast<double>(i));
  LineSeries line = plainLine(std::move(label), std::move(x), sigma, index);
  for (double& value : line.y)
    if (!(value > 0)) value = std::nan("");
  line.style->dash = dashed ? std::vector<double>{3, 2} : std::vector<double>{};
  return line;
}

Figure spectraFigure(const AnalysisInput& input, const std::vector<Found>& all) {
  const Found& f = all.front();
  Panel raw, product;
  for (Panel* panel : {&raw, &product}) {
    panel->x.label = "index";
    panel->y = {.label = "singular value", .scale = AxisScale::kLog};
  }
  raw.title = fmt::format("layer {}: raw weights", f.layer);
  for (std::size_t i = 0; i < 4; ++i) {
    if (f.raw[i].before.empty()) continue;
    raw.lines.push_back(spectrumLine(kRawNames[i], f.raw[i].before, i, false));
    raw.lines.push_back(spectrumLine(fmt::format("{} locked", kRawNames[i]), f.raw[i].after, i, true));
  }
  product.title = fmt::format("layer {}: OV of head 0", f.layer);
  product.lines = {spectrumLine("OV", f.ov_before, 0, false), spectrumLine("OV locked", f.ov_after, 1, true)};
  Figure figure{
      .name = "mergelock-spectra",
      .caption = fmt::format("Singular values of {} before and after its heads are locked (strength {}): "
                             "those of the raw projections move, those of what a head computes do not.",
                             input.model, input.parameters.value("strength")),
      .panels = {}};
  if (!raw.lines.empty()) figure.panels.push_back(std::move(raw));
  figure.panels.push_back(std::move(product));
  return figure;
}

Result<void> addRuns(const AnalysisInput& input, const std::vector<std::uint32_t>& layers,
                     AnalysisResult& to) {
  std::map<std::uint32_t, AttentionLocks> locks;
  for (const std::uint32_t layer : layers)
    locks.emplace(layer, locksOf(input, layer, input.parameters.value("strength")));
  TRY_ASSIGN(const LockedRuns runs, runLocked(input, locks));
  to.tables.push_back(outputTable(runs));
  to.tables.push_back(mergeTable(runs));
  to.figures.push_back(mergeFigure(input, runs));
  to.notes.push_back(noteOf(runs));
  return {};
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  Layers layers = layersOf(*input.spec);
  if (layers.usable.empty())
    return fail(ErrorCode::kInvalidArgument, "no layer has heads that can be locked{}{}",
                layers.notes.empty() ? "" : ": ", layers.notes.empty() ? "" : layers.notes.front());
  const std::size_t stride = (layers.usable.size() + kMostSweptLayers - 1) / kMostSweptLayers;
  TRY_ASSIGN(const std::vector<Found> all, forEach<Found>(input, layers.usable.size(), [&](std::size_t i) {
               return look(input, layers.usable[i], i % stride == 0);
             }));
  const auto worst = [&](const auto& value) {
    double most = 0;
    for (const Found& f : all) most = std::fmax(most, value(f));
    return most;
  };
  const double merged = meanOver(all, [](const Found& f) { return both(f.qk.merged, f.ov.merged); });
  layers.notes.push_back(fmt::format(
      "No product of a head is off by more than {:.2g} of its norm ({:.2g} when stored in float32), no "
      "singular value of one by more than {:.2g} of the largest; the average with the original is off by "
      "{:.0f} %.",
      worst([](const Found& f) { return std::fmax(f.qk.exact, f.ov.exact); }),
      worst([](const Found& f) { return std::fmax(f.qk.stored, f.ov.stored); }),
      worst([](const Found& f) { return std::fmax(f.qk.spectrum, f.ov.spectrum); }), 100 * merged));
  layers.notes.emplace_back(
      "With a rotary embedding A is a rotation and a scale of each pair of coordinates, or scores would "
      "change at other offsets; groups of query heads share the lock of their kv head.");
  AnalysisResult result{.tables = {tableOf(input, all)},
                        .figures = {strengthFigure(input, all), spectraFigure(input, all)},
                        .notes = std::move(layers.notes)};
  if (runsModel(input)) TRY(addRuns(input, layers.usable, result));
  return result;
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "mergelock",
    .title = "MergeLock",
    .paper =
        "Wang, Yang, Yin, Liu, Shen: Model Unmerging: Making Your Models Unmergeable for Secure Model "
        "Sharing (arXiv:2509.01548)",
    .summary =
        "Random changes of basis inside of heads: the raw spectra of Q, K, V and O move, QK, OV and the "
        "model's outputs do not, and its average with a sibling is broken.",
    .equation =
        "W_Q,h -> A^T W_Q,h, W_K,g -> A^-1 W_K,g, W_V,g -> B W_V,g, W_O,h -> W_O,h B^-1 (w, w) a kv head; A "
        "R = R A for rotary embeddings R; merged = (W + W') / 2; errors ||P' - P||_F / ||P||_F of QK and OV; "
        "run "
        "with (1 - a) W' + a W_sibling of every tensor",
    .cost =
        "a layer of H heads of width w: 60 H d w^2, four raw spectra of (H w, d) and 8 times its weights in "
        "doubles; ten runs on the text",
    .unchecked =
        "Other ways of merging than the plain average, and attempts to restore the locked model; without a "
        "sibling the average is with the original, the best case for merging. How the paper samples its "
        "matrices is recalled.",
    .subject = Subject::kHeads,
    .parameters = kParameters,
    .runs = {.text = "whose perplexity is measured, and whose first tokens' logits are compared",
             .sibling = "that the locked model is averaged with; without one the model itself"},
    .run = run,
};

}  // namespace vitrine::core::methods::mergelock
