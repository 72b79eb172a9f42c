// WordPiece: a word is the longest token that begins it, then the longest that goes on, and so forth; a word
// that cannot be spelled so is one unknown token (Wu et al. 2016, arXiv:1609.08144; the greedy search is
// BERT's).
#pragma once

#include "core/text/byte_trie.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/vocabulary.h"
#include "gpu/error.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::core {

struct WordPieceOptions {
  std::string word_prefix = {};        // how a token that begins a word is spelled: GGUF's "▁"
  std::string continuing_prefix = {};  // .. and one that goes on: Hugging Face's "##"
  TokenId unknown = 0;
  std::size_t max_word_characters = 0;  // a longer word is unknown; 0: no limit
};

class WordPieceModel {
 public:
  // Exactly one of the prefixes must not be empty.
  WordPieceModel(const Vocabulary& vocabulary, WordPieceOptions options);

  // Appends the ids of the words.
  Result<void> encode(const SplitText& split, std::vector<TokenId>& ids) const;

 private:
  bool encodeWord(std::string_view word, std::vector<TokenId>& ids) const;

  WordPieceOptions options_;
  ByteTrie beginnings_;
  ByteTrie continuations_;
};

}  // namespace vitrine::core
