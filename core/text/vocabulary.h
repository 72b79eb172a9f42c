// The tokens of a tokenizer: spelling and type by id, id by spelling.
#pragma once

#include "core/text/tokenizer.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vitrine::core {

// Numbered as in tokenizer.ggml.token_type.
enum class TokenType {
  kUndefined = 0,
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

class Vocabulary {
 public:
  // Ids 0 to size - 1, all without spelling and unused.
  explicit Vocabulary(std::size_t size) : tokens_(size) {}
  Vocabulary(const Vocabulary&) = delete;
  Vocabulary& operator=(const Vocabulary&) = delete;
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;

  // Spells an id that has no spelling yet. Where two ids have one spelling, find() gives the first.
  void set(TokenId id, std::string piece, TokenType type);
  void setType(TokenId id, TokenType type) { tokens_[static_cast<std::size_t>(id)].type = type; }

  std::size_t size() const { return tokens_.size(); }
  bool contains(TokenId id) const { return id >= 0 && static_cast<std::size_t>(id) < tokens_.size(); }
  std::string_view piece(TokenId id) const { return contains(id) ? at(id).piece : std::string_view(); }
  TokenType type(TokenId id) const { return contains(id) ? at(id).type : TokenType::kUnused; }
  std::optional<TokenId> find(std::string_view piece) const;

 private:
  struct Token {
    std::string piece;
    TokenType type = TokenType::kUnused;
  };
  const Token& at(TokenId id) const { return tokens_[static_cast<std::size_t>(id)]; }

  std::vector<Token> tokens_;  // never grows: the index points into it
  std::unordered_map<std::string_view, TokenId> index_;
};

// "<0x0A>" -> 0x0A: how SentencePiece spells the tokens of single bytes.
std::optional<std::uint8_t> byteOfPiece(std::string_view piece);
std::string pieceOfByte(std::uint8_t byte);

}  // namespace vitrine::core
