// SentencePiece's unigram model: of all ways to spell a text the one whose tokens' scores (log probabilities)
// add up to most, found by the Viterbi algorithm (Kudo 2018, arXiv:1804.10959).
#pragma once

#include "core/text/byte_trie.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/vocabulary.h"
#include "gpu/error.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace vitrine::core {

struct UnigramOptions {
  std::optional<TokenId> unknown = std::nullopt;  // one for a whole run of characters that no token spells
  bool byte_fallback = false;                     // "<0x..>" tokens in its stead, where there are
};

class UnigramModel {
 public:
  // One score a token. kInvalidFile names a token that is too long, or whose score is not finite.
  static Result<UnigramModel> create(const Vocabulary& vocabulary, std::vector<double> scores,
                                     UnigramOptions options);

  // Appends the ids of the words.
  Result<void> encode(const SplitText& split, std::vector<TokenId>& ids) const;

 private:
  friend class UnigramEncoder;
  UnigramModel() = default;

  UnigramOptions options_;
  std::vector<double> scores_;
  double unknown_score_ = 0;
  ByteTrie trie_;
  std::array<std::int32_t, 256> byte_tokens_{};  // -1: none
};

}  // namespace vitrine::core
