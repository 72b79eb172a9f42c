// What the tokenizer tests share: the small tokenizers of tests/data, the same as GGUF metadata, and random
// Unicode.
#pragma once

#include "core/text/tokenizer.h"
#include "core/text/tokenizer_files.h"
#include "core/text/unicode.h"
#include "support/shared_files.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace vitrine::test {

using core::TokenId;
using core::Tokenizer;
using Json = nlohmann::json;

inline std::string readText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string tinyTokenizerText(const std::string& name) {
  return readText(testData("tokenizers") / (name + ".json"));
}

inline std::shared_ptr<const Tokenizer> tinyTokenizer(const std::string& name) {
  auto tokenizer = Tokenizer::fromJson(tinyTokenizerText(name));
  EXPECT_TRUE(tokenizer) << name << ": " << (tokenizer ? "" : tokenizer.error().describe());
  return tokenizer ? *tokenizer : nullptr;
}

// The vocabulary of a small tokenizer.json in the order of its ids.
inline std::vector<std::string> tinyPieces(const Json& tokenizer) {
  std::map<TokenId, std::string> by_id;
  for (const auto& [piece, id] : tokenizer["model"]["vocab"].items()) by_id[id.get<TokenId>()] = piece;
  std::vector<std::string> pieces;
  for (const auto& [id, piece] : by_id) pieces.push_back(piece);
  return pieces;
}

// The GGUF metadata that a converter makes of gpt2.json: byte-level BPE.
inline Json byteLevelMetadata() {
  const Json tokenizer = Json::parse(tinyTokenizerText("gpt2"));
  std::vector<std::string> pieces = tinyPieces(tokenizer);
  std::vector<int> types(pieces.size(), 1);
  for (const auto& [piece, type] : {std::pair("<|endoftext|>", 3), {"<|im_end|>", 3}, {"<tool>", 4}}) {
    pieces.emplace_back(piece);
    types.push_back(type);
  }
  Json merges = Json::array();
  for (const Json& merge : tokenizer["model"]["merges"]) {
    merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  }
  return {{"tokenizer.ggml.model", "gpt2"},
          {"tokenizer.ggml.pre", "gpt-2"},
          {"tokenizer.ggml.tokens", pieces},
          {"tokenizer.ggml.token_type", types},
          {"tokenizer.ggml.merges", merges},
          {"tokenizer.ggml.eos_token_id", pieces.size() - 3},
          {"tokenizer.ggml.bos_token_id", pieces.size() - 3}};
}

// The GGUF metadata of a sentencepiece model with llama2.json's vocabulary: what was learnt first has the
// highest score.
inline Json sentencePieceMetadata() {
  const std::vector<std::string> pieces = tinyPieces(Json::parse(tinyTokenizerText("llama2")));
  std::vector<int> types;
  std::vector<float> scores;
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    types.push_back(id == 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1);
    scores.push_back(id < 259 ? 0.0f : -static_cast<float>(id - 259));
  }
  return {{"tokenizer.ggml.model", "llama"},     {"tokenizer.ggml.tokens", pieces},
          {"tokenizer.ggml.token_type", types},  {"tokenizer.ggml.scores", scores},
          {"tokenizer.ggml.bos_token_id", 1},    {"tokenizer.ggml.eos_token_id", 2},
          {"tokenizer.ggml.unknown_token_id", 0}};
}

// The GGUF metadata of Google's Unigram model, character map included.
inline Json unigramMetadata(const std::string& name = "trimmed") {
  return Json::parse(readText(testData("tokenizers/sentencepiece.json")))[name]["metadata"];
}

// The GGUF metadata that a converter makes of bert.json: "▁the" begins a word, "ing" goes on.
inline Json wordPieceMetadata() {
  std::vector<std::string> pieces = tinyPieces(Json::parse(tinyTokenizerText("bert")));
  std::vector<int> types;
  for (std::string& piece : pieces) {
    const bool control = piece.starts_with('[') && piece.ends_with(']') && piece.size() > 2;
    types.push_back(control ? 3 : 1);
    if (!control) piece = piece.starts_with("##") ? piece.substr(2) : "▁" + piece;
  }
  return {{"tokenizer.ggml.model", "bert"},       {"tokenizer.ggml.tokens", pieces},
          {"tokenizer.ggml.token_type", types},   {"tokenizer.ggml.unknown_token_id", 1},
          {"tokenizer.ggml.cls_token_id", 2},     {"tokenizer.ggml.seperator_token_id", 3},
          {"tokenizer.ggml.padding_token_id", 0}, {"tokenizer.ggml.mask_token_id", -1}};
}

// An RWKV "world" vocabulary: the end of text, the 256 bytes, and a few longer strings, as Python writes
// them.
inline Json rwkvMetadata() {
  std::vector<std::string> pieces{"<s>"};
  for (int byte = 0; byte < 256; ++byte) {
    char spelled[8];
    const bool plain = byte >= 0x20 && byte < 0x7F && byte != '\\';
    std::snprintf(spelled, sizeof spelled, plain ? "%c" : byte == '\\' ? "\\%c" : "\\x%02x", byte);
    pieces.emplace_back(byte == '\n' ? "\\n" : byte == '\t' ? "\\t" : byte == '\r' ? "\\r" : spelled);
  }
  for (const char* piece : {"\\n\\n", " the", " the old", "The", "clock", "lock", "ck\\\\", "it\\'s \"",
                            "\\xe6\\x9d\\xb1", "\\xc3", "\\xa9 "}) {
    pieces.emplace_back(piece);
  }
  std::vector<int> types(pieces.size(), 1);
  types[0] = 3;
  return {{"tokenizer.ggml.model", "rwkv"},
          {"tokenizer.ggml.tokens", pieces},
          {"tokenizer.ggml.token_type", types},
          {"tokenizer.ggml.eot_token_id", 257}};
}

// Text made to be hard on tokenizers: runs of one character, all planes, combining marks, right-to-left,
// emoji sequences, controls, and stretches of plain words between them. Deterministic for a seed; always
// well-formed.
class RandomText {
 public:
  explicit RandomText(unsigned seed) : random_(seed) {}

  std::string next() {
    std::string text;
    for (int pieces = pick(0, 12); pieces > 0; --pieces) appendPiece(text);
    return text;
  }
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

 private:
  char32_t anyCodePoint() {
    char32_t c = 0;
    do {
      c = static_cast<char32_t>(pick(0, 0x10FFFF));
    } while (c >= 0xD800 && c < 0xE000);
    return c;
  }
  char32_t from(char32_t low, char32_t high) {
    return static_cast<char32_t>(pick(static_cast<int>(low), static_cast<int>(high)));
  }

  char32_t codePointOfKind(int kind) {
    switch (kind) {
      case 0:
        return from(0x00, 0x1F);  // controls
      case 1:
        return from(0x20, 0x7E);  // ASCII
      case 2:
        return from(0x80, 0x24F);  // Latin
      case 3:
        return from(0x300, 0x36F);  // combining marks
      case 4:
        return from(0x590, 0x6FF);  // Hebrew, Arabic
      case 5:
        return from(0x4E00, 0x9FFF);  // Han
      case 6:
        return from(0x2000, 0x206F);  // spaces, joiners, directions
      case 7:
        return from(0x1F300, 0x1FAFF);  // emoji
      case 8:
        return from(0xFE00, 0xFE0F);  // variation selectors
      default:
        return anyCodePoint();
    }
  }

  void appendPiece(std::string& text) {
    static const std::vector<std::string> kSnippets = {
        " the old clock",     "'ll",      "'S", " ",     "  ", "\n",     "\r\n", "\t", "1234567", " 3.14",
        "👨‍👩‍👧", "👍🏽", "🇩🇪", "<|end", "</", "\u00A0",
    };
    const int kind = pick(0, 13);
    if (kind >= 10) {
      const std::string& snippet =
          kSnippets[static_cast<std::size_t>(pick(0, static_cast<int>(kSnippets.size()) - 1))];
      for (int n = kind == 13 ? pick(1, 40) : 1; n > 0; --n) text += snippet;
      return;
    }
    const bool run = pick(0, 5) == 0;
    char32_t c = codePointOfKind(kind);
    for (int n = run ? pick(1, 200) : pick(1, 6); n > 0; --n) {
      core::appendUtf8(text, c);
      if (!run) c = codePointOfKind(kind);
    }
  }

  std::mt19937 random_;
};

}  // namespace vitrine::test
