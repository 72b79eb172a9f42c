#include "core/methods/analysis_source.h"

#include <algorithm>

#include "core/adapter/attach_adapter.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/mapped_file.h"
#include "core/spectra/fine_tunes.h"
#include "core/spectra/matrix_catalogue.h"

namespace vitrine::core::methods {
namespace {

Result<void> addMatrices(const AnalysisSource& source, AnalysisInput& input) {
  TRY_ASSIGN(const auto checkpoint, Checkpoint::open(source.model));
  input.model = checkpoint->displayName();
  for (const StoredMatrix& matrix : matricesOf(*checkpoint, source.matrices))
    input.matrices.push_back(
        {matrix.name, matrix.rows, matrix.columns, [checkpoint, matrix] { return readMatrix(matrix); }});
  if (!input.matrices.empty()) return {};
  return fail(ErrorCode::kNotFound, "{}: no matrix {} (* stands for any letters)", input.model,
              source.matrices.empty() ? "in it" : fmt::format("is named '{}'", source.matrices));
}

Result<void> addSpec(const AnalysisSource& source, AnalysisInput& input) {
  TRY_ASSIGN(const auto checkpoint, Checkpoint::open(source.model));
  input.model = checkpoint->displayName();
  TRY_ASSIGN(ModelSpec spec, readModelSpec(checkpoint));
  for (const AdapterChoice& adapter : source.adapters) TRY(attachAdapter(spec, adapter));
  input.spec = std::make_shared<const ModelSpec>(std::move(spec));
  return {};
}

void addTune(FineTunePairs tune, AnalysisInput& input) {
  input.model = std::move(tune.base);
  input.tunes.push_back({std::move(tune.name), std::move(tune.matrices.pairs), std::move(tune.base_spec),
                         std::move(tune.tuned_spec)});
  for (const std::string& reason : tune.matrices.left_out)
    input.left_out.push_back(fmt::format("Not compared: {}.", reason));
}

Result<void> addTunes(const AnalysisSource& source, AnalysisInput& input) {
  if (source.tuned.empty() && source.adapters.empty())
    return fail(ErrorCode::kInvalidArgument,
                "it compares fine-tunes with their base: name a tuned model, or an adapter of the base");
  if (!source.tuned.empty()) {
    TRY_ASSIGN(FineTunePairs tune, openFineTune(source.model, source.tuned, source.matrices));
    addTune(std::move(tune), input);
  }
  if (!source.adapters.empty()) {
    TRY_ASSIGN(FineTunePairs tune, openAdapted(source.model, source.adapters, source.matrices));
    addTune(std::move(tune), input);
  }
  return {};
}

Result<std::string> readText(const std::filesystem::path& path) {
  if (path.empty()) return std::string();
  TRY_ASSIGN(const auto file, MappedFile::open(path));
  if (file->text().empty()) return fail(ErrorCode::kInvalidFile, "{}: the text is empty", path.string());
  return std::string(file->text());
}

Result<void> addRun(const AnalysisSource& source, AnalysisInput& input) {
  input.prompt = source.prompt;
  TRY_ASSIGN(input.text, readText(source.text));
  TRY_ASSIGN(input.tuned_text, readText(source.tuned_text));
  if (!source.sibling.empty()) {
    TRY_ASSIGN(input.sibling, Checkpoint::open(source.sibling));
  }
  return {};
}

}  // namespace

Result<AnalysisInput> analysisInput(const Analysis& analysis, const AnalysisSource& source) {
  if (source.model.empty())
    return fail(ErrorCode::kInvalidArgument, "{}: no model to look at: open one", analysis.id);
  AnalysisInput input;
  switch (analysis.subject) {
    case Subject::kMatrices:
      TRY(addMatrices(source, input));
      break;
    case Subject::kFineTunes:
      TRY(addTunes(source, input));
      break;
    case Subject::kHeads:
      TRY(addSpec(source, input));
      break;
  }
  TRY(addRun(source, input));
  return input;
}

std::string firstLayerGlob(std::span<const std::string> names) {
  for (const char* glob : {"*layers.0.*", "blk.0.*", "*.h.0.*", "h.0.*", "*blocks.0.*"})
    if (std::ranges::any_of(names, [&](const std::string& name) { return matchesGlob(name, glob); }))
      return glob;
  return {};
}

}  // namespace vitrine::core::methods
