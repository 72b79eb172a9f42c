// SentencePiece's precompiled character map: which byte strings of a text are replaced, by what. A
// double-array trie (Darts-clone) whose values are offsets into a list of null-terminated replacements.
#pragma once

#include "gpu/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::core {

enum class CharsmapSearch {
  kLongest,    // at each place the longest string that the map knows: sentencepiece and llama.cpp
  kGraphemes,  // what a reader takes for one character, by its shortest known beginning: Hugging Face
};

class Charsmap {
 public:
  // The size of the trie in bytes (32 bits), the trie, the replacements. kInvalidFile says what does not fit.
  static Result<Charsmap> create(std::string_view bytes);

  // kUnsupported when more than `max_bytes` would come out.
  Result<std::string> apply(std::string_view utf8, CharsmapSearch search, std::size_t max_bytes) const;

 private:
  struct Match {
    std::size_t bytes = 0;  // 0: none
    std::string_view replacement;
  };
  enum class Length { kShortest, kLongest };

  Charsmap() = default;
  Match find(std::string_view text, Length length) const;
  std::string_view replacementAt(std::uint32_t offset) const;
  void appendReplaced(std::string_view cluster, std::string& out) const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;  // ends with a null
};

}  // namespace vitrine::core
