// Hyper-parameters of a checkpoint under one roof: config.json of Hugging Face or the key-values of a GGUF
// file. Every value is checked for its type and range; a JSON null counts as absent. Errors: kInvalidFile
// names the key, what it must be, and what was found.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
  bool mentions(Key key) const;  // be it as null

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

  bool isZero(Key key) const;  // which llama.cpp writes for "none"
  bool isText(Key key, std::string_view text) const;
  bool hasTable(Key key, std::string_view name) const;  // an object with an object of that name in it

  // Lists; `size` 0 takes any but an empty one.
  Result<std::vector<double>> positives(Key key, std::size_t size) const;
  Result<std::vector<std::uint32_t>> numbers(Key key, std::size_t size,
                                             std::uint32_t most) const;  // from 0 on
  // Each entry's place in `allowed`.
  Result<std::vector<std::size_t>> choices(Key key, std::size_t size,
                                           std::span<const std::string_view> allowed) const;
  // Of a list of layers' numbers: which of `layers` it names.
  Result<std::vector<bool>> namedLayers(Key key, std::uint32_t layers) const;

  // How the file spells the key, for messages: "num_attention_heads", "llama.attention.head_count".
  std::string spelling(Key key) const;
  tl::unexpected<Error> refuse(Key key, std::string_view expected) const;

 private:
  // The list, if all its entries pass.
  Result<const nlohmann::json*> list(Key key, std::size_t size, bool (*fits)(const nlohmann::json&),
                                     std::string_view entries) const;
  Result<std::uint32_t> wholeNumber(Key key, std::uint32_t least, std::uint32_t most) const;

  CheckpointFormat format_;
  const nlohmann::json* values_;
  std::string gguf_prefix_;
};

}  // namespace vitrine::core::arch
