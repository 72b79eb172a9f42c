// The tokenizer behind both kinds of file: special tokens are cut out of the text, the rest is normalized,
// cut into words and merged. What a GGUF's metadata or a tokenizer.json says ends up in these parts.
#pragma once

#include "core/text/added_tokens.h"
#include "core/text/bpe_model.h"
#include "core/text/normalizer.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/tokenizer.h"
#include "core/text/vocabulary.h"

#include <optional>
#include <string>
#include <vector>

namespace vitrine::core {

// Where encoding puts a space of its own in front of the text, which decoding takes away again.
enum class DummySpace {
  kNever,
  kStart,          // in front of the whole text
  kEveryFragment,  // also after each added token that is looked for before normalization
  kEverySegment,   // also after each added token
};

struct BpeTokenizerParts {
  Vocabulary vocabulary;
  std::vector<AddedToken> added;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  BpeModel model;
  DummySpace dummy_space = DummySpace::kNever;
  std::string space_mark =
      {};  // what a space in a normal token is spelled as; empty under BpeAlphabet::kBytes
  std::optional<TokenId> beginning_of_text = std::nullopt;
  bool adds_beginning_of_text = false;
  std::vector<TokenId> end_of_text = {};
};

class BpeTokenizer final : public Tokenizer {
 public:
  static Result<std::shared_ptr<const Tokenizer>> create(BpeTokenizerParts parts);

  Result<std::vector<TokenId>> encode(std::string_view utf8, SpecialTokens special) const override;
  std::string bytesOf(TokenId id) const override;
  std::string_view piece(TokenId id) const override { return parts_.vocabulary.piece(id); }
  bool dummySpaceIsDue(std::optional<TokenId> previous, bool was_due) const override;

  std::size_t vocabSize() const override { return parts_.vocabulary.size(); }
  bool isControl(TokenId id) const override;
  std::optional<TokenId> beginningOfText() const override { return parts_.beginning_of_text; }
  bool addsBeginningOfText() const override { return parts_.adds_beginning_of_text; }
  std::vector<TokenId> endOfText() const override { return parts_.end_of_text; }
  std::string kind() const override;

 private:
  explicit BpeTokenizer(BpeTokenizerParts parts) : parts_(std::move(parts)) {}
  Result<void> encodeFragment(std::string_view text, FragmentPosition position, SpecialTokens special,
                              std::vector<TokenId>& ids) const;
  Result<void> encodeNormalized(std::string text, FragmentPosition position, std::vector<TokenId>& ids) const;

  BpeTokenizerParts parts_;
  AddedTokenMatcher raw_matcher_;         // the added tokens that are looked for in the text as it is
  AddedTokenMatcher normalized_matcher_;  // .. and after normalization
};

// Every control token that is known to end a generation by its name, and `ids`; sorted, each once.
std::vector<TokenId> endOfTextIds(const Vocabulary& vocabulary, std::vector<TokenId> ids);

}  // namespace vitrine::core
