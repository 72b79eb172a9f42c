#include "core/text/json_vocabulary.h"

#include "core/text/unicode.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vitrine::core {
namespace {

// Ids may leave holes, but a file of a few tokens must not claim billions of ids.
constexpr std::size_t kMaxHoles = 1 << 16;

// A token as "vocab" has it.
struct Piece {
  TokenId id = 0;
  const std::string* text = nullptr;
};

Result<std::vector<AddedToken>> readAddedTokens(const Json& tokenizer, std::size_t max_ids) {
  std::vector<AddedToken> added;
  if (findField(tokenizer, "added_tokens") == nullptr) return added;
  TRY_ASSIGN(const Json* list, requireArray(tokenizer, "added_tokens"));
  for (const Json& entry : *list) {
    AddedToken token;
    TRY_ASSIGN(token.content, requireString(entry, "content"));
    const Json* id = findField(entry, "id");
    const auto number = toTokenId(id ? *id : Json(), max_ids, "its id");
    if (!number) return within("added token '" + quotable(token.content) + "'", number.error());
    token.id = *number;
    TRY_ASSIGN(token.special, boolOr(entry, "special", false));
    TRY_ASSIGN(token.left_strip, boolOr(entry, "lstrip", false));
    TRY_ASSIGN(token.right_strip, boolOr(entry, "rstrip", false));
    TRY_ASSIGN(token.single_word, boolOr(entry, "single_word", false));
    TRY_ASSIGN(token.normalized, boolOr(entry, "normalized", !token.special));
    added.push_back(std::move(token));
  }
  return added;
}

Result<void> spell(Vocabulary& vocabulary, TokenId id, const std::string& piece, TokenType type) {
  const std::string_view before = vocabulary.piece(id);
  if (!before.empty() && before != piece) {
    return fail(ErrorCode::kInvalidFile, "token id {} is both '{}' and '{}'", id, quotable(before),
                quotable(piece));
  }
  const std::optional<TokenId> other = vocabulary.find(piece);
  if (other && *other != id) {
    return fail(ErrorCode::kInvalidFile, "token '{}' has two ids, {} and {}", quotable(piece), *other, id);
  }
  if (before.empty()) {
    vocabulary.set(id, piece, type);
  } else {
    vocabulary.setType(id, type);
  }
  return {};
}

// {"the": 5, ..}
Result<std::vector<Piece>> readMap(const Json& vocab, std::size_t max_ids) {
  std::vector<Piece> pieces;
  pieces.reserve(vocab.size());
  for (const auto& [text, value] : vocab.items()) {
    const auto id = toTokenId(value, max_ids, "its id");
    if (!id) return within("token '" + quotable(text) + "'", id.error());
    pieces.push_back({*id, &text});
  }
  return pieces;
}

// [["the", -3.5], ..]
Result<std::vector<Piece>> readScored(const Json& vocab, std::vector<double>& scores) {
  std::vector<Piece> pieces;
  pieces.reserve(vocab.size());
  for (const Json& entry : vocab) {
    const bool pair = entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_number();
    if (!pair) {
      return fail(ErrorCode::kInvalidFile, "vocab[{}] of the tokenizer must be a token and its score",
                  pieces.size());
    }
    pieces.push_back({static_cast<TokenId>(pieces.size()), entry[0].get_ptr<const std::string*>()});
    scores.push_back(entry[1].get<double>());
  }
  return pieces;
}

}  // namespace

Result<JsonVocabulary> readJsonVocabulary(const Json& tokenizer, const Json& model) {
  const Json* vocab = findField(model, "vocab");
  const bool scored = vocab != nullptr && vocab->is_array();
  if (!scored) {
    TRY_ASSIGN(vocab, requireObject(model, "vocab"));
  }
  const Json* added_list = findField(tokenizer, "added_tokens");
  const std::size_t entries = vocab->size() + (added_list == nullptr ? 0 : added_list->size());
  const std::size_t max_ids = std::min<std::size_t>(2 * entries + kMaxHoles, std::size_t{1} << 30);
  TRY_ASSIGN(std::vector<AddedToken> added, readAddedTokens(tokenizer, max_ids));
  TRY_ASSIGN(const bool byte_fallback, boolOr(model, "byte_fallback", false));

  std::vector<double> scores;
  TRY_ASSIGN(const std::vector<Piece> pieces, scored ? readScored(*vocab, scores) : readMap(*vocab, max_ids));
  std::size_t size = 0;
  for (const Piece& piece : pieces) size = std::max(size, static_cast<std::size_t>(piece.id) + 1);
  for (const AddedToken& token : added) size = std::max(size, static_cast<std::size_t>(token.id) + 1);
  if (size == 0) return fail(ErrorCode::kInvalidFile, "the tokenizer's vocabulary is empty");
  if (scored) scores.resize(size);

  Vocabulary vocabulary(size);
  for (const Piece& piece : pieces) {
    const bool is_byte = byte_fallback && byteOfPiece(*piece.text);
    const TokenType type = is_byte ? TokenType::kByte : TokenType::kNormal;
    if (scored) {  // two may be spelled alike
      vocabulary.set(piece.id, *piece.text, type);
    } else {
      TRY(spell(vocabulary, piece.id, *piece.text, type));
    }
  }
  for (const AddedToken& token : added) {
    TRY(spell(vocabulary, token.id, token.content,
              token.special ? TokenType::kControl : TokenType::kUserDefined));
  }
  return JsonVocabulary{std::move(vocabulary), std::move(added), std::move(scores)};
}

}  // namespace vitrine::core
