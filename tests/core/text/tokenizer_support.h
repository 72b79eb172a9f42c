// What the tokenizer tests share: the small tokenizers of tests/data, the same as GGUF metadata, and random
// Unicode.
#pragma once

#include "core/text/tokenizer.h"
#include "core/text/tokenizer_files.h"
#include "core/text/unicode.h"
#include "support/shared_files.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace vitrine::test {

using core::TokenId;
using core::Tokenizer;
using Json = nlohmann::json;

std::string readText(const std::filesystem::path& path);

std::string tinyTokenizerText(const std::string& name);

std::shared_ptr<const Tokenizer> tinyTokenizer(const std::string& name);

// The GGUF metadata that a converter makes of gpt2.json: byte-level BPE.
Json byteLevelMetadata();

// The GGUF metadata of a sentencepiece model with llama2.json's vocabulary: what was learnt first has the
// highest score.
Json sentencePieceMetadata();

// The GGUF metadata of Google's Unigram model, character map included.
Json unigramMetadata(const std::string& name = "trimmed");

// The GGUF metadata that a converter makes of bert.json: "▁the" begins a word, "ing" goes on.
Json wordPieceMetadata();

// An RWKV "world" vocabulary: the end of text, the 256 bytes, and a few longer strings, as Python writes
// them.
Json rwkvMetadata();

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
