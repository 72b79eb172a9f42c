// Which modules an adaptation lives in: norms of changes to W_Q, W_K, W_V and W_O, and the rest.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/methods/support/ablation_runs.h"
#include "core/methods/support/panels.h"
#include "core/methods/support/tune_panels.h"
#include "core/methods/support/tuned_matrices.h"

namespace vitrine::core::methods::unipano {
namespace {

constexpr Parameter kParameters[] = {{.name = "each",
                                      .fallback = 1,
                                      .least = 0,
                                      .most = 1,
                                      .unit = "",
                                      .help = "1: switch each matrix off alone too, a run each; 0: groups"}};

enum Module { kQ, kK, kV, kO, kOther };
constexpr std::string_view kModuleNames[] = {"Q", "K", "V", "O", "other"};

// By the names that Hugging Face and GGUF give the parts of attention; fused projections are none.
Module moduleOf(std::string_view name) {
  constexpr std::pair<std::string_view, Module> kParts[] = {
      {"q_proj", kQ},         {"k_proj", kK},          {"v_proj", kV},        {"o_proj", kO},
      {"attn_q", kQ},         {"attn_k", kK},          {"attn_v", kV},        {"attn_output", kO},
      {"attn.out_proj", kO},  {"attention.query", kQ}, {"attention.key", kK}, {"attention.value", kV},
      {"attention.dense", kO}};
  for (const auto& [part, module] : kParts) {
    const std::size_t at = name.find(part);
    if (at == std::string_view::npos) continue;
    const std::size_t end = at + part.size();
    if (end == name.size() || name[end] == '.' || name[end] == '[') return module;
  }
  return kOther;
}

struct Found {
  std::string name;
  Module module = kOther;
  double elements = 0;
  double base_norm = 0, change_norm = 0;  // Frobenius
  double base_s1 = 0, change_s1 = 0;      // spectral
  double relative() const { return base_norm > 0 ? change_norm / base_norm : std::nan(""); }
  double relativeS1() const { return base_s1 > 0 ? change_s1 / base_s1 : std::nan(""); }
};
using Tunes = std::vector<std::vector<Found>>;

Result<Found> look(const TunedPair& pair) {
  const Eigen::MatrixXd change = pair.tuned - pair.base;
  TRY_ASSIGN(const FullSvd svd, fullSvd(change));
  return Found{.name = pair.name,
               .module = moduleOf(pair.name),
               .elements = static_cast<double>(change.size()),
               .base_norm = pair.base.norm(),
               .change_norm = change.norm(),
               .base_s1 = pair.svd.sigma[0],
               .change_s1 = svd.sigma[0]};
}

// Of the matrices of some modules together.
struct Together {
  double energy = 0, base_energy = 0, elements = 0;
  double relative() const { return base_energy > 0 ? std::sqrt(energy / base_energy) : std::nan(""); }
};
Together together(const std::vector<Found>& all, std::initializer_list<Module> modules) {
  Together sum;
  for (const Found& found : all)
    if (std::ranges::find(modules, found.module) != modules.end()) {
      sum.energy += found.change_norm * found.change_norm;
      sum.base_energy += found.base_norm * found.base_norm;
      sum.elements += found.elements;
    }
  return sum;
}

double ratio(double a, double b) {
  return b > 0 ? a / b : std::nan("");
}

Table groupTable(const AnalysisInput& input, const Tunes& tunes) {
  Table table{
      .title = "Where the change lies",
      .columns = {{"fine-tune", "", ""},
                  {"modules", "", ""},
                  {"|dW| / |W|", "", "Frobenius, of all layers together"},
                  {"s1(dW) / s1(W)", "", "spectral, mean over the layers"},
                  {"share of |dW|^2", "", "of all matrices"},
                  {"share of attention", "", "of |dW|^2 in Q, K, V and O"},
                  {"parameters", "", "share of those of Q, K, V and O: what an even change would have"}},
      .rows = {}};
  struct Group {
    std::string name;
    std::initializer_list<Module> modules;
  };
  const Group groups[] = {{"Q", {kQ}},        {"K", {kK}},        {"V", {kV}},        {"O", {kO}},
                          {"Q, K", {kQ, kK}}, {"V, O", {kV, kO}}, {"other", {kOther}}};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    const Together everything = together(tunes[t], {kQ, kK, kV, kO, kOther}),
                   attention = together(tunes[t], {kQ, kK, kV, kO});
    for (const Group& group : groups) {
      const Together here = together(tunes[t], group.modules);
      if (here.elements == 0) continue;
      const bool other = group.name == "other";
      const auto inside = [&](const Found& f) {
        return std::ranges::find(group.modules, f.module) != group.modules.end();
      };
      table.rows.push_back(
          {input.tunes[t].name, group.name, here.relative(),
           meanOver(tunes[t], [&](const Found& f) { return inside(f) ? f.relativeS1() : std::nan(""); }),
           ratio(here.energy, everything.energy), other ? std::nan("") : ratio(here.energy, attention.energy),
           other ? std::nan("") : ratio(here.elements, attention.elements)});
    }
  }
  return table;
}

Table matrixTable(const AnalysisInput& input, const Tunes& tunes) {
  Table table{.title = "By matrix",
              .columns = {{"fine-tune", "", ""},
                          {"tensor", "", ""},
                          {"module", "", ""},
                          {"|dW|", "", "Frobenius"},
                          {"|dW| / |W|", "", ""},
                          {"s1(dW)", "", "spectral"},
                          {"s1(dW) / s1(W)", "", ""}},
              .rows = {}};
  for (std::size_t t = 0; t < tunes.size(); ++t)
    for (const Found& f : tunes[t])
      table.rows.push_back({input.tunes[t].name, f.name, std::string(kModuleNames[f.module]), f.change_norm,
                            f.relative(), f.change_s1, f.relativeS1()});
  return table;
}

Panel sharePanel(const AnalysisInput& input, const Tunes& tunes) {
  Panel panel;
  panel.x.categories = {"Q", "K", "V", "O", "Q, K", "V, O"};
  panel.x.category_font = FontRole::kSans;
  panel.y = {.label = "share of attention's ‖ΔW‖²", .minimum = 0};
  BarSeries even{.label = "even change", .values = {}};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    BarSeries bars{.label = input.tunes[t].name, .values = {}};
    const Together attention = together(tunes[t], {kQ, kK, kV, kO});
    for (const std::initializer_list<Module> modules :
         {std::initializer_list<Module>{kQ}, {kK}, {kV}, {kO}, {kQ, kK}, {kV, kO}}) {
      const Together here = together(tunes[t], modules);
      bars.values.push_back(attention.energy > 0 ? here.energy / attention.energy : 0);
      if (t == 0) even.values.push_back(attention.elements > 0 ? here.elements / attention.elements : 0);
    }
    panel.bars.push_back(std::move(bars));
  }
  panel.bars.push_back(std::move(even));
  return panel;
}

Figure figureOf(const AnalysisInput& input, const PairedBases& paired, const Tunes& tunes) {
  Figure figure{.name = "unipano-modules",
                .caption = fmt::format(
                    "Size of the change by module: {}. By layer ||dW||_F / ||W||_F and s1(dW) / s1(W); last, "
                    "the shares of attention's ||dW||^2, beside those of its parameters.",
                    subjectOf(input, paired)),
                .panels = {}};
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    std::vector<std::string> names;
    std::vector<double> frobenius, spectral;
    for (const Found& f : tunes[t]) {
      names.push_back(f.name);
      frobenius.push_back(f.relative());
      spectral.push_back(f.relativeS1());
    }
    for (Panel panel : {layerProfile(names, frobenius, {.label = "‖ΔW‖ / ‖W‖", .minimum = 0}),
                        layerProfile(names, spectral, {.label = "s₁(ΔW) / s₁(W)", .minimum = 0})}) {
      panel.title = input.tunes[t].name;
      if (!panel.lines.empty()) figure.panels.push_back(std::move(panel));
    }
  }
  figure.panels.push_back(sharePanel(input, tunes));
  figure.panel_columns = 2;
  return figure;
}

std::string noteOf(const std::string& name, const std::vector<Found>& all) {
  const Together qk = together(all, {kQ, kK}), vo = together(all, {kV, kO});
  if (qk.elements == 0 || vo.elements == 0)
    return fmt::format(
        "{}: no separate projections of both Q or K and V or O were changed: their shares say nothing.",
        name);
  if (qk.energy + vo.energy == 0) return fmt::format("{}: attention was not changed.", name);
  return fmt::format(
      "{}: V and O hold {:.1f} % of attention's ||dW||^2 with {:.1f} % of its parameters; relative to the "
      "weights they changed by {:.3g}, Q and K by {:.3g}.",
      name, 100 * vo.energy / (vo.energy + qk.energy), 100 * vo.elements / (vo.elements + qk.elements),
      vo.relative(), qk.relative());
}

// What is left on, in one row of the ablations' table.
struct Kept {
  std::string name;
  std::initializer_list<Module> modules;
};
const Kept kKept[] = {{"all but Q", {kK, kV, kO, kOther}},
                      {"all but K", {kQ, kV, kO, kOther}},
                      {"all but V", {kQ, kK, kO, kOther}},
                      {"all but O", {kQ, kK, kV, kOther}},
                      {"Q, K alone", {kQ, kK}},
                      {"V, O alone", {kV, kO}},
                      {"Q, K, V, O alone", {kQ, kK, kV, kO}},
                      {"other alone", {kOther}},
                      {"none", {}}};

// Groups first, then each matrix alone.
std::vector<Ablation> ablationsOf(const FineTune& tune, bool each) {
  std::vector<Ablation> all;
  for (const Kept& kept : kKept) {
    Ablation one{.name = kept.name, .off = {}};
    for (const MatrixPair& pair : tune.pairs)
      one.off.push_back(std::ranges::find(kept.modules, moduleOf(pair.name)) == kept.modules.end());
    all.push_back(std::move(one));
  }
  for (std::size_t i = 0; each && i < tune.pairs.size(); ++i) {
    Ablation one{.name = tune.pairs[i].name, .off = std::vector<bool>(tune.pairs.size())};
    one.off[i] = true;
    all.push_back(std::move(one));
  }
  return all;
}

Table ablationTable(const AnalysisInput& input, const AblationRuns& runs) {
  Table table{
      .title = fmt::format("Changes switched off, read on {} tokens", runs.tokens),
      .columns = {{"fine-tune", "", ""},
                  {"changes that are on", "", "of the matrices; the others are the base's"},
                  {"KL", "nats", "sum p log(p / p') of the next token, p the whole fine-tune's, mean"},
                  {"changed", "", "share of tokens after which another one is the most probable"},
                  {"loss", "nats", "-log p of the prompt's next token, mean"}},
      .rows = {}};
  for (std::size_t t = 0; t < runs.tunes.size(); ++t) {
    table.rows.push_back({input.tunes[t].name, std::string("all"), 0.0, 0.0, runs.tunes[t].loss});
    for (std::size_t i = 0; i < std::size(kKept); ++i) {
      const Ablated& at = runs.tunes[t].at[i];
      table.rows.push_back({input.tunes[t].name, kKept[i].name, at.drift.kl, at.drift.changed, at.loss});
    }
  }
  return table;
}

Figure ablationFigure(const AnalysisInput& input, const AblationRuns& runs) {
  Figure figure{.name = "unipano-ablation",
                .caption = fmt::format(
                    "Fine-tunes of {} with their change to some matrices switched off, on {} tokens of a "
                    "prompt: how far the predictions are from the whole fine-tune's, and the loss on the "
                    "prompt; then with one matrix switched off at a time, by layer.",
                    input.model, runs.tokens),
                .panels = {}};
  Panel drift, loss;
  for (Panel* panel : {&drift, &loss}) {
    panel->x.category_font = FontRole::kSans;
    for (const Kept& kept : kKept) panel->x.categories.push_back(kept.name);
  }
  drift.y = {.label = "KL to the fine-tune", .unit = "nats", .minimum = 0};
  loss.y = {.label = "loss", .unit = "nats", .minimum = 0};
  loss.x.categories.insert(loss.x.categories.begin(), "all");
  for (std::size_t t = 0; t < runs.tunes.size(); ++t) {
    BarSeries drifts{.label = input.tunes[t].name, .values = {}},
        losses{.label = input.tunes[t].name, .values = {runs.tunes[t].loss}};
    for (std::size_t i = 0; i < std::size(kKept); ++i) {
      drifts.values.push_back(runs.tunes[t].at[i].drift.kl);
      losses.values.push_back(runs.tunes[t].at[i].loss);
    }
    drift.bars.push_back(std::move(drifts));
    loss.bars.push_back(std::move(losses));
  }
  figure.panels = {std::move(drift), std::move(loss)};
  for (std::size_t t = 0; t < runs.tunes.size(); ++t) {
    std::vector<std::string> names;
    std::vector<double> drifts;
    for (std::size_t i = std::size(kKept); i < runs.tunes[t].at.size(); ++i) {
      names.push_back(input.tunes[t].pairs[i - std::size(kKept)].name);
      drifts.push_back(runs.tunes[t].at[i].drift.kl);
    }
    Panel panel = layerProfile(names, drifts, {.label = "KL, one off", .unit = "nats", .minimum = 0});
    panel.title = input.tunes[t].name;
    if (!panel.lines.empty()) figure.panels.push_back(std::move(panel));
  }
  figure.panel_columns = 1;
  return figure;
}

std::string noteOf(const std::string& name, const AblatedTune& tune) {
  const auto at = [&](std::string_view kept) -> const Ablated& {
    return tune.at[static_cast<std::size_t>(std::ranges::find(kKept, kept, &Kept::name) - kKept)];
  };
  return fmt::format(
      "{}: on the prompt its loss is {:.3f} nats; with its changes to Q and K alone {:.3f}, to V and O alone "
      "{:.3f}, to all four {:.3f}, to none {:.3f}.",
      name, tune.loss, at("Q, K alone").loss, at("V, O alone").loss, at("Q, K, V, O alone").loss,
      at("none").loss);
}

Result<void> addRuns(const AnalysisInput& input, AnalysisResult& to) {
  std::vector<std::vector<Ablation>> ablations;
  for (const FineTune& tune : input.tunes)
    ablations.push_back(ablationsOf(tune, input.parameters.count("each") == 1));
  TRY_ASSIGN(const AblationRuns runs, runAblations(input, ablations));
  to.tables.push_back(ablationTable(input, runs));
  to.figures.push_back(ablationFigure(input, runs));
  for (std::size_t t = 0; t < runs.tunes.size(); ++t)
    to.notes.push_back(noteOf(input.tunes[t].name, runs.tunes[t]));
  to.notes.emplace_back(
      "Only the matrices that are compared are switched off: what else a full fine-tune changed, norms among "
      "it, stays tuned.");
  return {};
}

Result<AnalysisResult> run(const AnalysisInput& input) {
  TRY_ASSIGN(const PairedBases paired, pairedBases(input));
  TRY_ASSIGN(const Tunes tunes, forEachTuned<Found>(input, paired, look));
  AnalysisResult result{.tables = {groupTable(input, tunes), matrixTable(input, tunes)},
                        .figures = {figureOf(input, paired, tunes)},
                        .notes = paired.notes};
  for (std::size_t t = 0; t < tunes.size(); ++t)
    result.notes.push_back(noteOf(input.tunes[t].name, tunes[t]));
  if (runsModel(input)) TRY(addRuns(input, result));
  return result;
}

}  // namespace

extern const Analysis kMethod;
const Analysis kMethod = {
    .id = "unipano",
    .title = "UniPano: where an adaptation lives",
    .paper =
        "Ni, Zhang, Zhang, Zhang: What Makes for Text to 360-degree Panorama Generation with Stable "
        "Diffusion? (arXiv:2505.22129)",
    .summary =
        "How much of a fine-tune lies in W_Q and W_K, how much in W_V and W_O, by layer, and what its "
        "outputs "
        "become without them.",
    .equation =
        "r_m = ||dW_m||_F / ||W_m||_F and s1(dW_m) / s1(W_m) of each module m; shares of sum ||dW_m||_F^2 "
        "over Q, K and over V, O against those of their parameters; a run with W_m in place of W_m + dW_m "
        "where m "
        "is off",
    .cost =
        "two full decompositions, about 4 m n^2 + 8 n^3 each; 4 m n doubles; ten runs on the prompt, and one "
        "a "
        "matrix",
    .unchecked =
        "That Q and K hold what domains share and V and O the adaptation: the paper shows it by training and "
        "generating with a part of the adapters alone, in a diffusion model. Here parts of one training are "
        "switched off, in language models.",
    .subject = Subject::kFineTunes,
    .parameters = kParameters,
    .runs = {.prompt = "text of the fine-tune's kind, which is read with parts of its change switched off"},
    .run = run,
};

}  // namespace vitrine::core::methods::unipano
