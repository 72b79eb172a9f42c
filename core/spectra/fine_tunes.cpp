#include "core/spectra/fine_tunes.h"

#include "core/adapter/attach_adapter.h"

namespace vitrine::core {
namespace {

Result<FineTunePairs> requirePairs(FineTunePairs tune, std::string_view glob) {
  if (!tune.matrices.pairs.empty()) return tune;
  return fail(ErrorCode::kNotFound, "{} and {} have no matrix in common{}: is it the base of this fine-tune?",
              tune.name, tune.base, glob.empty() ? "" : fmt::format(" that is named '{}'", glob));
}

std::string nameOfAdapters(const ModelSpec& spec) {
  std::string names;
  for (const AttachedAdapter& adapter : spec.adapters)
    names += (names.empty() ? "" : " + ") + adapter.name +
             (adapter.scale == 1 ? "" : fmt::format(":{}", adapter.scale));
  return names;
}

}  // namespace

Result<FineTunePairs> openFineTune(const std::filesystem::path& base, const std::filesystem::path& tuned,
                                   std::string_view glob) {
  TRY_ASSIGN(const auto from, Checkpoint::open(base));
  TRY_ASSIGN(const auto to, Checkpoint::open(tuned));
  return requirePairs({to->displayName(), from->displayName(), pairsOf(from, to, glob),
                       [from] { return readModelSpec(from); }, [to] { return readModelSpec(to); }},
                      glob);
}

Result<FineTunePairs> openAdapted(const std::filesystem::path& base, std::span<const AdapterChoice> adapters,
                                  std::string_view glob) {
  TRY_ASSIGN(const auto checkpoint, Checkpoint::open(base));
  TRY_ASSIGN(ModelSpec spec, readModelSpec(checkpoint));
  for (const AdapterChoice& adapter : adapters) TRY(attachAdapter(spec, adapter));
  std::string name = nameOfAdapters(spec);
  const auto adapted = std::make_shared<ModelSpec>(std::move(spec));
  return requirePairs({std::move(name), checkpoint->displayName(), pairsOf(adapted, glob),
                       [checkpoint] { return readModelSpec(checkpoint); },
                       [adapted]() -> Result<ModelSpec> { return *adapted; }},
                      glob);
}

}  // namespace vitrine::core
