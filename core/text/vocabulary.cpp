#include "core/text/vocabulary.h"

#include <fmt/format.h>

#include <charconv>

namespace vitrine::core {

void Vocabulary::set(TokenId id, std::string piece, TokenType type) {
  VITRINE_ASSERT(contains(id) && at(id).piece.empty());
  Token& token = tokens_[static_cast<std::size_t>(id)];
  token = {std::move(piece), type};
  if (!token.piece.empty()) index_.try_emplace(token.piece, id);
}

std::optional<TokenId> Vocabulary::find(std::string_view piece) const {
  const auto found = index_.find(piece);
  if (found == index_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::uint8_t> byteOfPiece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return std::nullopt;
  std::uint8_t byte = 0;
  const auto [end, error] = std::from_chars(piece.data() + 3, piece.data() + 5, byte, 16);
  if (error != std::errc() || end != piece.data() + 5) return std::nullopt;
  return byte;
}

std::string pieceOfByte(std::uint8_t byte) {
  return fmt::format("<0x{:02X}>", byte);
}

}  // namespace vitrine::core
