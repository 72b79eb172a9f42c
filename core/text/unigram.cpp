#include "core/text/unigram.h"

#include "core/text/unicode.h"

#include <algorithm>
#include <cmath>

namespace vitrine::core {
namespace {

// Bounds the work at each position of a text; the longest of real models have some 100 bytes.
constexpr std::size_t kMaxPieceBytes = 512;
// An unknown character is worse by this than the worst token: SentencePiece's constant.
constexpr double kUnknownPenalty = 10;
constexpr std::int32_t kUnknown = -1;

// User-defined tokens have been cut out of the text.
bool isSpelling(TokenType type) {
  return type == TokenType::kNormal || type == TokenType::kUnused || type == TokenType::kUndefined;
}

}  // namespace

Result<UnigramModel> UnigramModel::create(const Vocabulary& vocabulary, std::vector<double> scores,
                                          UnigramOptions options) {
  VITRINE_ASSERT(scores.size() == vocabulary.size() && !scores.empty());
  UnigramModel model;
  std::vector<ByteTrie::Entry> entries;
  for (TokenId id = 0; vocabulary.contains(id); ++id) {
    const std::string_view piece = vocabulary.piece(id);
    if (!std::isfinite(scores[static_cast<std::size_t>(id)]))
      return fail(ErrorCode::kInvalidFile, "the score of token {} is not a finite number", id);
    // Of two tokens with one spelling only the first can come out of a text.
    if (!isSpelling(vocabulary.type(id)) || vocabulary.find(piece) != id ||
        firstInvalidUtf8(piece) != std::string_view::npos)
      continue;
    if (piece.size() > kMaxPieceBytes) {
      return fail(ErrorCode::kInvalidFile, "token {} has {} bytes, more than the {} that are allowed", id,
                  piece.size(), kMaxPieceBytes);
    }
    entries.push_back({piece, id});
  }
  for (int byte = 0; byte < 256; ++byte) {
    const auto value = static_cast<std::uint8_t>(byte);
    const auto id = options.byte_fallback ? vocabulary.find(pieceOfByte(value)) : std::nullopt;
    model.byte_tokens_[value] = id.value_or(-1);
  }
  model.trie_ = ByteTrie(std::move(entries));
  model.unknown_score_ = *std::min_element(scores.begin(), scores.end()) - kUnknownPenalty;
  model.scores_ = std::move(scores);
  model.options_ = options;
  return model;
}

// Encodes one word. The lattice is kept only since the last place that every spelling passes.
class UnigramEncoder {
 public:
  UnigramEncoder(const UnigramModel& model, std::string_view word, std::vector<TokenId>& ids)
      : model_(model), word_(word), ids_(ids) {}

  Result<void> encode() {
    std::size_t at = 0;
    while (at < word_.size()) {
      extendFrom(at);
      at += codePointAt(word_, at).bytes;
      if (base_ + best_.size() == at + 1) TRY(emitUpTo(at));
    }
    return emitUnknown(word_.size());
  }

 private:
  // The best spelling that ends at a position, and its last token.
  struct Best {
    double score = 0;
    std::size_t begin = kNowhere;
    std::int32_t token = kUnknown;
  };
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

  void extendFrom(std::size_t at) {
    const double score = best_[at - base_].score;
    const std::size_t character = codePointAt(word_, at).bytes;
    bool spelled = false;
    model_.trie_.forEachPrefix(word_.substr(at), [&](ByteTrie::Match match) {
      offer(at, match.bytes, score + model_.scores_[static_cast<std::size_t>(match.value)], match.value);
      spelled = spelled || match.bytes == character;
    });
    if (!spelled) offer(at, character, score + model_.unknown_score_, kUnknown);
  }

  void offer(std::size_t at, std::size_t bytes, double score, std::int32_t token) {
    const std::size_t end = at + bytes - base_;
    if (best_.size() <= end) best_.resize(end + 1);
    if (best_[end].begin == kNowhere || score > best_[end].score) best_[end] = {score, at, token};
  }

  // Writes the best spelling of what lies between base_ and `end`, and goes on from there.
  Result<void> emitUpTo(std::size_t end) {
    path_.clear();
    for (std::size_t at = end; at > base_; at = best_[at - base_].begin) path_.push_back(best_[at - base_]);
    for (auto step = path_.rbegin(); step != path_.rend(); ++step) {
      if (step->token == kUnknown) {
        if (unknown_begin_ == kNowhere) unknown_begin_ = step->begin;
        continue;
      }
      TRY(emitUnknown(step->begin));
      ids_.push_back(step->token);
    }
    best_.assign(1, {best_[end - base_].score, end, kUnknown});
    base_ = end;
    return {};
  }

  // Writes the run of characters up to `end` that no token spells, if there is one.
  Result<void> emitUnknown(std::size_t end) {
    if (unknown_begin_ == kNowhere) return {};
    const std::string_view text = word_.substr(unknown_begin_, end - unknown_begin_);
    unknown_begin_ = kNowhere;
    const auto tokenOf = [&](char byte) { return model_.byte_tokens_[static_cast<std::uint8_t>(byte)]; };
    if (std::all_of(text.begin(), text.end(), [&](char byte) { return tokenOf(byte) >= 0; })) {
      for (const char byte : text) ids_.push_back(tokenOf(byte));
      return {};
    }
    if (!model_.options_.unknown) {
      return fail(ErrorCode::kUnsupported, "the tokenizer has no token for '{}' and none for unknown text",
                  quotable(text));
    }
    ids_.push_back(*model_.options_.unknown);
    return {};
  }

  const UnigramModel& model_;
  std::string_view word_;
  std::vector<TokenId>& ids_;
  std::size_t base_ = 0;
  std::vector<Best> best_ = std::vector<Best>(1);  // of base_ and what follows
  std::vector<Best> path_;
  std::size_t unknown_begin_ = kNowhere;
};

Result<void> UnigramModel::encode(const SplitText& split, std::vector<TokenId>& ids) const {
  for (const ByteRange& word : split.words) TRY(UnigramEncoder(*this, word.of(split.text), ids).encode());
  return {};
}

}  // namespace vitrine::core
