#include "core/text/bpe_model.h"

#include "core/text/byte_alphabet.h"
#include "core/text/unicode.h"

#include <algorithm>
#include <cmath>

namespace vitrine::core {
namespace {

constexpr char32_t kSpaceMark = 0x2581;  // "▁"
constexpr std::size_t kMaxRememberedBytes = 64;
// All ways to cut a token in two are looked up; the longest of real SentencePiece models have some 100 bytes.
constexpr std::size_t kMaxScoredBytes = 512;

bool isMergeable(TokenType type) {
  return type == TokenType::kNormal || type == TokenType::kUserDefined || type == TokenType::kUnused ||
         type == TokenType::kUndefined;
}

// Equal scores have equal ranks, the highest score rank 0.
std::vector<std::uint32_t> ranksOfScores(const std::vector<float>& scores) {
  std::vector<float> sorted(scores);
  std::sort(sorted.begin(), sorted.end(), std::greater<>{});
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<std::uint32_t> ranks;
  ranks.reserve(scores.size());
  for (const float score : scores) {
    const auto place = std::lower_bound(sorted.begin(), sorted.end(), score, std::greater<>{});
    ranks.push_back(static_cast<std::uint32_t>(place - sorted.begin()));
  }
  return ranks;
}

}  // namespace

BpeModel::BpeModel(const Vocabulary& vocabulary, BpeOptions options)
    : options_(options), vocabulary_size_(vocabulary.size()) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto value = static_cast<std::uint8_t>(byte);
    std::optional<TokenId> id;
    if (options.alphabet == BpeAlphabet::kBytes) {
      id = vocabulary.find(toByteAlphabet(std::string(1, static_cast<char>(byte))));
    } else if (options.byte_fallback) {
      id = vocabulary.find(pieceOfByte(value));
    }
    byte_symbols_[value] = id.value_or(-1);
  }
  if (options.alphabet == BpeAlphabet::kBytes) return;
  for (TokenId id = 0; vocabulary.contains(id); ++id) {
    const std::string_view piece = vocabulary.piece(id);
    if (piece.empty() || !isMergeable(vocabulary.type(id))) continue;
    const CodePoint first = codePointAt(piece, 0);
    if (first.valid && first.bytes == piece.size()) character_symbols_.try_emplace(first.value, id);
  }
}

// Remembers which characters stand before a space mark in what merges can make: elsewhere a mark begins a new
// word.
void BpeModel::noteMarks(std::string_view merged) {
  char32_t previous = 0;
  for (std::size_t at = 0; at < merged.size();) {
    const CodePoint next = codePointAt(merged, at);
    if (at > 0 && next.value == kSpaceMark) before_mark_.insert(previous);
    previous = next.value;
    at += next.bytes;
  }
}

Result<BpeModel> BpeModel::fromMerges(const Vocabulary& vocabulary, const std::vector<SpelledMerge>& merges,
                                      BpeOptions options) {
  BpeModel model(vocabulary, options);
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    const std::string merged = left + right;
    const auto left_id = vocabulary.find(left), right_id = vocabulary.find(right),
               merged_id = vocabulary.find(merged);
    if (!left_id || !right_id || !merged_id) {
      return fail(ErrorCode::kInvalidFile,
                  "merge {} of the tokenizer makes '{}' of '{}' and '{}', but '{}' is no token", rank,
                  quotable(merged), quotable(left), quotable(right),
                  quotable(!left_id    ? left
                           : !right_id ? right
                                       : merged));
    }
    model.merges_.add(*left_id, *right_id, {static_cast<std::uint32_t>(rank), *merged_id});
    if (options.alphabet == BpeAlphabet::kCharacters) model.noteMarks(merged);
  }
  return model;
}

void BpeModel::addCharactersOf(std::string_view piece) {
  for (std::size_t at = 0; at < piece.size();) {
    const CodePoint next = codePointAt(piece, at);
    const auto id = static_cast<std::int32_t>(vocabulary_size_ + character_symbols_.size());
    if (next.valid) character_symbols_.try_emplace(next.value, id);
    at += next.bytes;
  }
}

// Every way to put the token together from two symbols.
void BpeModel::addMergesOf(const Vocabulary& vocabulary, TokenId id, std::uint32_t rank) {
  const auto symbolOf = [&](std::string_view part) -> std::int32_t {
    const CodePoint first = codePointAt(part, 0);
    if (first.bytes == part.size()) {
      const auto found = character_symbols_.find(first.value);
      return found == character_symbols_.end() ? -1 : found->second;
    }
    const std::optional<TokenId> token = vocabulary.find(part);
    return token && isMergeable(vocabulary.type(*token)) ? *token : -1;
  };
  const std::string_view piece = vocabulary.piece(id);
  for (std::size_t at = codePointAt(piece, 0).bytes; at < piece.size(); at += codePointAt(piece, at).bytes) {
    const std::int32_t left = symbolOf(piece.substr(0, at));
    const std::int32_t right = left < 0 ? -1 : symbolOf(piece.substr(at));
    if (right >= 0) merges_.add(left, right, {rank, id});
  }
}

Result<BpeModel> BpeModel::fromScores(const Vocabulary& vocabulary, const std::vector<float>& scores,
                                      BpeOptions options) {
  VITRINE_ASSERT(scores.size() == vocabulary.size());
  const auto bad =
      std::find_if(scores.begin(), scores.end(), [](float score) { return !std::isfinite(score); });
  if (bad != scores.end()) {
    return fail(ErrorCode::kInvalidFile, "the score of token {} is not a finite number",
                bad - scores.begin());
  }
  BpeModel model(vocabulary, options);
  const std::vector<std::uint32_t> ranks = ranksOfScores(scores);
  const auto merges = [&](TokenId id) {
    const std::string_view piece = vocabulary.piece(id);
    // Of two tokens with one spelling only the first can come out of a text.
    return isMergeable(vocabulary.type(id)) && vocabulary.find(piece) == id &&
           firstInvalidUtf8(piece) == std::string_view::npos;
  };
  for (TokenId id = 0; vocabulary.contains(id); ++id) {
    if (!merges(id)) continue;
    if (const std::size_t bytes = vocabulary.piece(id).size(); bytes > kMaxScoredBytes) {
      return fail(ErrorCode::kInvalidFile, "token {} has {} bytes, more than the {} that are allowed", id,
                  bytes, kMaxScoredBytes);
    }
    model.addCharactersOf(vocabulary.piece(id));
  }
  for (TokenId id = 0; vocabulary.contains(id); ++id) {
    if (!merges(id)) continue;
    model.addMergesOf(vocabulary, id, ranks[static_cast<std::size_t>(id)]);
    model.noteMarks(vocabulary.piece(id));
  }
  return model;
}

Result<void> BpeEncoder::encode(std::string_view word) {
  // Where no token reaches across the beginning of a spelled space, the two sides cannot merge:
  // SentencePiece's texts fall apart into words that can be remembered.
  const bool cuts = model_.alphabet() == BpeAlphabet::kCharacters && !model_.options_.ignore_merges &&
                    model_.character_symbols_.contains(kSpaceMark);
  if (!cuts) return encodePart(word);
  std::size_t begin = 0;
  char32_t previous = 0;
  for (std::size_t at = 0; at < word.size();) {
    const CodePoint next = codePointAt(word, at);
    if (at > begin && next.value == kSpaceMark && !model_.before_mark_.contains(previous)) {
      TRY(encodePart(word.substr(begin, at - begin)));
      begin = at;
    }
    previous = next.value;
    at += next.bytes;
  }
  return encodePart(word.substr(begin));
}

Result<void> BpeEncoder::encodePart(std::string_view word) {
  if (word.size() > kMaxRememberedBytes) return encodeUnseen(word);
  const auto [known, unseen] = seen_.try_emplace(word, out_.size(), 0);
  if (unseen) {
    TRY(encodeUnseen(word));
    known->second.second = out_.size();
    return {};
  }
  for (std::size_t i = known->second.first; i < known->second.second; ++i) out_.push_back(TokenId{out_[i]});
  return {};
}

Result<void> BpeEncoder::encodeUnseen(std::string_view word) {
  const bool as_bytes = model_.alphabet() == BpeAlphabet::kBytes;
  if (model_.options_.ignore_merges) {
    const auto whole = vocabulary_.find(as_bytes ? toByteAlphabet(word) : std::string(word));
    if (whole && isMergeable(vocabulary_.type(*whole))) {
      out_.push_back(*whole);
      return {};
    }
  }
  as_bytes ? readBytes(word) : readCharacters(word);
  merger_.merge(symbols_);
  bool after_unknown = false;
  for (const BpeSymbol& symbol : symbols_) {
    const std::size_t before = out_.size();
    if (model_.isToken(symbol.id)) {
      out_.push_back(symbol.id);
      after_unknown = false;
    } else {
      TRY(writeUnspelled(symbol.bytes.of(word), after_unknown));
      after_unknown = out_.size() == before || out_.back() == model_.options_.unknown;
    }
  }
  return {};
}

void BpeEncoder::readBytes(std::string_view word) {
  symbols_.clear();
  for (std::uint32_t at = 0; at < word.size(); ++at) {
    symbols_.push_back({model_.byte_symbols_[static_cast<std::uint8_t>(word[at])], {at, at + 1}});
  }
}

void BpeEncoder::readCharacters(std::string_view word) {
  symbols_.clear();
  for (std::uint32_t at = 0; at < word.size();) {
    const CodePoint next = codePointAt(word, at);
    const auto symbol = model_.character_symbols_.find(next.value);
    const std::int32_t id = symbol == model_.character_symbols_.end() ? -1 : symbol->second;
    symbols_.push_back({id, {at, at + next.bytes}});
    at += next.bytes;
  }
}

// A character without a token: its bytes, else the unknown token.
Result<void> BpeEncoder::writeUnspelled(std::string_view text, bool after_unknown) {
  const auto byteSymbol = [&](char byte) { return model_.byte_symbols_[static_cast<std::uint8_t>(byte)]; };
  const bool has_bytes =
      model_.alphabet() == BpeAlphabet::kCharacters &&
      std::all_of(text.begin(), text.end(), [&](char byte) { return byteSymbol(byte) >= 0; });
  if (has_bytes) {
    for (const char byte : text) out_.push_back(byteSymbol(byte));
    return {};
  }
  if (!model_.options_.unknown) {
    return fail(ErrorCode::kUnsupported, "the tokenizer has no token for '{}' and none for unknown text",
                model_.alphabet() == BpeAlphabet::kBytes ? pieceOfByte(static_cast<std::uint8_t>(text[0]))
                                                         : quotable(text));
  }
  if (!after_unknown || !model_.options_.fuse_unknown) out_.push_back(*model_.options_.unknown);
  return {};
}

}  // namespace vitrine::core
