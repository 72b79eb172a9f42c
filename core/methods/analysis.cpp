#include "core/methods/analysis.h"

#include <algorithm>

#include "core/methods/support/suited_matrices.h"

namespace vitrine::core::methods {
namespace {

bool isThere(Subject subject, const AnalysisInput& input) {
  switch (subject) {
    case Subject::kMatrices:
      return !input.matrices.empty();
    case Subject::kFineTunes:
      return !input.tunes.empty() &&
             std::ranges::none_of(input.tunes, [](const FineTune& tune) { return tune.pairs.empty(); });
    case Subject::kHeads:
      return input.spec != nullptr;
  }
  return false;
}

std::string_view expectedOf(Subject subject) {
  switch (subject) {
    case Subject::kMatrices:
      return "at least one matrix";
    case Subject::kFineTunes:
      return "a fine-tune with matrices that its base has too";
    case Subject::kHeads:
      return "a language model";
  }
  return "";
}

Result<void> checkTaken(std::string_view sentence, bool given, std::string_view what) {
  if (!given || !sentence.empty()) return {};
  return fail(ErrorCode::kInvalidArgument, "it does not run the model on {}: leave that out", what);
}

Result<void> checkRun(const RunsOn& runs, const AnalysisInput& input) {
  TRY(checkTaken(runs.prompt, !input.prompt.empty(), "a prompt"));
  TRY(checkTaken(runs.text, !input.text.empty(), "a text"));
  TRY(checkTaken(runs.tuned_text, !input.tuned_text.empty(), "a text of the fine-tune's kind"));
  TRY(checkTaken(runs.sibling, input.sibling != nullptr, "a sibling"));
  if (input.text.empty() && input.sibling)
    return fail(ErrorCode::kInvalidArgument,
                "a sibling without a text: what is to be read by their average?");
  if (!runs.tuned_text.empty() && input.text.empty() != input.tuned_text.empty())
    return fail(ErrorCode::kInvalidArgument,
                "one text alone: expected one of the base's kind and one of the fine-tune's kind");
  for (const FineTune& tune : input.tunes)
    if (runsModel(input) && !(tune.base_spec && tune.tuned_spec))
      return fail(ErrorCode::kInvalidArgument, "{} is matrices alone, without a model to run", tune.name);
  if (runsModel(input) && !input.open_device)
    return fail(ErrorCode::kInvalidArgument, "there is no device to run the model on");
  return {};
}

std::string notRun(const RunsOn& runs) {
  if (!runs.prompt.empty()) return fmt::format("The model was not run: give it a prompt ({}).", runs.prompt);
  if (runs.tuned_text.empty()) return fmt::format("The model was not run: give it a text ({}).", runs.text);
  return fmt::format("The model was not run: give it a text ({}) and one for the fine-tune ({}).", runs.text,
                     runs.tuned_text);
}

void tellLeftOut(const std::vector<std::string>& left_out, std::vector<std::string>& notes) {
  constexpr std::size_t kTold = 10;
  for (std::size_t i = 0; i < std::min(kTold, left_out.size()); ++i) notes.push_back(left_out[i]);
  if (left_out.size() > kTold)
    notes.push_back(fmt::format("{} more were left out.", left_out.size() - kTold));
}

}  // namespace

bool runsModel(const AnalysisInput& input) {
  return !input.prompt.empty() || !input.text.empty();
}

std::string_view name(Subject subject) {
  switch (subject) {
    case Subject::kMatrices:
      return "matrices";
    case Subject::kFineTunes:
      return "fine-tunes";
    case Subject::kHeads:
      return "heads";
  }
  return "";
}

Result<const Analysis*> findAnalysis(std::string_view id) {
  for (const Analysis* analysis : analyses())
    if (analysis->id == id) return analysis;
  std::string ids;
  for (const Analysis* analysis : analyses())
    ids += fmt::format("{}{}", ids.empty() ? "" : ", ", analysis->id);
  return fail(ErrorCode::kNotFound, "no method '{}' of family {}: there are {}", id, kAnalysisFamily, ids);
}

Result<Parameters> parametersOf(const Analysis& analysis, const MethodCall& call) {
  Parameters parameters(analysis.parameters);
  for (const auto& [name, value] : call.values)
    if (auto set = parameters.set(name, value); !set)
      return within(std::string(analysis.id), std::move(set).error());
  return parameters;
}

Result<AnalysisResult> runAnalysis(const Analysis& analysis, const AnalysisInput& input) {
  if (!isThere(analysis.subject, input))
    return fail(ErrorCode::kInvalidArgument, "{}: expected {}", analysis.id, expectedOf(analysis.subject));
  if (auto run = checkRun(analysis.runs, input); !run)
    return within(std::string(analysis.id), std::move(run).error());
  auto suited = suitedMatrices(input, analysis.limit);
  if (!suited) return within(std::string(analysis.id), std::move(suited).error());
  auto result = analysis.run(*suited);
  if (!result) return within(std::string(analysis.id), std::move(result).error());
  tellLeftOut(suited->left_out, result->notes);
  if (analysis.runs.any() && !runsModel(input)) result->notes.push_back(notRun(analysis.runs));
  return result;
}

}  // namespace vitrine::core::methods
