#include "core/text/pipeline_tokenizer.h"

#include "core/text/byte_alphabet.h"
#include "core/text/unicode.h"

#include <algorithm>

namespace vitrine::core {
namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{256}
                                      << 20;  // ICU counts in 32 bits, and normalization can grow a text

// How the models that we know spell the tokens that end a turn or a text.
constexpr std::string_view kEndings[] = {
    "<|eot_id|>",
    "<|eom_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<turn|>",
    "<end_of_utterance>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<eos>",
    "</s>",
    "<｜end▁of▁sentence｜>",
};

// What Hugging Face's WordPiece decoder puts close to the word before it.
bool joinsTheWordBefore(std::string_view text) {
  constexpr std::string_view kClose[] = {".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re"};
  return std::any_of(std::begin(kClose), std::end(kClose),
                     [&](std::string_view close) { return text.starts_with(close); });
}

std::string replacedAll(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = text.find(from); at != std::string_view::npos; at = text.find(from, copied)) {
    out += text.substr(copied, at - copied);
    out += to;
    copied = at + from.size();
  }
  out += text.substr(copied);
  return out;
}

Result<void> encodeWords(const BpeModel& model, const Vocabulary& vocabulary, const SplitText& split,
                         std::vector<TokenId>& ids) {
  BpeEncoder encoder(vocabulary, model, ids);
  for (const ByteRange& word : split.words) TRY(encoder.encode(word.of(split.text)));
  return {};
}

template <typename Model>
Result<void> encodeWords(const Model& model, const Vocabulary&, const SplitText& split,
                         std::vector<TokenId>& ids) {
  return model.encode(split, ids);
}

}  // namespace

std::vector<TokenId> endOfTextIds(const Vocabulary& vocabulary, std::vector<TokenId> ids) {
  // In OpenAI's harmony format "<|end|>" ends a message, and the generation goes on with the next.
  const bool harmony = vocabulary.find("<|return|>") && vocabulary.find("<|call|>");
  for (const std::string_view ending : kEndings) {
    const std::optional<TokenId> id = vocabulary.find(ending);
    if (!id || vocabulary.type(*id) != TokenType::kControl) continue;
    if (harmony && ending == "<|end|>") continue;
    ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

Result<std::shared_ptr<const Tokenizer>> PipelineTokenizer::create(PipelineTokenizerParts parts) {
  std::vector<AddedToken> raw, normalized;
  for (AddedToken& token : parts.added) {
    if (token.normalized) {
      TRY_ASSIGN(token.content, parts.normalizer.apply(token.content));
    }
    (token.normalized ? normalized : raw).push_back(std::move(token));
  }
  parts.added.clear();
  std::shared_ptr<PipelineTokenizer> tokenizer(new PipelineTokenizer(std::move(parts)));
  TRY_ASSIGN(tokenizer->raw_matcher_, AddedTokenMatcher::create(std::move(raw)));
  TRY_ASSIGN(tokenizer->normalized_matcher_, AddedTokenMatcher::create(std::move(normalized)));
  return tokenizer;
}

Result<std::vector<TokenId>> PipelineTokenizer::encode(std::string_view utf8, SpecialTokens special) const {
  if (utf8.size() > kMaxTextBytes) {
    return fail(ErrorCode::kInvalidArgument, "the text has {} bytes; at most {} can be tokenized at once",
                utf8.size(), kMaxTextBytes);
  }
  if (const std::size_t bad = firstInvalidUtf8(utf8); bad != std::string_view::npos) {
    return fail(ErrorCode::kInvalidArgument, "the text is not UTF-8: byte {} is 0x{:02X}", bad,
                static_cast<unsigned char>(utf8[bad]));
  }
  std::vector<TokenId> ids;
  for (const TextSegment& segment : raw_matcher_.split(utf8, special)) {
    if (segment.token) {
      ids.push_back(*segment.token);
    } else {
      const auto position = segment.range.begin == 0 ? FragmentPosition::kFirst : FragmentPosition::kLater;
      TRY(encodeFragment(segment.range.of(utf8), position, special, ids));
    }
  }
  return ids;
}

Result<void> PipelineTokenizer::encodeFragment(std::string_view text, FragmentPosition position,
                                               SpecialTokens special, std::vector<TokenId>& ids) const {
  TRY_ASSIGN(const std::string normalized, parts_.normalizer.apply(text));
  for (const TextSegment& segment : normalized_matcher_.split(normalized, special)) {
    if (segment.token) {
      ids.push_back(*segment.token);
    } else {
      TRY(encodeNormalized(std::string(segment.range.of(normalized)), position, ids));
    }
    position = FragmentPosition::kLater;
  }
  return {};
}

Result<void> PipelineTokenizer::encodeNormalized(std::string text, FragmentPosition position,
                                                 std::vector<TokenId>& ids) const {
  TRY_ASSIGN(const SplitText split, parts_.pre_tokenizer.apply(std::move(text), position));
  return std::visit([&](const auto& model) { return encodeWords(model, parts_.vocabulary, split, ids); },
                    parts_.model);
}

std::string PipelineTokenizer::bytesOf(TokenId id) const {
  const std::string_view piece = parts_.vocabulary.piece(id);
  switch (parts_.vocabulary.type(id)) {
    case TokenType::kControl:
    case TokenType::kUnknown:
      return "";
    case TokenType::kUserDefined:
      return parts_.spelling == Spelling::kWordPieces ? " " + std::string(piece) : std::string(piece);
    case TokenType::kByte:
      if (const auto byte = byteOfPiece(piece)) return std::string(1, static_cast<char>(*byte));
      return std::string(piece);
    default:
      break;
  }
  std::string bytes = spelledBytes(piece);
  const std::string_view text = bytes;
  if (parts_.joins_punctuation && text.starts_with(' ') && joinsTheWordBefore(text.substr(1)))
    bytes.erase(0, 1);
  return bytes;
}

std::string PipelineTokenizer::spelledBytes(std::string_view piece) const {
  switch (parts_.spelling) {
    case Spelling::kByteAlphabet:
      return fromByteAlphabet(piece).value_or(std::string(piece));
    case Spelling::kEscapes:
      return unescaped(piece).value_or(std::string(piece));
    case Spelling::kWordPieces:
      return piece.starts_with(parts_.mark) ? std::string(piece.substr(parts_.mark.size()))
                                            : " " + std::string(piece);
    case Spelling::kSpaceMarks:
      break;
  }
  return parts_.mark.empty() ? std::string(piece) : replacedAll(piece, parts_.mark, " ");
}

bool PipelineTokenizer::dummySpaceIsDue(std::optional<TokenId> previous, bool was_due) const {
  if (parts_.dummy_space == DummySpace::kNever) return false;
  if (!previous) return true;
  const TokenType type = parts_.vocabulary.type(*previous);
  // Control tokens in front of a text have no bytes: the text has not begun.
  if (parts_.dummy_space == DummySpace::kStart) return was_due && isControl(*previous);
  if (type != TokenType::kControl && type != TokenType::kUserDefined) return false;
  if (parts_.dummy_space == DummySpace::kEverySegment) return true;
  const std::vector<AddedToken>& later = normalized_matcher_.tokens();
  return std::none_of(later.begin(), later.end(),
                      [&](const AddedToken& token) { return token.id == *previous; });
}

bool PipelineTokenizer::isControl(TokenId id) const {
  const TokenType type = parts_.vocabulary.type(id);
  return parts_.vocabulary.contains(id) && (type == TokenType::kControl || type == TokenType::kUnknown);
}

}  // namespace vitrine::core
