// Base64 (RFC 4648), as tokenizer.json embeds bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vitrine::core {

// nullopt: not base64. The padding may be left out.
std::optional<std::string> fromBase64(std::string_view text);

}  // namespace vitrine::core
