#include "core/adapter/adapter_config.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "core/checkpoint/json.h"

namespace vitrine::core {
namespace {

using nlohmann::json;

constexpr double kLargestRank = 1 << 16;

// Read below.
const std::set<std::string_view> kReadKeys = {
    "peft_type",      "r",    "lora_alpha",       "use_rslora", "rank_pattern", "alpha_pattern",
    "target_modules", "bias", "init_lora_weights"};

// Of training, of bookkeeping, or choices of modules, which the tensors in the file show.
const std::set<std::string_view> kHarmlessKeys = {
    "auto_mapping",        "base_model_name_or_path", "revision",
    "task_type",           "inference_mode",          "lora_dropout",
    "peft_version",        "exclude_modules",         "layers_to_transform",
    "layers_pattern",      "megatron_core",           "qalora_group_size",
    "fan_in_fan_out",  // how the base stores its weights, which the base's reader knows
    "ensure_weight_tying", "runtime_config",          "eva_config"};

bool isUnset(const json& value) {
  return value.is_null() || value == false ||
         (value.is_string() && value.get_ref<const std::string&>().empty()) ||
         ((value.is_array() || value.is_object()) && value.empty());
}

Error refused(const std::string& key, const json& value) {
  return Error{
      ErrorCode::kUnsupported,
      fmt::format("adapter_config.json: {} is {}, which is not implemented: merge the adapter into its "
                  "base with PEFT first",
                  key, excerpt(value)),
      nullptr};
}

Result<double> number(const json& value, const std::string& key, bool whole) {
  const bool fits = value.is_number() && std::isfinite(value.get<double>()) && value.get<double>() > 0 &&
                    (!whole || (value.is_number_integer() && value.get<double>() <= kLargestRank));
  if (!fits)
    return fail(ErrorCode::kInvalidFile, "adapter_config.json: {} is {}, expected a positive {}", key,
                excerpt(value), whole ? "whole number of at most 65536" : "number");
  return value.get<double>();
}

Result<bool> matches(const Regex& regex, const std::string& name) {
  const Utf16Text text = Utf16Text::fromUtf8(name);
  RegexScanner scanner(regex, text);
  std::vector<ByteRange> found;
  TRY(scanner.matchesIn({0, static_cast<std::uint32_t>(name.size())}, found));
  return !found.empty();
}

// The name itself, or what ends in it behind a dot: as PEFT takes the keys of its patterns.
Result<Regex> moduleRegex(std::string_view pattern) {
  return Regex::compile(fmt::format(R"(^(?:.*\.)?(?:{})$)", pattern));
}

// What the training started from matters only where it has changed the base's weights.
Result<void> checkInitialization(const json& config) {
  const auto found = config.find("init_lora_weights");
  if (found == config.end() || !found->is_string()) return {};
  for (const char* harmless : {"gaussian", "eva", "orthogonal", "mica"})
    if (*found == harmless) return {};
  return tl::unexpected(refused("init_lora_weights", *found));
}

Result<void> checkKeys(const json& config) {
  const auto type = config.find("peft_type");
  if (type == config.end() || *type != "LORA")
    return fail(ErrorCode::kUnsupported, "adapter_config.json: peft_type is {}, only LORA is implemented",
                type == config.end() ? "missing" : excerpt(*type));
  const auto bias = config.find("bias");
  if (bias != config.end() && *bias != "none") return tl::unexpected(refused("bias", *bias));
  TRY(checkInitialization(config));
  for (const auto& [key, value] : config.items())
    if (!kReadKeys.contains(key) && !kHarmlessKeys.contains(key) && !isUnset(value))
      return tl::unexpected(refused(key, value));
  return {};
}

}  // namespace

Result<AdapterConfig> AdapterConfig::parse(std::string_view text) {
  TRY_ASSIGN(const json file, parseJsonObject(text, "adapter_config.json"));
  TRY(checkKeys(file));
  AdapterConfig config;
  // PEFT's defaults stand for what is missing.
  TRY_ASSIGN(const double rank, number(file.value("r", json(8)), "r", true));
  config.rank_ = static_cast<std::uint32_t>(rank);
  TRY_ASSIGN(config.alpha_, number(file.value("lora_alpha", json(8)), "lora_alpha", false));
  const json stabilized = file.value("use_rslora", json(false));
  if (!stabilized.is_boolean() && !stabilized.is_null())
    return fail(ErrorCode::kInvalidFile, "adapter_config.json: use_rslora is {}, expected true or false",
                excerpt(stabilized));
  config.rank_stabilized_ = stabilized == true;
  const auto patterns = [&file](const char* key, bool whole, std::vector<Pattern>& to) -> Result<void> {
    const json all = file.value(key, json());
    if (all.is_null()) return {};
    if (!all.is_object())
      return fail(ErrorCode::kInvalidFile, "adapter_config.json: {} is {}, expected an object", key,
                  excerpt(all));
    for (const auto& [pattern, value] : all.items()) {
      TRY_ASSIGN(const double held, number(value, fmt::format("{} of {}", key, excerpt(pattern)), whole));
      TRY_ASSIGN(Regex regex, moduleRegex(pattern));
      to.push_back({pattern, std::move(regex), held});
    }
    return {};
  };
  TRY(patterns("rank_pattern", true, config.ranks_));
  TRY(patterns("alpha_pattern", false, config.alphas_));

  const json targets = file.value("target_modules", json());
  const auto add = [&config](Result<Regex> regex) -> Result<void> {
    TRY_ASSIGN(Regex compiled, std::move(regex));
    config.targets_.push_back(std::move(compiled));
    return {};
  };
  const bool listed =
      targets.is_array() && std::ranges::all_of(targets, [](const json& name) { return name.is_string(); });
  if (listed) {
    for (const json& name : targets) TRY(add(moduleRegex(Regex::quote(name.get_ref<const std::string&>()))));
  } else if (targets.is_string() && targets != "all-linear") {
    TRY(add(Regex::compile(fmt::format("^(?:{})$", targets.get_ref<const std::string&>()))));
  } else if (!targets.is_null() && !targets.is_string()) {
    return fail(ErrorCode::kInvalidFile,
                "adapter_config.json: target_modules is {}, expected names or a pattern", excerpt(targets));
  }
  return config;
}

Result<double> AdapterConfig::valueFor(const std::vector<Pattern>& patterns, const char* key,
                                       const std::string& name, double otherwise) {
  const Pattern* chosen = nullptr;
  for (const Pattern& pattern : patterns) {
    TRY_ASSIGN(const bool claims, matches(pattern.regex, name));
    if (!claims) continue;
    // The first in the file's order would win, but an object has none.
    if (chosen && chosen->value != pattern.value)
      return fail(ErrorCode::kInvalidFile,
                  "adapter_config.json: {} has {} and {} for module {}, expected one of them", key,
                  excerpt(chosen->key), excerpt(pattern.key), name);
    chosen = &pattern;
  }
  return chosen ? chosen->value : otherwise;
}

Result<AdapterConfig::Module> AdapterConfig::module(const std::string& name) const {
  bool targeted = targets_.empty();
  for (std::size_t i = 0; i < targets_.size() && !targeted; ++i) {
    TRY_ASSIGN(targeted, matches(targets_[i], name));
  }
  if (!targeted)
    return fail(ErrorCode::kInvalidFile,
                "module {} has tensors, but target_modules of adapter_config.json does not name it", name);
  TRY_ASSIGN(const double rank, valueFor(ranks_, "rank_pattern", name, rank_));
  TRY_ASSIGN(const double alpha, valueFor(alphas_, "alpha_pattern", name, alpha_));
  return Module{.rank = static_cast<std::uint32_t>(rank),
                .factor = alpha / (rank_stabilized_ ? std::sqrt(rank) : rank)};
}

}  // namespace vitrine::core
