// The tokenizer behind every kind of file: special tokens are cut out of the text, the rest is normalized,
// cut into words, and these become tokens. What a GGUF's metadata or a tokenizer.json says ends up in these
// parts.
#pragma once

#include "core/text/added_tokens.h"
#include "core/text/bpe_model.h"
#include "core/text/longest_match.h"
#include "core/text/normalizer.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/tokenizer.h"
#include "core/text/unigram.h"
#include "core/text/vocabulary.h"
#include "core/text/word_piece.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vitrine::core {

// Where encoding puts a space of its own in front of the text, which decoding takes away again.
enum class DummySpace {
  kNever,
  kStart,          // in front of the whole text
  kEveryFragment,  // also after each added token that is looked for before normalization
  kEverySegment,   // also after each added token
};

// How a normal token spells its bytes.
enum class Spelling {
  kSpaceMarks,    // as it is, with `mark` for a space
  kByteAlphabet,  // each byte as GPT-2 does
  kWordPieces,    // as it is, with a space before it unless it begins with `mark`, which is left out
  kEscapes,       // as Python writes a byte string
};

using TextModel = std::variant<BpeModel, UnigramModel, WordPieceModel, LongestMatchModel>;

struct PipelineTokenizerParts {
  Vocabulary vocabulary;
  std::vector<AddedToken> added;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  TextModel model;
  std::string kind = {};  // for display
  Spelling spelling = Spelling::kSpaceMarks;
  std::string mark = {};
  bool joins_punctuation = false;  // decoding drops the space before "." and "'s"
  DummySpace dummy_space = DummySpace::kNever;
  std::optional<TokenId> beginning_of_text = std::nullopt;
  std::vector<TokenId> end_of_text = {};
  std::vector<TokenId> prompt_prefix = {}, prompt_suffix = {};
};

class PipelineTokenizer final : public Tokenizer {
 public:
  static Result<std::shared_ptr<const Tokenizer>> create(PipelineTokenizerParts parts);

  Result<std::vector<TokenId>> encode(std::string_view utf8, SpecialTokens special) const override;
  std::string bytesOf(TokenId id) const override;
  std::string_view piece(TokenId id) const override { return parts_.vocabulary.piece(id); }
  bool dummySpaceIsDue(std::optional<TokenId> previous, bool was_due) const override;

  std::size_t vocabSize() const override { return parts_.vocabulary.size(); }
  bool isControl(TokenId id) const override;
  std::optional<TokenId> beginningOfText() const override { return parts_.beginning_of_text; }
  const std::vector<TokenId>& promptPrefix() const override { return parts_.prompt_prefix; }
  const std::vector<TokenId>& promptSuffix() const override { return parts_.prompt_suffix; }
  std::vector<TokenId> endOfText() const override { return parts_.end_of_text; }
  std::string kind() const override { return parts_.kind; }

 private:
  explicit PipelineTokenizer(PipelineTokenizerParts parts) : parts_(std::move(parts)) {}
  Result<void> encodeFragment(std::string_view text, FragmentPosition position, SpecialTokens special,
                              std::vector<TokenId>& ids) const;
  Result<void> encodeNormalized(std::string text, FragmentPosition position, std::vector<TokenId>& ids) const;

  std::string spelledBytes(std::string_view piece) const;

  PipelineTokenizerParts parts_;
  AddedTokenMatcher raw_matcher_;         // the added tokens that are looked for in the text as it is
  AddedTokenMatcher normalized_matcher_;  // .. and after normalization
};

// Every control token that is known to end a generation by its name, and `ids`; sorted, each once.
std::vector<TokenId> endOfTextIds(const Vocabulary& vocabulary, std::vector<TokenId> ids);

}  // namespace vitrine::core
