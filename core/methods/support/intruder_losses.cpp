#include "core/methods/support/intruder_losses.h"

#include <algorithm>
#include <cmath>

#include "core/methods/support/model_runs.h"
#include "core/spectra/replaced_weights.h"

namespace vitrine::core::methods {
namespace {

Result<Losses> lossesOf(const AnalysisInput& input, const ModelRuns& runs, ModelSpec spec) {
  const auto window = static_cast<std::uint32_t>(input.parameters.count("window")),
             windows = static_cast<std::uint32_t>(input.parameters.count("windows"));
  TRY_ASSIGN(const auto model, runs.load(std::move(spec)));
  Losses losses;
  TRY_ASSIGN(losses.text, runs.perplexity(model, input.text, window, windows));
  TRY_ASSIGN(losses.tuned_text, runs.perplexity(model, input.tuned_text, window, windows));
  return losses;
}

Result<ModelSpec> scaledBy(double lambda, const FineTune& tune, ReplacedWeights weights,
                           const Mitigations& mitigations) {
  for (const MatrixPair& pair : tune.pairs) {
    const auto found = mitigations.find(pair.name);
    if (found == mitigations.end() || found->second->intruders.empty()) continue;
    TRY_ASSIGN(const TunedMatrix matrix, pair.load());
    TRY(weights.set(pair.place, scaledIntruders(matrix.tuned, *found->second, lambda)));
  }
  return weights.spec();
}

// What a fine-tune's name adds to its base's, which is all that fits a narrow panel.
std::string shortName(const AnalysisInput& input, std::size_t tune) {
  const std::string &base = input.model, &name = input.tunes[tune].name;
  const bool adds = name.starts_with(base) && name.size() > base.size() + 1;
  return adds ? name.substr(base.size() + 1) : name;
}

Panel lossPanel(const AnalysisInput& input, const IntruderLosses& losses, std::span<const double> lambdas,
                double Losses::*of, std::string label) {
  Panel panel;
  panel.x.label = "λ";
  panel.y.label = std::move(label);
  for (std::size_t t = 0; t < losses.tunes.size(); ++t) {
    LineSeries line{.label = shortName(input, t), .x = {lambdas.begin(), lambdas.end()}, .y = {}};
    for (const Losses& at : losses.tunes[t]) line.y.push_back(at.*of);
    panel.lines.push_back(std::move(line));
  }
  panel.lines.push_back({.label = "base", .x = {0, 1}, .y = {losses.base.*of, losses.base.*of}});
  return panel;
}

Panel tradePanel(const AnalysisInput& input, const IntruderLosses& losses) {
  Panel panel;
  panel.x.label = "PPL, base text";
  panel.y.label = "PPL, tuned text";
  for (std::size_t t = 0; t < losses.tunes.size(); ++t) {
    LineSeries line{.label = shortName(input, t), .x = {}, .y = {}};
    for (const Losses& at : losses.tunes[t]) {
      line.x.push_back(at.text);
      line.y.push_back(at.tuned_text);
    }
    panel.lines.push_back(std::move(line));
  }
  panel.lines.push_back({.label = "base", .x = {losses.base.text}, .y = {losses.base.tuned_text}});
  return panel;
}

}  // namespace

Result<IntruderLosses> intruderLosses(const AnalysisInput& input, const std::vector<Mitigations>& tunes,
                                      std::span<const double> lambdas) {
  TRY_ASSIGN(ModelSpec base, input.tunes.front().base_spec());
  TRY_ASSIGN(const ModelRuns runs, ModelRuns::open(input, *base.checkpoint));
  std::size_t done = 0;
  const auto tell = [&] {
    if (input.progress) input.progress(++done, 1 + tunes.size() * lambdas.size());
  };
  IntruderLosses losses;
  TRY_ASSIGN(losses.base, lossesOf(input, runs, std::move(base)));
  tell();
  for (std::size_t t = 0; t < tunes.size(); ++t) {
    TRY_ASSIGN(const ReplacedWeights tuned, tunedWeights(input.tunes[t]));
    std::vector<Losses> over_lambda;
    for (const double lambda : lambdas) {
      TRY_ASSIGN(ModelSpec spec, scaledBy(lambda, input.tunes[t], tuned, tunes[t]));
      TRY_ASSIGN(const Losses at, lossesOf(input, runs, std::move(spec)));
      over_lambda.push_back(at);
      tell();
    }
    losses.tunes.push_back(std::move(over_lambda));
  }
  return losses;
}

Table lossTable(const AnalysisInput& input, const IntruderLosses& losses, std::span<const double> lambdas) {
  Table table{.title = "Perplexity with the intruders scaled by lambda",
              .columns = {{"model", "", ""},
                          {"lambda", "", "0: intruders removed, 1: as they are"},
                          {"base's text", "", "perplexity of the text of the base's kind"},
                          {"fine-tune's text", "", "perplexity of the text of the fine-tune's kind"}},
              .rows = {{input.model, std::nan(""), losses.base.text, losses.base.tuned_text}}};
  for (std::size_t t = 0; t < losses.tunes.size(); ++t)
    for (std::size_t i = 0; i < lambdas.size(); ++i)
      table.rows.push_back(
          {input.tunes[t].name, lambdas[i], losses.tunes[t][i].text, losses.tunes[t][i].tuned_text});
  return table;
}

Figure lossFigure(const AnalysisInput& input, const IntruderLosses& losses, std::span<const double> lambdas) {
  return {.name = "intruder-dimensions-loss",
          .caption = fmt::format(
              "Perplexity (PPL) of {} and its fine-tunes with their intruders (k = {}, epsilon {}) scaled by "
              "lambda, on text of the base's kind and of the fine-tune's ({} windows of {} tokens each), and "
              "one against the other: the curve begins at lambda = {} and ends at lambda = {}.",
              input.model, input.parameters.count("k"), input.parameters.value("epsilon"),
              input.parameters.count("windows"), input.parameters.count("window"), lambdas.front(),
              lambdas.back()),
          .panels = {lossPanel(input, losses, lambdas, &Losses::text, "PPL, base text"),
                     lossPanel(input, losses, lambdas, &Losses::tuned_text, "PPL, tuned text"),
                     tradePanel(input, losses)}};
}

std::vector<std::string> lossNotes(const AnalysisInput& input, const IntruderLosses& losses,
                                   std::span<const double> lambdas) {
  std::vector<std::string> notes;
  for (std::size_t t = 0; t < losses.tunes.size(); ++t) {
    const std::vector<Losses>& at = losses.tunes[t];
    const auto best = std::ranges::min_element(at, {}, &Losses::text);
    notes.push_back(fmt::format(
        "{}: with its intruders the base's text has a perplexity of {:.2f} and the fine-tune's {:.2f}, "
        "without them {:.2f} and {:.2f} (the base: {:.2f} and {:.2f}); the base's text is best at lambda = "
        "{:.2g}, "
        "{:.2f}.",
        input.tunes[t].name, at.back().text, at.back().tuned_text, at.front().text, at.front().tuned_text,
        losses.base.text, losses.base.tuned_text, lambdas[static_cast<std::size_t>(best - at.begin())],
        best->text));
  }
  return notes;
}

}  // namespace vitrine::core::methods
