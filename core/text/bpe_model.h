// From words to token ids: a vocabulary's symbols and merges, and what stands in for text that it cannot
// spell.
#pragma once

#include "core/text/bpe.h"
#include "core/text/vocabulary.h"
#include "gpu/error.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace vitrine::core {

// What BPE starts from.
enum class BpeAlphabet {
  kBytes,       // each byte is a symbol, spelled as GPT-2 does: byte-level BPE
  kCharacters,  // each character is a symbol: SentencePiece
};

struct BpeOptions {
  BpeAlphabet alphabet = BpeAlphabet::kBytes;
  bool byte_fallback = false;  // characters without a symbol become "<0x..>" tokens
  bool ignore_merges = false;  // a word that is a token is that token, whatever the merges say
  std::optional<TokenId> unknown = std::nullopt;  // for what is left
  bool fuse_unknown = false;                      // one for a whole run
};

// One merge of a list, as spelled.
struct SpelledMerge {
  std::string left;
  std::string right;
};

class BpeModel {
 public:
  // Ranks are positions in the list. kInvalidFile names a merge whose parts or whole the vocabulary lacks.
  static Result<BpeModel> fromMerges(const Vocabulary& vocabulary, const std::vector<SpelledMerge>& merges,
                                     BpeOptions options);
  // SentencePiece: whatever spells a normal token merges, the highest score first.
  static Result<BpeModel> fromScores(const Vocabulary& vocabulary, const std::vector<float>& scores,
                                     BpeOptions options);

  BpeAlphabet alphabet() const { return options_.alphabet; }

 private:
  friend class BpeEncoder;
  BpeModel(const Vocabulary& vocabulary, BpeOptions options);

  bool isToken(std::int32_t id) const { return id >= 0 && static_cast<std::size_t>(id) < vocabulary_size_; }
  void noteMarks(std::string_view merged);
  void addCharactersOf(std::string_view piece);
  void addMergesOf(const Vocabulary& vocabulary, TokenId id, std::uint32_t rank);

  BpeOptions options_;
  std::size_t vocabulary_size_ = 0;
  MergeTable merges_;
  std::array<std::int32_t, 256>
      byte_symbols_{};  // kBytes: of each byte; kCharacters: its "<0x..>" token; -1: none
  // kCharacters. A character that occurs in tokens but is none itself has a symbol at or above
  // vocabulary_size_.
  std::unordered_map<char32_t, std::int32_t> character_symbols_;
  std::unordered_set<char32_t> before_mark_;  // characters that stand before a space mark inside some token
};

// Encodes the words of one text, remembering those it has seen. The words must outlive it, and `out` is its
// own meanwhile.
class BpeEncoder {
 public:
  BpeEncoder(const Vocabulary& vocabulary, const BpeModel& model, std::vector<TokenId>& out)
      : vocabulary_(vocabulary), model_(model), merger_(model.merges_), out_(out) {}

  // Appends the word's ids to `out`.
  Result<void> encode(std::string_view word);

 private:
  Result<void> encodePart(std::string_view word);
  Result<void> encodeUnseen(std::string_view word);
  void readBytes(std::string_view word);
  void readCharacters(std::string_view word);
  Result<void> writeUnspelled(std::string_view text, bool after_unknown);

  const Vocabulary& vocabulary_;
  const BpeModel& model_;
  BpeMerger merger_;
  std::vector<TokenId>& out_;
  std::vector<BpeSymbol> symbols_;
  std::unordered_map<std::string_view, std::pair<std::size_t, std::size_t>>
      seen_;  // where in out_ a word's ids lie
};

}  // namespace vitrine::core
