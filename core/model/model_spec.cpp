#include "core/model/model_spec.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/arch/architecture.h"
#include "core/checkpoint/json.h"
#include "gpu/log.h"

namespace vitrine::core {
namespace {

using arch::Architecture;
using nlohmann::json;

// Number of letters to insert, delete or replace (Levenshtein).
std::size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

const auto& namesOf(const Architecture& architecture, CheckpointFormat format) {
  return format == CheckpointFormat::kGguf ? architecture.gguf_names : architecture.model_types;
}

Result<std::string> architectureName(const Checkpoint& checkpoint) {
  const bool gguf = checkpoint.format() == CheckpointFormat::kGguf;
  const char* key = gguf ? "general.architecture" : "model_type";
  const auto found = checkpoint.metadata().find(key);
  constexpr std::size_t kLongest = 64;
  if (found != checkpoint.metadata().end() && found->is_string()) {
    const auto& name = found->get_ref<const std::string&>();
    if (name.size() <= kLongest) return name;
    return fail(ErrorCode::kUnsupported, "{} is {}, which is no architecture's name", key, excerpt(*found));
  }
  if (!gguf) {
    const arch::Weights weights(checkpoint);
    for (const Architecture* architecture : arch::architectures())
      if (architecture->recognizes && architecture->recognizes(weights))
        return std::string(architecture->model_types[0]);
  }
  if (gguf)
    return fail(ErrorCode::kInvalidFile, "{} is missing: the file does not say what model it is", key);
  return fail(ErrorCode::kInvalidFile,
              "no model_type: a Hugging Face model needs its config.json beside its .safetensors files");
}

// The first of the file's tensors and their number: what a model that nobody knows would leave unread.
std::string unreadTensors(const Checkpoint& checkpoint) {
  constexpr std::size_t kShown = 10, kLongest = 64;
  const auto& tensors = checkpoint.tensors();
  std::vector<std::string> names;
  for (const TensorEntry& tensor : std::span(tensors).first(std::min(kShown, tensors.size())))
    names.push_back(tensor.name.size() <= kLongest ? tensor.name : excerpt(tensor.name));
  return fmt::format("{} tensors would go unread: {}{}", tensors.size(), fmt::join(names, ", "),
                     names.size() < tensors.size() ? " .." : "");
}

Result<const Architecture*> findArchitecture(const std::string& name, const Checkpoint& checkpoint) {
  std::vector<std::string_view> known;
  for (const Architecture* architecture : arch::architectures())
    for (const std::string_view candidate : namesOf(*architecture, checkpoint.format())) {
      if (!candidate.empty() && candidate == name) return architecture;
      if (!candidate.empty()) known.push_back(candidate);
    }
  std::ranges::sort(known);
  const auto closest = std::ranges::min_element(
      known, {}, [&name](std::string_view candidate) { return editDistance(name, candidate); });
  return fail(ErrorCode::kUnsupported, "architecture {} is not known; the closest one is {} (known: {}); {}",
              excerpt(name), *closest, fmt::join(known, ", "), unreadTensors(checkpoint));
}

// Weights packed by GPTQ, AWQ and the like are integers with meanings of their own. FP8 is a type of tensor,
// and its scales are the checkpoint's matter; that activations were rounded to it, too, changes no weight.
Result<void> refusePackedWeights(const json& metadata) {
  const auto found = metadata.find("quantization_config");
  if (found == metadata.end() || !found->is_object()) return {};
  const auto method = found->find("quant_method");
  if (method != found->end() && *method == "fp8") return {};
  return fail(ErrorCode::kUnsupported,
              "weights quantized by {} are not read; take the original model or a GGUF file of it",
              method != found->end() ? excerpt(*method) : "an unnamed method");
}

void warnOfUnread(const ModelSpec& spec) {
  if (spec.unread_tensors.empty()) return;
  constexpr std::size_t kShown = 5;
  const std::size_t shown = std::min(kShown, spec.unread_tensors.size());
  logWarning(fmt::format("{}: {} tensors are not used: {}{}", spec.checkpoint->displayName(),
                         spec.unread_tensors.size(),
                         fmt::join(std::span(spec.unread_tensors).first(shown), ", "),
                         shown < spec.unread_tensors.size() ? " .." : ""));
}

Result<ModelSpec> readAs(const std::string& name, const Checkpoint& checkpoint) {
  TRY_ASSIGN(const Architecture* architecture, findArchitecture(name, checkpoint));
  TRY(refusePackedWeights(checkpoint.metadata()));
  const arch::Hparams hparams(checkpoint.format(), checkpoint.metadata(), name + ".");
  arch::Weights weights(checkpoint);
  TRY_ASSIGN(ModelSpec spec, architecture->read({hparams, weights}));
  spec.architecture = name;
  spec.unread_tensors = weights.unread();
  return spec;
}

}  // namespace

const AttentionSpec* BlockSpec::attention() const {
  for (const MixerSpec& mixer : mixers)
    if (const auto* attention = std::get_if<AttentionSpec>(&mixer)) return attention;
  return nullptr;
}

Result<ModelSpec> readModelSpec(std::shared_ptr<const Checkpoint> checkpoint) {
  const auto describe = [&checkpoint](Error error) {
    return within(fmt::format("reading the model {}", checkpoint->displayName()), std::move(error));
  };
  auto name = architectureName(*checkpoint);
  if (!name) return describe(std::move(name).error());
  auto spec = readAs(*name, *checkpoint);
  if (!spec) return describe(std::move(spec).error());
  spec->checkpoint = std::move(checkpoint);
  warnOfUnread(*spec);
  return spec;
}

}  // namespace vitrine::core
