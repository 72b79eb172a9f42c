// Hyper-parameters of a checkpoint under one roof: config.json of Hugging Face or the key-values of a GGUF
// file. Every value is checked for its type and range; a JSON null counts as absent. Errors: kInvalidFile
// names the key, what it must be, and what was found.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/checkpoint/checkpoint.h"
#include "gpu/error.h"

namespace vitrine::core::arch {

// One hyper-parameter's names. GGUF's goes without the architecture in front: "attention.head_count" is
// stored as "llama.attention.head_count". Empty where a format has no such key.
struct Key {
  std::string_view hf, gguf;
};

// What no model reaches; beyond them a file lies.
inline constexpr std::uint32_t kMostLayers = 4096;
inline constexpr std::uint32_t kMostHeads = 1 << 14;
inline constexpr std::uint32_t kWidestHead = 1 << 14;
inline constexpr std::uint32_t kWidestLayer = 1 << 22;
inline constexpr std::uint32_t kLargestVocabulary = 1 << 26;
inline constexpr std::uint32_t kLongestContext = 1 << 30;

class Hparams {
 public:
  Hparams(CheckpointFormat format, const nlohmann::json& values, std::string gguf_prefix)
      : format_(format), values_(&values), gguf_prefix_(std::move(gguf_prefix)) {}

  bool isGguf() const { return format_ == CheckpointFormat::kGguf; }
  const nlohmann::json* find(Key key) const;  // null when absent or null
  bool has(Key key) const { return find(key) != nullptr; }
  bool mentions(Key key) const { return values_->contains(spelling(key)); }  // be it as null

  // A whole number from 1 to `most`.
  Result<std::uint32_t> count(Key key, std::uint32_t most) const;
  Result<std::uint32_t> countOr(Key key, std::uint32_t otherwise, std::uint32_t most) const;
  // As countOr, but 0 is allowed and means "none".
  Result<std::uint32_t> countOrNone(Key key, std::uint32_t otherwise, std::uint32_t most) const;
  // A finite number greater than 0.
  Result<double> positive(Key key) const;
  Result<double> positiveOr(Key key, double otherwise) const;
  Result<bool> flagOr(Key key, bool otherwise) const;
  Result<std::string> textOr(Key key, std::string otherwise) const;

  // How the file spells the key, for messages: "num_attention_heads", "llama.attention.head_count".
  std::string spelling(Key key) const;
  tl::unexpected<Error> refuse(Key key, std::string_view expected) const;

 private:
  Result<std::uint32_t> wholeNumber(Key key, std::uint32_t least, std::uint32_t most) const;

  CheckpointFormat format_;
  const nlohmann::json* values_;
  std::string gguf_prefix_;
};

}  // namespace vitrine::core::arch
