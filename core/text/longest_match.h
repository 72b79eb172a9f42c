// The token that spells most of what is left, again and again: RWKV's "world" vocabulary of byte strings, and
// the vocabulary of the 256 bytes.
#pragma once

#include "core/text/byte_trie.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/vocabulary.h"
#include "gpu/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::core {

class LongestMatchModel {
 public:
  // `bytes_of` has the byte string of each token that can come out of a text, "" for the others.
  explicit LongestMatchModel(const std::vector<std::string>& bytes_of);

  // Appends the ids of the words. kUnsupported names a byte that no token begins with.
  Result<void> encode(const SplitText& split, std::vector<TokenId>& ids) const;

 private:
  ByteTrie trie_;
};

// A byte string as Python writes it: \t \n \r \xHH, and a backslash before what stands for itself. RWKV's
// tokens are kept so in a GGUF. nullopt where the escape at the end is cut short.
std::optional<std::string> unescaped(std::string_view spelled);

}  // namespace vitrine::core
