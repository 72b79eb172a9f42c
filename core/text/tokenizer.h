// Text to token ids and back: byte-level and SentencePiece BPE, Unigram, WordPiece, RWKV's vocabulary and
// plain bytes, from a GGUF's metadata or tokenizer.json.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "gpu/error.h"

namespace vitrine::core {

using TokenId = std::int32_t;

enum class SpecialTokens {
  kPlain,  // text only: "<s>" in the input is five characters... unless the vocabulary marks it user-defined
  kParse,  // "<|im_start|>" in the input becomes its token
};

class Tokenizer {
 public:
  static Result<std::shared_ptr<const Tokenizer>> fromCheckpoint(const Checkpoint& checkpoint);
  static Result<std::shared_ptr<const Tokenizer>> fromJson(std::string_view tokenizer_json,
                                                           std::string_view tokenizer_config_json = "");
  virtual ~Tokenizer() = default;

  // No beginning-of-text token is added here; see addsBeginningOfText().
  virtual Result<std::vector<TokenId>> encode(std::string_view utf8,
                                              SpecialTokens special = SpecialTokens::kParse) const = 0;
  // Raw bytes of one token ("" for control tokens); their concatenation is the text, possibly cut inside a
  // character.
  virtual std::string bytesOf(TokenId id) const = 0;
  // The token as its vocabulary spells it ("Ġthe", "▁the", "<0x0A>").
  virtual std::string_view piece(TokenId id) const = 0;
  // The text of a whole sequence; SentencePiece's leading dummy space is removed, bytes that are no character
  // are U+FFFD.
  std::string decode(std::span<const TokenId> ids) const;
  // Whether a space at the beginning of the token after `previous` is SentencePiece's dummy space and no part
  // of the text. `previous` is nullopt at the start of the text; `was_due` is what this said there, before
  // `previous`.
  virtual bool dummySpaceIsDue(std::optional<TokenId> previous, bool was_due) const = 0;

  virtual std::size_t vocabSize() const = 0;
  virtual bool isControl(TokenId id) const = 0;
  virtual std::optional<TokenId> beginningOfText() const = 0;
  // What the model wants around every prompt: mostly nothing, or the beginning-of-text token in front.
  virtual const std::vector<TokenId>& promptPrefix() const = 0;
  virtual const std::vector<TokenId>& promptSuffix() const = 0;
  bool addsBeginningOfText() const;                    // the prefix begins with it
  virtual std::vector<TokenId> endOfText() const = 0;  // every id that ends a generation
  virtual std::string kind() const = 0;                // "byte-level BPE", "WordPiece": for display

  // encode(), between promptPrefix() and promptSuffix().
  Result<std::vector<TokenId>> encodePrompt(std::string_view utf8) const;
  // As it is drawn: a leading space as "·", a line break as "⏎", bytes that are no character as "⟨E2⟩".
  std::string display(TokenId id) const;
};

// Turns a stream of tokens into text that never shows half a UTF-8 character.
class StreamingDetokenizer {
 public:
  explicit StreamingDetokenizer(std::shared_ptr<const Tokenizer> tokenizer);
  std::string push(TokenId id);  // the whole characters that this token completes
  std::string finish();          // what is left, invalid bytes as U+FFFD

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::string pending_;  // the beginning of a character
  bool dummy_space_due_;
};

}  // namespace vitrine::core
