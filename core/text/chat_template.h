// The prompt that a chat model was trained on: its turns with the marks between them. Chat templates are
// Jinja programs; Debian has no Jinja for C++, and few models have a form of their own, so the form is
// recognized by its marks.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/checkpoint/checkpoint.h"
#include "gpu/error.h"

namespace vitrine::core {

class Tokenizer;

enum class ChatRole { kSystem, kUser, kAssistant };

struct ChatMessage {
  ChatRole role = ChatRole::kUser;
  std::string content;
};

class ChatTemplate {
 public:
  // kUnsupported shows the beginning of a template whose form is not known.
  static Result<ChatTemplate> recognize(std::string_view jinja);
  // GGUF's tokenizer.chat_template; chat_template.jinja or tokenizer_config.json beside safetensors.
  // kNotFound where the model has none.
  static Result<ChatTemplate> fromCheckpoint(const Checkpoint& checkpoint);

  std::string_view family() const;  // "ChatML", "Llama 3": for display

  // The text up to where the assistant's answer begins; Tokenizer::encode, not encodePrompt, makes ids of it:
  // the template itself says where the beginning-of-text token stands. At most one system message, the first;
  // then user and assistant take turns, and a user's message is last. kUnsupported where the form has no
  // place for a system message.
  Result<std::string> apply(std::span<const ChatMessage> messages, const Tokenizer& tokenizer) const;

 private:
  enum class Family { kChatMl, kLlama2, kLlama3, kMistral, kGemma, kPhi3, kZephyr };
  struct Ends {
    std::string beginning, end;  // the spelled tokens
  };

  std::string marked(std::span<const ChatMessage> messages, const Ends& ends) const;
  std::string instructed(std::span<const ChatMessage> messages, const Ends& ends) const;

  Family family_ = Family::kChatMl;
  bool begins_ = false;  // with the beginning-of-text token
  bool takes_system_ = true;
  bool breaks_lines_ = true;                   // Phi-3: between a mark and the message
  bool spaces_end_ = true;                     // Mistral: before "[/INST]"
  bool dates_ = false;                         // Llama 3.1: a system message with dates, always
  std::optional<std::string> default_system_;  // where there is no system message
};

}  // namespace vitrine::core
