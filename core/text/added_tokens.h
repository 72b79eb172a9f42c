// Tokens that are looked for in the text before anything else happens to it: "<|im_start|>", "<think>",
// "</s>". The leftmost match wins, among those the longest.
#pragma once

#include "core/text/byte_trie.h"
#include "core/text/regex.h"
#include "core/text/tokenizer.h"
#include "gpu/error.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::core {

struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool special =
      false;  // a control token: not looked for under SpecialTokens::kPlain, and no text when decoded
  bool left_strip = false;   // takes the white space before it along
  bool right_strip = false;  // .. and after it
  bool single_word = false;  // only where no letter or digit touches it
  bool normalized = false;   // looked for after normalization, not before
};

// A stretch of text: either an added token or what lies between two.
struct TextSegment {
  ByteRange range;
  std::optional<TokenId> token;
};

class AddedTokenMatcher {
 public:
  // kInvalidFile for empty and overlong contents. Of two tokens with one content the first counts.
  static Result<AddedTokenMatcher> create(std::vector<AddedToken> tokens);

  // Covers `text` from front to back, but for white space that a token strips. No segment is empty.
  std::vector<TextSegment> split(std::string_view text, SpecialTokens special) const;

  const std::vector<AddedToken>& tokens() const { return tokens_; }

 private:
  const AddedToken* longestAt(std::string_view text, std::size_t at, SpecialTokens special) const;

  std::vector<AddedToken> tokens_;
  ByteTrie trie_;  // of indices into tokens_
  std::array<bool, 256> first_byte_{};
};

}  // namespace vitrine::core
