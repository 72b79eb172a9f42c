#include "core/arch/support/rope.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/arch/support/rope_scaling.h"
#include "core/tensor/dequantize.h"

namespace vitrine::core::arch {
namespace {

using nlohmann::json;

constexpr Key kTheta = {"rope_theta", "rope.freq_base"};
constexpr Key kPart = {"partial_rotary_factor", ""};
constexpr Key kFactor = {"factor", "rope.scaling.factor"};
constexpr Key kOriginalContext = {"original_max_position_embeddings", "rope.scaling.original_context_length"};
constexpr Key kAttentionFactor = {"attention_factor", "rope.scaling.attn_factor"};
constexpr Key kLogMultiplier = {"", "rope.scaling.yarn_log_multiplier"};
constexpr Key kBetaFast = {"beta_fast", "rope.scaling.yarn_beta_fast"};
constexpr Key kBetaSlow = {"beta_slow", "rope.scaling.yarn_beta_slow"};

struct Base {  // what every scaling starts from
  double theta = 0, original_context = 0;
  RopeShape shape;
};

Result<Base> readBase(const Hparams& parameters, const RopeShape& shape) {
  Base base{.shape = shape};
  TRY_ASSIGN(base.theta, parameters.positiveOr(kTheta, shape.default_theta));
  TRY_ASSIGN(base.original_context, parameters.positiveOr(kOriginalContext, shape.context_length));
  return base;
}

FoldedRope plainRope(const Base& base) {
  FoldedRope folded;
  folded.rope.inv_freq = plainFrequencies(base.theta, base.shape.rotary_dim);
  folded.context_length = base.shape.context_length;
  return folded;
}

Result<FoldedRope> readLinear(const Hparams& parameters, const Base& base) {
  FoldedRope folded = plainRope(base);
  TRY_ASSIGN(const double factor, parameters.positive(kFactor));
  for (double& frequency : folded.rope.inv_freq) frequency /= factor;
  return folded;
}

// Dynamic NTK stretches theta only beyond max_position_embeddings, where no context reaches.
Result<FoldedRope> readDynamic(const Hparams& parameters, const Base& base) {
  TRY(parameters.positive(kFactor));
  return plainRope(base);
}

Result<FoldedRope> readLlama3(const Hparams& parameters, const Base& base) {
  FoldedRope folded = plainRope(base);
  Llama3Scaling scaling{.original_context = base.original_context};
  constexpr Key kLow = {"low_freq_factor", ""}, kHigh = {"high_freq_factor", ""};
  TRY_ASSIGN(scaling.factor, parameters.positive(kFactor));
  TRY_ASSIGN(scaling.low, parameters.positive(kLow));
  TRY_ASSIGN(scaling.high, parameters.positive(kHigh));
  if (scaling.high <= scaling.low) return parameters.refuse(kHigh, "greater than low_freq_factor");
  scaleLlama3(scaling, folded.rope.inv_freq);
  return folded;
}

// GGUF's attention factor multiplies what the factor alone would give. With a log multiplier mscale and
// mscale_all_dim are the same and cancel each other.
Result<void> readGgufMagnitudes(const Hparams& parameters, double factor, bool log_multiplier,
                                FoldedRope& folded) {
  constexpr double kTenth = 0.1;
  TRY_ASSIGN(const double given, parameters.positiveOr(kAttentionFactor, 1));
  folded.rope.magnitude = given * yarnMagnitude(factor);
  const bool zero = parameters.isZero(kLogMultiplier);
  if (!log_multiplier || !parameters.has(kLogMultiplier) || zero) return {};
  if (given != 1) return parameters.refuse(kAttentionFactor, "1 together with a log multiplier");
  TRY_ASSIGN(const double log_tenth, parameters.positive(kLogMultiplier));
  folded.rope.magnitude = 1;
  folded.score_scale = std::pow(yarnMagnitude(factor, log_tenth / kTenth), 2);
  return {};
}

// The magnitude of Hugging Face's yarn: attention_factor, or inferred from mscale and mscale_all_dim
// (DeepSeek), or from the factor alone.
Result<void> readMagnitudes(const Hparams& parameters, double factor, FoldedRope& folded) {
  constexpr Key kMscale = {"mscale", ""}, kAllDim = {"mscale_all_dim", ""};
  const auto given = [&](Key key) { return parameters.has(key) && !parameters.isZero(key); };
  double inferred = yarnMagnitude(factor);
  if (given(kAllDim)) {
    TRY_ASSIGN(const double all_dim, parameters.positive(kAllDim));
    folded.score_scale = std::pow(yarnMagnitude(factor, all_dim), 2);
    if (given(kMscale)) {
      TRY_ASSIGN(const double mscale, parameters.positive(kMscale));
      inferred = yarnMagnitude(factor, mscale) / yarnMagnitude(factor, all_dim);
    }
  }
  TRY_ASSIGN(folded.rope.magnitude, parameters.positiveOr(kAttentionFactor, inferred));
  return {};
}

Result<FoldedRope> readYarn(const Hparams& parameters, const Base& base) {
  FoldedRope folded = plainRope(base);
  YarnScaling scaling{.theta = base.theta, .original_context = base.original_context};
  TRY_ASSIGN(scaling.factor,
             parameters.positiveOr(kFactor, base.shape.context_length / base.original_context));
  TRY_ASSIGN(scaling.beta_fast, parameters.positiveOr(kBetaFast, scaling.beta_fast));
  TRY_ASSIGN(scaling.beta_slow, parameters.positiveOr(kBetaSlow, scaling.beta_slow));
  const bool truncates = !parameters.isGguf() || base.shape.gguf_truncates;
  TRY_ASSIGN(scaling.truncate, parameters.flagOr({"truncate", ""}, truncates));
  TRY(parameters.isGguf() ? readGgufMagnitudes(parameters, scaling.factor, base.shape.log_multiplier, folded)
                          : readMagnitudes(parameters, scaling.factor, folded));
  scaleYarn(scaling, folded.rope.inv_freq);
  return folded;
}

Result<Frequencies> divisorList(const Hparams& parameters, Key key, std::size_t expected) {
  return parameters.positives(key, expected);
}

// longrope has a table for texts within the original context and another beyond. The short one is taken, and
// the context ends where it does, unless there is nothing beyond.
Result<FoldedRope> readLongrope(const Hparams& parameters, const Base& base) {
  FoldedRope folded = plainRope(base);
  TRY_ASSIGN(const Frequencies divisors,
             divisorList(parameters, {"short_factor", ""}, folded.rope.inv_freq.size()));
  divide(folded.rope.inv_freq, divisors);
  TRY_ASSIGN(const double factor,
             parameters.positiveOr(kFactor, base.shape.context_length / base.original_context));
  TRY_ASSIGN(folded.rope.magnitude,
             parameters.positiveOr(kAttentionFactor, longropeMagnitude(factor, base.original_context)));
  folded.context_length =
      static_cast<std::uint32_t>(std::min<double>(folded.context_length, base.original_context));
  return folded;
}

// The table `rope_scaling` or `rope_parameters` of config.json, with what older files keep beside it put
// inside.
Result<json> huggingFaceTable(const Hparams& config, std::string_view layer_type) {
  constexpr Key kOldName = {"rope_scaling", ""}, kNewName = {"rope_parameters", ""};
  const json* old_table = config.find(kOldName);
  const Key key = old_table && !old_table->empty() ? kOldName : kNewName;
  const json* found = config.find(key);
  if (found && !found->is_object()) return config.refuse(key, "an object");
  json table = found ? *found : json::object();
  if (const auto own = table.find(layer_type); own != table.end() && own->is_object()) table = json(*own);
  for (const auto& [name, value] : table.items())
    if (value.is_object())
      return fail(ErrorCode::kUnsupported, "{} for each kind of layer ({}) is not read", key.hf, name);
  if (!table.contains("rope_type")) table["rope_type"] = table.value("type", json("default"));
  if (const json* old = config.find({"rotary_pct", ""}); old && !table.contains("partial_rotary_factor"))
    table["partial_rotary_factor"] = *old;
  for (const char* name : {"rope_theta", "partial_rotary_factor"})
    if (const json* beside = config.find({name, ""}); beside && !table.contains(name)) table[name] = *beside;
  if (const json* beside = config.find(kOriginalContext)) table[std::string(kOriginalContext.hf)] = *beside;
  return table;
}

Result<FoldedRope> foldHuggingFace(const Hparams& config, const RopeShape& shape) {
  TRY_ASSIGN(const json table, huggingFaceTable(config, shape.layer_type));
  const Hparams parameters(CheckpointFormat::kSafetensors, table, "");
  constexpr Key kType = {"rope_type", ""};
  TRY_ASSIGN(const std::string type, parameters.textOr(kType, "default"));
  TRY_ASSIGN(const Base base, readBase(parameters, shape));
  if (type == "default") return plainRope(base);
  TRY_ASSIGN(const double part, parameters.positiveOr(kPart, 1));
  if (part != 1 && !shape.partial) return parameters.refuse(kPart, "1 together with a rope scaling");
  if (type == "linear") return readLinear(parameters, base);
  if (type == "dynamic") return readDynamic(parameters, base);
  if (type == "llama3") return readLlama3(parameters, base);
  if (type == "yarn") return readYarn(parameters, base);
  if (type == "longrope") return readLongrope(parameters, base);
  return parameters.refuse(kType, "default, linear, dynamic, llama3, yarn or longrope");
}

// A tensor of divisors of a GGUF file, one a frequency.
Result<void> divideByTensor(Weights& weights, const std::string& name, Frequencies& frequencies) {
  TRY_ASSIGN(const WeightRef tensor, weights.vector(name, frequencies.size()));
  std::vector<float> values(frequencies.size());
  TRY(dequantize(tensor.tensor->dtype, tensor.tensor->bytes, values));
  if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value) && value > 0; }))
    return fail(ErrorCode::kInvalidFile, "tensor {}: expected numbers greater than 0", name);
  divide(frequencies, Frequencies(values.begin(), values.end()));
  return {};
}

Result<FoldedRope> foldGguf(const Hparams& keys, Weights& weights, const RopeShape& shape) {
  constexpr Key kType = {"", "rope.scaling.type"}, kOldFactor = {"", "rope.scale_linear"};
  const std::string llama3_name = "rope_freqs.weight";
  const std::string short_name = "rope_factors_short.weight", long_name = "rope_factors_long.weight";
  TRY_ASSIGN(const std::string type, keys.textOr(kType, "linear"));
  TRY_ASSIGN(const Base base, readBase(keys, shape));
  FoldedRope folded = plainRope(base);
  if (type == "yarn") {
    TRY_ASSIGN(folded, readYarn(keys, base));
  } else if (type == "linear" || type == "longrope") {
    const Key key = keys.has(kFactor) ? kFactor : kOldFactor;
    const bool unscaled = !keys.has(key) || keys.isZero(key);  // llama.cpp writes 0 for "none"
    if (!unscaled) {
      TRY_ASSIGN(const double factor, keys.positive(key));
      for (double& frequency : folded.rope.inv_freq) frequency /= factor;
    }
    TRY_ASSIGN(folded.rope.magnitude, keys.positiveOr(kAttentionFactor, 1));
  } else if (type != "none") {
    return keys.refuse(kType, "none, linear, yarn or longrope");
  }
  // The converter of Phi-3 leaves the type out.
  if (type == "longrope" || weights.has(short_name)) {
    TRY(divideByTensor(weights, short_name, folded.rope.inv_freq));
    weights.ignore(long_name);
    folded.context_length =
        static_cast<std::uint32_t>(std::min<double>(folded.context_length, base.original_context));
  } else if (weights.has(llama3_name)) {
    TRY(divideByTensor(weights, llama3_name, folded.rope.inv_freq));
  }
  return folded;
}

}  // namespace

Result<std::uint32_t> readRotaryDim(const Hparams& hparams, const RopeShape& shape, std::uint32_t head_dim,
                                    double otherwise) {
  constexpr Key kDimensions = {"", "rope.dimension_count"};
  std::uint32_t turning = head_dim;
  if (hparams.isGguf()) {
    TRY_ASSIGN(turning, hparams.countOr(kDimensions, head_dim, kWidestHead));
  } else if (shape.partial) {
    TRY_ASSIGN(const json table, huggingFaceTable(hparams, shape.layer_type));
    const Hparams parameters(CheckpointFormat::kSafetensors, table, "");
    TRY_ASSIGN(const double part, parameters.positiveOr(kPart, otherwise));
    if (part > 1) return parameters.refuse(kPart, "a number up to 1");
    turning = static_cast<std::uint32_t>(head_dim * part);
  }
  if (turning > head_dim || turning == 0 || turning % 2 != 0)
    return fail(ErrorCode::kInvalidFile,
                "rotary embeddings over {} of {} dimensions of a head; expected an even part", turning,
                head_dim);
  return turning;
}

Result<FoldedRope> readRope(const Hparams& hparams, Weights& weights, const RopeShape& shape) {
  TRY_ASSIGN(FoldedRope folded,
             hparams.isGguf() ? foldGguf(hparams, weights, shape) : foldHuggingFace(hparams, shape));
  Rope& rope = folded.rope;
  rope.pairing = shape.pairing;
  rope.rotary_dim = shape.rotary_dim;
  // Comparisons that a NaN fails; faster turns than these leave no digits for a position.
  constexpr double kLargest = 1e6;
  const auto is_angle = [](double frequency) { return frequency >= 0 && frequency <= kLargest; };
  if (!std::ranges::all_of(rope.inv_freq, is_angle) || !(rope.magnitude > 0 && rope.magnitude <= kLargest))
    return fail(ErrorCode::kInvalidFile, "the rope parameters give no usable frequencies");
  if (folded.context_length == 0)
    return fail(ErrorCode::kInvalidFile, "the rope parameters leave no context");
  return folded;
}

}  // namespace vitrine::core::arch
