#include "core/model/adapter.h"

#include <spdlog/spdlog.h>

#include <Eigen/Core>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/checkpoint/json.h"
#include "core/model/row_source.h"

namespace vitrine::core {
namespace {

using nlohmann::json;
using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct AdapterConfig {
  std::uint32_t rank = 0;
  double alpha = 0;
  bool rank_stabilized = false;
  bool transposed = false;  // fan_in_fan_out: the base stores (in, out)
  json rank_pattern = json::object(), alpha_pattern = json::object();
};

struct LowRankPair {
  const TensorEntry *a = nullptr, *b = nullptr;
};

bool isUnset(const json& value) {
  return value.is_null() || value == false || value == "none" || (value.is_structured() && value.empty());
}

Result<void> refuseUnread(const json& config) {
  constexpr const char* kUnread[] = {"use_dora",          "use_qalora",        "bias",
                                     "lora_bias",         "modules_to_save",   "trainable_token_indices",
                                     "target_parameters", "layer_replication", "alora_invocation_tokens"};
  for (const char* key : kUnread)
    if (const auto found = config.find(key); found != config.end() && !isUnset(*found))
      return fail(ErrorCode::kUnsupported,
                  "adapter_config.json: {} is {}, which is not read; merge the adapter with PEFT first", key,
                  excerpt(*found));
  const auto type = config.find("peft_type");
  if (type == config.end() || *type != "LORA")
    return fail(ErrorCode::kUnsupported, "adapter_config.json: peft_type must be LORA, found {}",
                type == config.end() ? "none" : excerpt(*type));
  return {};
}

Result<double> positiveNumber(const json& value, std::string_view key) {
  const double number = value.is_number() ? value.get<double>() : 0;
  if (std::isfinite(number) && number > 0) return number;
  return fail(ErrorCode::kInvalidFile, "adapter_config.json: {} must be a number greater than 0, found {}",
              key, excerpt(value));
}

// A module's name, or the end of one: PEFT also takes regular expressions.
Result<json> namedNumbers(const json& config, const char* key) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return json::object();
  if (!found->is_object())
    return fail(ErrorCode::kInvalidFile, "adapter_config.json: {} must be an object, found {}", key,
                excerpt(*found));
  for (const auto& [module, value] : found->items()) {
    if (module.find_first_of("\\^$*+?()[]{}|") != std::string::npos)
      return fail(ErrorCode::kUnsupported,
                  "adapter_config.json: {}: {} is a pattern; only modules' names are read", key,
                  excerpt(module));
    TRY(positiveNumber(value, key));
  }
  return *found;
}

Result<AdapterConfig> readAdapterConfig(const Checkpoint& file) {
  TRY_ASSIGN(const std::string text, file.readSidecar("adapter_config.json"));
  TRY_ASSIGN(const json config, parseJsonObject(text, "adapter_config.json"));
  TRY(refuseUnread(config));
  AdapterConfig read;
  TRY_ASSIGN(const double rank, positiveNumber(config.value("r", json()), "r"));
  if (rank != std::floor(rank) || rank > 65536)
    return fail(ErrorCode::kInvalidFile,
                "adapter_config.json: r must be a whole number up to 65536, found {}", rank);
  read.rank = static_cast<std::uint32_t>(rank);
  TRY_ASSIGN(read.alpha, positiveNumber(config.value("lora_alpha", json()), "lora_alpha"));
  read.rank_stabilized = config.value("use_rslora", json()) == true;
  read.transposed = config.value("fan_in_fan_out", json()) == true;
  TRY_ASSIGN(read.rank_pattern, namedNumbers(config, "rank_pattern"));
  TRY_ASSIGN(read.alpha_pattern, namedNumbers(config, "alpha_pattern"));
  return read;
}

double patternOr(const json& pattern, const std::string& module, double otherwise) {
  for (const auto& [name, value] : pattern.items())
    if (module == name || module.ends_with("." + name)) return value.get<double>();
  return otherwise;
}

// Module -> its pair. "base_model.model." stands before the base's own names.
Result<std::map<std::string, LowRankPair>> readPairs(const Checkpoint& file) {
  constexpr std::string_view kPrefix = "base_model.model.", kA = ".lora_A.weight", kB = ".lora_B.weight";
  std::map<std::string, LowRankPair> pairs;
  for (const TensorEntry& tensor : file.tensors()) {
    std::string_view name = tensor.name;
    const bool is_a = name.ends_with(kA), is_b = name.ends_with(kB);
    if (!name.starts_with(kPrefix) || (!is_a && !is_b) || tensor.shape.size() != 2)
      return fail(ErrorCode::kUnsupported,
                  "tensor {}: only base_model.model.*.lora_A.weight and lora_B.weight, matrices, are read",
                  tensor.name);
    name.remove_prefix(kPrefix.size());
    name.remove_suffix(is_a ? kA.size() : kB.size());
    (is_a ? pairs[std::string(name)].a : pairs[std::string(name)].b) = &tensor;
  }
  for (const auto& [module, pair] : pairs)
    if (!pair.a || !pair.b)
      return fail(ErrorCode::kInvalidFile, "module {} has no {}", module,
                  pair.a ? "lora_B.weight" : "lora_A.weight");
  if (pairs.empty()) return fail(ErrorCode::kInvalidFile, "adapter_model.safetensors holds no tensors");
  return pairs;
}

// Some models are saved without the name of their outermost module.
const TensorEntry* findBase(const Checkpoint& base, const std::string& module) {
  if (const TensorEntry* tensor = base.find(module + ".weight")) return tensor;
  const std::size_t dot = module.find('.');
  return dot == std::string::npos ? nullptr : base.find(module.substr(dot + 1) + ".weight");
}

Result<RowMajor> matrixOf(const TensorEntry& tensor) {
  const WeightRef whole{.tensor = &tensor, .rows = tensor.shape[0], .columns = tensor.shape[1]};
  TRY_ASSIGN(const std::vector<float> values, readFloats(rowsOf(whole)));
  return RowMajor(Eigen::Map<const RowMajor>(values.data(), static_cast<Eigen::Index>(tensor.shape[0]),
                                             static_cast<Eigen::Index>(tensor.shape[1])));
}

Result<void> expectShape(const TensorEntry& tensor, std::uint64_t rows, std::uint64_t columns) {
  if (tensor.shape == std::vector<std::uint64_t>{rows, columns}) return {};
  return fail(ErrorCode::kInvalidFile, "tensor {} must have shape [{}, {}], found [{}]", tensor.name, rows,
              columns, fmt::join(tensor.shape, ", "));
}

Result<std::vector<float>> mergeModule(const AdapterConfig& config, const std::string& module,
                                       const LowRankPair& pair, const TensorEntry& base, double scale) {
  if (base.shape.size() != 2)
    return fail(ErrorCode::kUnsupported, "module {}: {} has shape [{}], which is no linear layer", module,
                base.name, fmt::join(base.shape, ", "));
  const std::uint64_t out = base.shape[config.transposed ? 1 : 0], in = base.shape[config.transposed ? 0 : 1];
  const double rank = patternOr(config.rank_pattern, module, config.rank);
  TRY(expectShape(*pair.a, static_cast<std::uint64_t>(rank), in));
  TRY(expectShape(*pair.b, out, static_cast<std::uint64_t>(rank)));
  const double alpha = patternOr(config.alpha_pattern, module, config.alpha);
  const auto factor = static_cast<float>(scale * alpha / (config.rank_stabilized ? std::sqrt(rank) : rank));
  TRY_ASSIGN(RowMajor weight, matrixOf(base));
  TRY_ASSIGN(const RowMajor a, matrixOf(*pair.a));
  TRY_ASSIGN(const RowMajor b, matrixOf(*pair.b));
  if (config.transposed)
    weight.noalias() += factor * (a.transpose() * b.transpose());
  else
    weight.noalias() += factor * (b * a);
  return std::vector<float>(weight.data(), weight.data() + weight.size());
}

}  // namespace

Result<AdapterChoice> parseAdapterChoice(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || text.find('/', colon) != std::string::npos)
    return AdapterChoice{.folder = text};
  AdapterChoice choice{.folder = text.substr(0, colon)};
  const char *begin = text.data() + colon + 1, *end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, choice.scale);
  if (error == std::errc() && stop == end && std::isfinite(choice.scale)) return choice;
  return fail(ErrorCode::kInvalidArgument,
              "--adapter {}: expected FOLDER or FOLDER:SCALE with a number behind the colon", text);
}

Result<std::shared_ptr<const Checkpoint>> mergeAdapter(const Checkpoint& base, const AdapterChoice& adapter) {
  const auto describe = [&adapter](Error error) {
    return within(fmt::format("adapter {}", adapter.folder.string()), std::move(error));
  };
  const auto merge = [&]() -> Result<std::shared_ptr<const Checkpoint>> {
    if (base.format() != CheckpointFormat::kSafetensors)
      return fail(ErrorCode::kUnsupported,
                  "it names a Hugging Face model's modules, which a GGUF file names otherwise; open the "
                  "Hugging Face folder");
    TRY_ASSIGN(const auto file, Checkpoint::open(adapter.folder / "adapter_model.safetensors"));
    TRY_ASSIGN(const AdapterConfig config, readAdapterConfig(*file));
    TRY_ASSIGN(const auto pairs, readPairs(*file));
    std::map<std::string, std::vector<float>> merged;
    std::uint64_t parameters = 0;
    for (const auto& [module, pair] : pairs) {
      const TensorEntry* tensor = findBase(base, module);
      if (!tensor)
        return fail(ErrorCode::kInvalidFile, "module {} is not in {}: the adapter belongs to another model",
                    module, base.displayName());
      TRY_ASSIGN(merged[tensor->name], mergeModule(config, module, pair, *tensor, adapter.scale));
      parameters += pair.a->elements() + pair.b->elements();
    }
    spdlog::info("adapter {}: {} modules of rank {} merged, {} parameters, scale {}",
                 adapter.folder.filename().string(), pairs.size(), config.rank, parameters, adapter.scale);
    return base.withValues(std::move(merged));
  };
  auto merged = merge();
  if (!merged) return describe(std::move(merged).error());
  return merged;
}

Result<std::shared_ptr<const Checkpoint>> openWithAdapters(const std::filesystem::path& model,
                                                           std::span<const AdapterChoice> adapters) {
  TRY_ASSIGN(auto checkpoint, Checkpoint::open(model));
  for (const AdapterChoice& adapter : adapters) {
    TRY_ASSIGN(checkpoint, mergeAdapter(*checkpoint, adapter));
  }
  return checkpoint;
}

}  // namespace vitrine::core
