// The nuclear norm of heads' OV products, and the recall task that shows why factors keep it small.
#include <algorithm>
#include <cmath>

#include "core/methods/analysis.h"
#include "core/methods/support/tune_panels.h"
#include "core/spectra/head_products.h"
#include "core/spectra/metrics.h"
#include "core/spectra/recall_toy.h"

namespace vitrine::core::methods::ocr_nuclear_norm {
namespace {

constexpr Parameter kParameters[] = {
    {.name = "facts",
     .fallback = 4,
     .least = 2,
     .most = 16,
     .unit = "",
     .help = "of the recall task, with an implication each"},
    {.name = "trained",
     .fallback = 3,
     .least = 1,
     .most = 16,
     .unit = "",
     .help = "subjects of a fact whose implication is shown"},
    {.name = "steps",
     .fallback = 4'000,
     .least = 1,
     .most = 100'000,
     .unit = "",
     .help = "of gradient descent"},
    {.name = "initial",
     .fallback = 0.01,
     .least = 1e-6,
     .most = 1,
     .unit = "",
     .help = "deviation of the factors at the start",
     .whole = false},
    {.name = "seed", .fallback = 1, .least = 0, .most = 1e9, .unit = "", .help = "of the factors"},
};

struct Head {
  std::uint32_t layer = 0, head = 0;
  double nuclear = 0, frobenius = 0, effective_rank = 0;
  // ||.||_* / (||.||_F sqrt r), r values: 1 where all are equal, 1 / sqrt r of rank one.
  double flatness = 0;
  std::size_t values = 0;
};

Head headOf(const HeadProduct& product) {
  const SpectrumMetrics m = spectrumMetrics(product.spectrum.sigma, product.spectrum.floor);
  Head head{.layer = product.layer,
            .head = product.head,
            .nuclear = m.nuclear,
            .frobenius = m.frobenius,
            .effective_rank = m.effective_rank,
            .values = product.spectrum.sigma.size()};
  head.flatness = m.frobenius > 0 ? m.nuclear / (m.frobenius * std::sqrt(static_cast<double>(head.values)))
                                  : std::nan("");
  return head;
}

Table headTable(const std::vector<Head>& heads) {
  Table table{.title = "Output-value products of heads",
              .columns = {{"layer", "", ""},
                          {"head", "", ""},
                          {"nuclear", "", "||OV||_*, sum of the singular values"},
                          {"Frobenius", "", "||OV||_F"},
                          {"effective rank", "", "exp of the entropy of s / sum s"},
                          {"nuclear / (F sqrt r)", "", "1: all r values alike, 1 / sqrt r: one of them"},
                          {"r", "", "values that can differ from zero"}},
              .rows = {}};
  for (const Head& h : heads)
    table.rows.push_back({static_cast<std::int64_t>(h.layer), static_cast<std::int64_t>(h.head), h.nuclear,
                          h.frobenius, h.effective_rank, h.flatness, static_cast<std::int64_t>(h.values)});
  return table;
}

struct Toy {
  RecallTask task;
  RecallRun combined, factorized;
};

Table toyTable(const Toy& toy) {
  Table table{
      .title = fmt::format(
          "Recall task: {} facts, {} subjects with and {} without their implication shown, {} steps",
          toy.task.facts, toy.task.trained, toy.task.unseen, toy.task.steps),
      .columns =
          {{"trained", "", ""},
           {"loss", "nat", ""},
           {"margin", "", "the least lead of an answer's logit"},
           {"nuclear / margin", "", "what factors keep small"},
           {"Frobenius / margin", "", "what the combined matrix keeps small"},
           {"effective rank", "", ""},
           {"unseen preference / margin", "",
            "the implication's logit over the mean of the others', subjects whose implication was not shown"},
           {"unseen accuracy", "", "share of those whose implication wins"}},
      .rows = {}};
  const auto add = [&](const char* name, const RecallState& s) {
    table.rows.push_back({std::string(name), s.loss, s.margin, s.nuclear / s.margin, s.frobenius / s.margin,
                          s.effective_rank, s.preference / s.margin, s.accuracy});
  };
  add("W_O W_V^T", toy.factorized.states.back());
  add("W_OV", toy.combined.states.back());
  return table;
}

// Layers with such products down, heads to the right; a head that is not there is masked.
Panel headMap(const std::vector<Head>& heads, double Head::*value, std::string quantity) {
  std::vector<std::uint32_t> layers;
  std::uint32_t columns = 0;
  for (const Head& h : heads) {
    if (layers.empty() || layers.back() != h.layer) layers.push_back(h.layer);
    columns = std::max(columns, h.head + 1);
  }
  HeatMap map{.rows = layers.size(),
              .columns = columns,
              .values = {},
              .mask = {},
              .color = {},
              .top = {},
              .right = {}};
  map.values.assign(map.rows * map.columns, 0);
  map.mask.assign(map.values.size(), 1);
  map.color.quantity = std::move(quantity);
  for (const Head& h : heads) {
    const auto row = static_cast<std::size_t>(std::ranges::find(layers, h.layer) - layers.begin());
    map.values[row * columns + h.head] = static_cast<float>(h.*value);
    map.mask[row * columns + h.head] = std::isfinite(h.*value) ? 0 : 1;
  }
  Panel panel;
  panel.x.label = "head";
  panel.y.label = "layer";
  for (std::uint32_t c = 0; c < columns; ++c) panel.x.categories.push_back(std::to_string(c));
  for (const std::uint32_t layer : layers) panel.y.categories.push_back(std::to_string(layer));
  panel.x.category_font = panel.y.category_font = FontRole::kSans;
  panel.heat_map = std::move(map);
  return panel;
}

Figure headFigure(const AnalysisInput& input, const std::vector<Head>& heads) {
  Figure figure{
      .name = "ocr-nuclear-norm-heads",
      .caption = fmt::format("Output-value products of the heads of {}: nuclear norm, effective rank, and "
                             "the nuclear norm over its greatest value at that Frobenius norm.",
                             input.model),
      .panels = {}};
  figure.panels = {headMap(heads, &Head::nuclear, "‖OV‖ nuclear"),
                   headMap(heads, &Head::effective_rank, "effective rank"),
                   headMap(heads, &Head::flatness, "nuclear / (F √r)")};
  return figure;
}

Panel weightMap(const Toy& toy, const RecallRun& run, std::string title, double largest) {
  Panel panel;
  panel.title = std::move(title);
  panel.x = {.label = "subject, relation"};
  panel.y = {.label = "output"};
  panel.x.category_font = panel.y.category_font = FontRole::kSans;
  HeatMap map{.rows = static_cast<std::size_t>(run.w.rows()),
              .columns = static_cast<std::size_t>(run.w.cols()),
              .values = {},
              .mask = {},
              .color = {},
              .top = {},
              .right = {}};
  for (Eigen::Index i = 0; i < run.w.rows(); ++i)
    for (Eigen::Index j = 0; j < run.w.cols(); ++j)
      map.values.push_back(static_cast<float>(run.w(i, j) / run.states.back().margin));
  map.color.map = ColormapId::kDiverging;
  map.color.minimum = -largest;
  map.color.maximum = largest;
  map.color.quantity = "W / margin";
  panel.heat_map = std::move(map);
  for (const char part : {'b', 'c'})
    for (int k = 1; k <= toy.task.facts; ++k) panel.y.categories.push_back(fmt::format("{}{}", part, k));
  for (int s = 0; s < toy.task.subjects(); ++s)
    panel.x.categories.push_back(
        fmt::format("{}{}", toy.task.factOf(s) + 1, toy.task.isUnseen(s) ? "*" : ""));
  panel.x.categories.insert(panel.x.categories.end(), {"r1", "r2"});
  return panel;
}

LineSeries curveOf(std::string label, const RecallRun& run, double RecallState::*value) {
  LineSeries line{.label = std::move(label), .x = {}, .y = {}};
  for (const RecallState& state : run.states) {
    if (!(state.margin >= 1)) continue;  // not yet all answers are learned
    line.x.push_back(state.step);
    line.y.push_back(state.*value / state.margin);
  }
  return line;
}

Figure toyFigure(const Toy& toy) {
  const auto scale = [](const RecallRun& run) {
    return run.w.cwiseAbs().maxCoeff() / std::abs(run.states.back().margin);
  };
  const double largest = std::max(scale(toy.combined), scale(toy.factorized));
  Figure figure{.name = "ocr-nuclear-norm-toy",
                .caption = fmt::format(
                    "Recall task of {} facts b and implications c: weights over the margin after {} steps of "
                    "gradient descent on factors W_O W_V^T and on W_OV itself; columns are subjects by their "
                    "fact, of those with * no implication was shown, and the relations. Then nuclear norm "
                    "and preference for the implication that was not shown, over the margin.",
                    toy.task.facts, toy.task.steps),
                .panels = {}};
  figure.panels = {weightMap(toy, toy.factorized, "factorized", largest),
                   weightMap(toy, toy.combined, "combined", largest)};
  for (const auto& [label, value] : {std::pair{"‖W‖ nuclear / margin", &RecallState::nuclear},
                                     {"‖W‖ Frobenius / margin", &RecallState::frobenius},
                                     {"unseen preference / margin", &RecallState::preference}}) {
    Panel panel;
    panel.x = {.label = "step", .scale = AxisScale::kLog};
    panel.y.label = label;
    for (auto& line :
         {curveOf("factorized", toy.factorized, value), curveOf("combined", toy.combined, value)})
      if (line.x.size() > 1) panel.lines.push_back(line);
    if (!panel.lines.empty()) figure.panels.push_back(std::move(panel));
  }
  return figure;
}

Result<Toy> trained(const AnalysisInput& input) {
  const auto whole = [&](const char* name) { return static_cast<int>(input.parameters.count(name)); };
  Toy toy{.task = {.facts = whole("facts"),
                   .trained = whole("trained"),
                   .steps = whole("steps"),
                   .initial = input.parameters.value("initial"),
                   .seed = input.parameters.count("seed")},
          .combined = {},
          .factorized = {}};
  TRY_ASSIGN(toy.combined, trainRecall(toy.task, RecallForm::kCombined, input.stop));
  TRY_ASSIGN(toy.factorized, trainRecall(toy.task, RecallForm::kFactorized, input.stop));
  return toy;
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  const ProductKind kinds[] = {ProductKind::kOv};
  TRY_ASSIGN(HeadProducts found,
             headProducts(*input.spec, kinds, {}, input.stop, [&](std::size_t layer, std::size_t layers) {
               if (input.progress) input.progress(layer, layers);
             }));
  std::vector<Head> heads;
  for (const HeadProduct& product : found.products) heads.push_back(headOf(product));
  TRY_ASSIGN(const Toy toy, trained(input));
  AnalysisResult result{.tables = {}, .figures = {}, .notes = std::move(found.left_out)};
  if (!heads.empty()) {
    result.tables.push_back(headTable(heads));
    result.figures.push_back(headFigure(input, heads));
    const auto [least, most] = std::ranges::minmax_element(heads, {}, &Head::effective_rank);
    result.notes.push_back(fmt::format(
        "The effective rank of OV goes from {:.1f} (layer {}, head {}) to {:.1f} (layer {}, head {}) of {}; "
        "mean {:.1f}.",
        least->effective_rank, least->layer, least->head, most->effective_rank, most->layer, most->head,
        most->values, meanOver(heads, [](const Head& h) { return h.effective_rank; })));
  }
  result.tables.push_back(toyTable(toy));
  result.figures.push_back(toyFigure(toy));
  const RecallState &f = toy.factorized.states.back(), &c = toy.combined.states.back();
  result.notes.push_back(
      fmt::format("Recall task: factors end at a nuclear norm of {:.2f} margins and answer {:.0f} % of the "
                  "implications that were never shown, the combined matrix at {:.2f} and {:.0f} %; its "
                  "Frobenius norm is the smaller one, {:.2f} against {:.2f}.",
                  f.nuclear / f.margin, 100 * f.accuracy, c.nuclear / c.margin, 100 * c.accuracy,
                  c.frobenius / c.margin, f.frobenius / f.margin));
  return result;
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "ocr-nuclear-norm",
    .title = "Out-of-context reasoning and the nuclear norm",
    .paper =
        "Huang, Zhu, Guo, Jiao, Sojoudi, Jordan, Russell, Mei: Generalization or Hallucination? "
        "Understanding Out-of-Context Reasoning in Transformers (arXiv:2506.10887)",
    .summary =
        "The nuclear norm and effective rank of each head's OV product, and a recall task in which factors, "
        "not the combined matrix, answer what was never shown.",
    .equation =
        "OV = W_O,h W_V,g G (d, d): ||.||_* = sum s, ||.||_F, exp(H(s / sum s)); toy: logits = W (e_subject "
        "+ e_relation), gradient descent on the cross-entropy of W_O W_V^T or of W",
    .cost = "a head of width w: 4 d w^2 and 12 w^3; the toy a second; 2 d w doubles",
    .unchecked =
        "Fine-tuning a language model on new facts and what it then infers (it needs training at scale): "
        "compare the table of a model with that of its fine-tune. That gradient descent ends in the very "
        "least nuclear norm is a statement about infinitely many steps; the toy shows which norm is the "
        "smaller one.",
    .subject = Subject::kHeads,
    .parameters = kParameters,
    .run = run,
};

}  // namespace vitrine::core::methods::ocr_nuclear_norm
