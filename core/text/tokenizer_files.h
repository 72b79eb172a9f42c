// The two kinds of file that describe a tokenizer, read into one. Apart from tokenizer.h because only
// Tokenizer::fromCheckpoint and the tests need them.
#pragma once

#include "core/text/tokenizer.h"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string_view>

namespace vitrine::core {

// The "tokenizer.ggml.*" keys of a GGUF's metadata.
Result<std::shared_ptr<const Tokenizer>> tokenizerFromGguf(const nlohmann::json& metadata);

// Hugging Face's files; only tokenizer.json is required, the others say where a text begins and ends.
struct HuggingFaceFiles {
  std::string_view tokenizer;             // tokenizer.json
  std::string_view tokenizer_config;      // tokenizer_config.json, or empty
  std::string_view generation_config;     // generation_config.json, or empty
  const nlohmann::json* model = nullptr;  // config.json, or null
};
Result<std::shared_ptr<const Tokenizer>> tokenizerFromHuggingFace(const HuggingFaceFiles& files);

}  // namespace vitrine::core
