#include "core/methods/analysis_source.h"

#include <algorithm>

#include "core/adapter/attach_adapter.h"
#include "core/checkpoint/checkpoint.h"
#include "core/spectra/matrix_catalogue.h"

namespace vitrine::core::methods {
namespace {

Result<void> addMatrices(const AnalysisSource& source, AnalysisInput& input) {
  TRY_ASSIGN(const auto checkpoint, Checkpoint::open(source.model));
  for (const StoredMatrix& matrix : matricesOf(*checkpoint, source.matrices))
    input.matrices.push_back(
        {matrix.name, matrix.rows, matrix.columns, [checkpoint, matrix] { return readMatrix(matrix); }});
  if (!input.matrices.empty()) return {};
  return fail(ErrorCode::kNotFound,
              "{}: no matrix is named '{}': empty the field for all, * stands for any letters",
              source.model.filename().string(), source.matrices);
}

Result<std::shared_ptr<ModelSpec>> openSpec(const AnalysisSource& source) {
  TRY_ASSIGN(const auto checkpoint, Checkpoint::open(source.model));
  TRY_ASSIGN(ModelSpec spec, readModelSpec(checkpoint));
  for (const AdapterChoice& adapter : source.adapters) TRY(attachAdapter(spec, adapter));
  return std::make_shared<ModelSpec>(std::move(spec));
}

Result<void> addTunes(const AnalysisSource& source, AnalysisInput& input) {
  if (source.tuned.empty() && source.adapters.empty())
    return fail(
        ErrorCode::kInvalidArgument,
        "this method compares a fine-tune with its base: name a tuned model's folder or an adapter's");
  if (!source.tuned.empty()) {
    TRY_ASSIGN(const auto base, Checkpoint::open(source.model));
    TRY_ASSIGN(const auto tuned, Checkpoint::open(source.tuned));
    input.tunes.push_back({tuned->displayName(), pairsOf(base, tuned, source.matrices).pairs});
  }
  if (!source.adapters.empty()) {
    std::string name;
    for (const AdapterChoice& adapter : source.adapters)
      name += (name.empty() ? "" : " + ") + adapter.folder.filename().string();
    TRY_ASSIGN(const auto spec, openSpec(source));
    input.tunes.push_back({name, pairsOf(spec, source.matrices).pairs});
  }
  for (const FineTune& tune : input.tunes)
    if (tune.pairs.empty())
      return fail(ErrorCode::kNotFound, "{}: nothing in it changes a matrix of {} named '{}'", tune.name,
                  source.model.filename().string(), source.matrices);
  return {};
}

}  // namespace

Result<AnalysisInput> analysisInput(const Analysis& analysis, const AnalysisSource& source) {
  if (source.model.empty())
    return fail(ErrorCode::kInvalidArgument,
                "no model is loaded: open one with File, Open file or Open folder");
  AnalysisInput input{.model = source.model.filename().string()};
  switch (analysis.subject) {
    case Subject::kMatrices:
      TRY(addMatrices(source, input));
      break;
    case Subject::kFineTunes:
      TRY(addTunes(source, input));
      break;
    case Subject::kHeads: {
      TRY_ASSIGN(input.spec, openSpec(source));
      break;
    }
  }
  return input;
}

std::string firstLayerGlob(std::span<const std::string> names) {
  for (const char* glob : {"*layers.0.*", "blk.0.*", "*.h.0.*", "h.0.*", "*blocks.0.*"})
    if (std::ranges::any_of(names, [&](const std::string& name) { return matchesGlob(name, glob); }))
      return glob;
  return {};
}

}  // namespace vitrine::core::methods
