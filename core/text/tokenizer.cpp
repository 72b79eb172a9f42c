#include "core/text/tokenizer.h"

#include "core/text/unicode.h"

#include <fmt/format.h>
#include <unicode/uchar.h>

namespace vitrine::core {
namespace {

std::string displayOf(CodePoint c, std::string_view bytes, bool leading) {
  if (!c.valid) {
    std::string out;
    for (const char byte : bytes) out += fmt::format("⟨{:02X}⟩", static_cast<unsigned char>(byte));
    return out;
  }
  if (c.value == ' ' && leading) return "·";
  if (c.value == '\n') return "⏎";
  if (c.value == '\t') return "⇥";
  const auto category = U_GET_GC_MASK(static_cast<UChar32>(c.value));
  const bool unseen =
      category & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CN_MASK | U_GC_CO_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK);
  if (unseen) return fmt::format("⟨U+{:04X}⟩", static_cast<unsigned>(c.value));
  // A mark without a letter gets the dotted circle to stand on.
  const bool bare_mark = leading && (category & (U_GC_MN_MASK | U_GC_ME_MASK | U_GC_MC_MASK)) != 0;
  return bare_mark ? "◌" + std::string(bytes) : std::string(bytes);
}

}  // namespace

Result<std::vector<TokenId>> Tokenizer::encodePrompt(std::string_view utf8) const {
  TRY_ASSIGN(std::vector<TokenId> ids, encode(utf8));
  ids.insert(ids.begin(), promptPrefix().begin(), promptPrefix().end());
  ids.insert(ids.end(), promptSuffix().begin(), promptSuffix().end());
  return ids;
}

bool Tokenizer::addsBeginningOfText() const {
  return !promptPrefix().empty() && promptPrefix().front() == beginningOfText();
}

std::string Tokenizer::decode(std::span<const TokenId> ids) const {
  const std::shared_ptr<const Tokenizer> unowned(std::shared_ptr<const Tokenizer>(), this);
  StreamingDetokenizer detokenizer(unowned);
  std::string text;
  for (const TokenId id : ids) text += detokenizer.push(id);
  return text + detokenizer.finish();
}

std::string Tokenizer::display(TokenId id) const {
  const std::string bytes = bytesOf(id);
  if (bytes.empty()) return std::string(piece(id));
  std::string out;
  bool leading = true;
  for (std::size_t at = 0; at < bytes.size();) {
    const CodePoint next = codePointAt(bytes, at);
    out += displayOf(next, std::string_view(bytes).substr(at, next.bytes), leading);
    leading = leading && next.value == ' ';
    at += next.bytes;
  }
  return out;
}

StreamingDetokenizer::StreamingDetokenizer(std::shared_ptr<const Tokenizer> tokenizer)
    : tokenizer_(std::move(tokenizer)), dummy_space_due_(tokenizer_->dummySpaceIsDue(std::nullopt, false)) {}

std::string StreamingDetokenizer::push(TokenId id) {
  const std::string bytes = tokenizer_->bytesOf(id);
  const bool drop_space = dummy_space_due_ && bytes.starts_with(' ');
  dummy_space_due_ = tokenizer_->dummySpaceIsDue(id, dummy_space_due_);
  pending_.append(bytes, drop_space ? 1 : 0);

  const std::size_t complete = pending_.size() - incompleteSuffix(pending_);
  std::string text = replaceInvalidUtf8(std::string_view(pending_).substr(0, complete));
  pending_.erase(0, complete);
  return text;
}

std::string StreamingDetokenizer::finish() {
  std::string text = replaceInvalidUtf8(pending_);
  pending_.clear();
  return text;
}

}  // namespace vitrine::core
