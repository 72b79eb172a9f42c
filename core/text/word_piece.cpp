#include "core/text/word_piece.h"

#include "core/text/unicode.h"

namespace vitrine::core {
namespace {

std::size_t countCharacters(std::string_view utf8) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < utf8.size(); at += codePointAt(utf8, at).bytes) ++count;
  return count;
}

}  // namespace

WordPieceModel::WordPieceModel(const Vocabulary& vocabulary, WordPieceOptions options)
    : options_(std::move(options)) {
  const std::string& mark = options_.word_prefix.empty() ? options_.continuing_prefix : options_.word_prefix;
  VITRINE_ASSERT(!mark.empty());
  std::vector<ByteTrie::Entry> marked, plain;
  for (TokenId id = 0; vocabulary.contains(id); ++id) {
    const TokenType type = vocabulary.type(id);
    const bool cut_out = type == TokenType::kUserDefined;  // of the text, before words are looked at
    if (cut_out || type == TokenType::kControl || type == TokenType::kUnknown) continue;
    const std::string_view piece = vocabulary.piece(id);
    if (piece.starts_with(mark)) {
      marked.push_back({piece.substr(mark.size()), id});
    } else {
      plain.push_back({piece, id});
    }
  }
  const bool begins = !options_.word_prefix.empty();
  beginnings_ = ByteTrie(begins ? std::move(marked) : std::move(plain));
  continuations_ = ByteTrie(begins ? std::move(plain) : std::move(marked));
}

bool WordPieceModel::encodeWord(std::string_view word, std::vector<TokenId>& ids) const {
  const std::size_t limit = options_.max_word_characters;
  if (limit > 0 && word.size() > limit && countCharacters(word) > limit) return false;
  for (std::size_t at = 0; at < word.size();) {
    const ByteTrie& trie = at == 0 ? beginnings_ : continuations_;
    const ByteTrie::Match longest = trie.longestPrefix(word.substr(at));
    if (longest.value < 0) return false;
    ids.push_back(longest.value);
    at += longest.bytes;
  }
  return true;
}

Result<void> WordPieceModel::encode(const SplitText& split, std::vector<TokenId>& ids) const {
  for (const ByteRange& word : split.words) {
    const std::size_t before = ids.size();
    if (encodeWord(word.of(split.text), ids)) continue;
    ids.resize(before);
    ids.push_back(options_.unknown);
  }
  return {};
}

}  // namespace vitrine::core
