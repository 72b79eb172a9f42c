#include "core/text/chat_template.h"

#include "core/text/json_fields.h"
#include "core/text/tokenizer.h"
#include "core/text/unicode.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace vitrine::core {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// A line break in a Jinja string may be written "\n".
std::string withLineBreaks(std::string_view jinja) {
  std::string out;
  for (std::size_t at = 0; at < jinja.size(); ++at) {
    const bool escaped = jinja.substr(at, 2) == "\\n";
    out += escaped ? '\n' : jinja[at];
    at += escaped ? 1 : 0;
  }
  return out;
}

// ChatML: what the template itself writes as the system's message, such as "You are a helpful assistant".
std::optional<std::string> writtenSystem(std::string_view text) {
  constexpr std::string_view kBegin = "<|im_start|>system\n", kEnd = "<|im_end|>";
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at + 1)) {
    const std::string_view rest = text.substr(at + kBegin.size());
    const std::string_view message = rest.substr(0, rest.find(kEnd));
    // Where the string ends first the message is put together from variables.
    if (message.size() < rest.size() && !message.empty() &&
        message.find_first_of("'\"{}") == std::string_view::npos)
      return std::string(message);
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kSpaces);
  return begin == std::string_view::npos ? ""
                                         : text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

std::string_view nameOf(ChatRole role) {
  return role == ChatRole::kSystem ? "system" : role == ChatRole::kUser ? "user" : "assistant";
}

Result<void> checkTurns(std::span<const ChatMessage> messages) {
  const bool system = !messages.empty() && messages[0].role == ChatRole::kSystem;
  const std::span<const ChatMessage> turns = messages.subspan(system ? 1 : 0);
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const ChatRole expected = i % 2 == 0 ? ChatRole::kUser : ChatRole::kAssistant;
    if (turns[i].role != expected)
      return fail(ErrorCode::kInvalidArgument, "message {} of the chat must be the {}'s, found the {}'s",
                  i + 1, nameOf(expected), nameOf(turns[i].role));
  }
  if (turns.size() % 2 == 0)
    return fail(ErrorCode::kInvalidArgument, "the last message of a chat must be the user's");
  return {};
}

// "chat_template": a text, or a list of them with names.
Result<std::string> templateOf(const Json& config) {
  const Json* field = findField(config, "chat_template");
  if (field != nullptr && field->is_array()) {
    for (const Json& entry : *field) {
      TRY_ASSIGN(const std::string name, stringOr(entry, "name", ""));
      if (name == "default") return requireString(entry, "template");
    }
    field = nullptr;
  }
  if (field == nullptr) return fail(ErrorCode::kNotFound, "the model has no chat template");
  return requireString(config, "chat_template");
}

Result<std::string> findTemplate(const Checkpoint& checkpoint) {
  constexpr std::string_view kGgufKey = "tokenizer.chat_template";
  if (checkpoint.format() == CheckpointFormat::kGguf) {
    if (findField(checkpoint.metadata(), kGgufKey) == nullptr)
      return fail(ErrorCode::kNotFound, "the model has no chat template");
    return requireString(checkpoint.metadata(), kGgufKey);
  }
  Result<std::string> jinja = checkpoint.readSidecar("chat_template.jinja");
  if (jinja || jinja.error().code != ErrorCode::kNotFound) return jinja;
  const Result<std::string> config = checkpoint.readSidecar("tokenizer_config.json");
  if (!config && config.error().code == ErrorCode::kNotFound)
    return fail(ErrorCode::kNotFound, "the model has no chat template");
  if (!config) return config;
  const Json parsed = Json::parse(*config, nullptr, false);
  if (parsed.is_discarded()) return fail(ErrorCode::kInvalidFile, "tokenizer_config.json is not JSON");
  return templateOf(parsed);
}

}  // namespace

Result<ChatTemplate> ChatTemplate::recognize(std::string_view jinja) {
  const std::string text = withLineBreaks(jinja);
  ChatTemplate made;
  made.begins_ = has(text, "bos_token");
  if (has(text, "<|im_start|>") && has(text, "<|im_end|>") && !has(text, "<|im_sep|>")) {
    made.family_ = Family::kChatMl;
    made.default_system_ = writtenSystem(text);
  } else if (has(text, "<|start_header_id|>") && has(text, "<|eot_id|>")) {
    made.family_ = Family::kLlama3;
    made.dates_ = has(text, "Cutting Knowledge Date");
    made.begins_ = true;  // some write "<|begin_of_text|>" themselves
  } else if (has(text, "<start_of_turn>") && has(text, "<end_of_turn>")) {
    made.family_ = Family::kGemma;
    made.takes_system_ = !has(text, "System role not supported");
  } else if (has(text, "[INST]") && has(text, "<<SYS>>")) {
    made.family_ = Family::kLlama2;
  } else if (has(text, "[INST]") && has(text, "[/INST]") && !has(text, "[SYSTEM_PROMPT]")) {
    made.family_ = Family::kMistral;
    made.spaces_end_ = has(text, " [/INST]");
    made.takes_system_ = has(text, "system");
  } else if (has(text, "<|user|>") && has(text, "<|assistant|>") && has(text, "<|end|>")) {
    made.family_ = Family::kPhi3;
    made.breaks_lines_ = has(text, "<|user|>\n") || has(text, "|>\n") || has(text, "|>' + '\n");
  } else if (has(text, "<|user|>\n") && has(text, "<|assistant|>") && has(text, "eos_token")) {
    made.family_ = Family::kZephyr;
    made.begins_ = false;
  } else {
    return fail(
        ErrorCode::kUnsupported,
        "the chat template that begins '{}' is not recognized; known are those of ChatML, Llama 2, Llama 3, "
        "Mistral, Gemma, Phi-3 and Zephyr: write the model's marks into the prompt yourself",
        quotable(trimmed(text)));
  }
  return made;
}

Result<ChatTemplate> ChatTemplate::fromCheckpoint(const Checkpoint& checkpoint) {
  auto found = findTemplate(checkpoint);
  auto made = found ? recognize(*found) : Result<ChatTemplate>(tl::unexpected(found.error()));
  if (!made) return within(checkpoint.displayName(), std::move(made).error());
  return made;
}

std::string_view ChatTemplate::family() const {
  constexpr std::string_view kNames[] = {"ChatML", "Llama 2", "Llama 3", "Mistral",
                                         "Gemma",  "Phi-3",   "Zephyr"};
  return kNames[static_cast<std::size_t>(family_)];
}

Result<std::string> ChatTemplate::apply(std::span<const ChatMessage> messages,
                                        const Tokenizer& tokenizer) const {
  TRY(checkTurns(messages));
  const bool system = messages[0].role == ChatRole::kSystem;
  if (system && !takes_system_)
    return fail(ErrorCode::kUnsupported, "the model's chat template ({}) has no place for a system message",
                family());
  Ends ends;
  if (const auto id = tokenizer.beginningOfText()) ends.beginning = tokenizer.piece(*id);
  const std::vector<TokenId> ids = tokenizer.endOfText();
  const auto spelledEnd = [&](TokenId id) { return tokenizer.piece(id) == "</s>"; };
  const auto end = std::find_if(ids.begin(), ids.end(), spelledEnd);
  if (end != ids.end() || !ids.empty()) ends.end = tokenizer.piece(end != ids.end() ? *end : ids.front());

  std::vector<ChatMessage> all(messages.begin(), messages.end());
  if (!system && default_system_) all.insert(all.begin(), {ChatRole::kSystem, *default_system_});
  const bool instructs = family_ == Family::kLlama2 || family_ == Family::kMistral;
  return instructs ? instructed(all, ends) : marked(all, ends);
}

// Each message between marks that name its role.
std::string ChatTemplate::marked(std::span<const ChatMessage> messages, const Ends& ends) const {
  std::string out = begins_ ? ends.beginning : "";
  std::string system;  // what Gemma puts before the first user's message, and Llama 3.1 after its dates
  if (messages[0].role == ChatRole::kSystem && (family_ == Family::kGemma || dates_)) {
    system = dates_ ? std::string(trimmed(messages[0].content)) : messages[0].content + "\n\n";
    messages = messages.subspan(1);
  }
  if (dates_) {  // the template's own date, where it is given none
    out +=
        "<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
        "Today Date: 26 Jul 2024\n\n" +
        system + "<|eot_id|>";
    system.clear();
  }
  const auto open = [&](std::string_view role) -> std::string {
    switch (family_) {
      case Family::kChatMl:
        return fmt::format("<|im_start|>{}\n", role);
      case Family::kLlama3:
        return fmt::format("<|start_header_id|>{}<|end_header_id|>\n\n", role);
      case Family::kGemma:
        return fmt::format("<start_of_turn>{}\n", role == "assistant" ? "model" : role);
      default:
        return fmt::format("<|{}|>{}", role, breaks_lines_ ? "\n" : "");
    }
  };
  const std::string close = family_ == Family::kChatMl   ? "<|im_end|>\n"
                            : family_ == Family::kLlama3 ? "<|eot_id|>"
                            : family_ == Family::kGemma  ? "<end_of_turn>\n"
                            : family_ == Family::kPhi3   ? (breaks_lines_ ? "<|end|>\n" : "<|end|>")
                                                         : ends.end + "\n";
  const bool trims = family_ == Family::kLlama3 || family_ == Family::kGemma;
  for (const ChatMessage& message : messages) {
    out += open(nameOf(message.role)) + std::exchange(system, "");
    out += trims ? trimmed(message.content) : std::string_view(message.content);
    out += close;
  }
  return out + open("assistant");
}

// Llama 2 and Mistral: "[INST] question [/INST] answer</s>".
std::string ChatTemplate::instructed(std::span<const ChatMessage> messages, const Ends& ends) const {
  const bool llama = family_ == Family::kLlama2;
  std::string system;
  if (messages[0].role == ChatRole::kSystem) {
    system = llama ? "<<SYS>>\n" + messages[0].content + "\n<</SYS>>\n\n" : messages[0].content + "\n\n";
    messages = messages.subspan(1);
  }
  std::string out = llama ? "" : ends.beginning;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string& content = messages[i].content;
    if (messages[i].role == ChatRole::kAssistant) {
      out += llama ? fmt::format(" {} {}", trimmed(content), ends.end)
                   : fmt::format("{}{}{}", spaces_end_ ? "" : " ", content, ends.end);
      continue;
    }
    const bool with_system =
        llama ? i == 0 : i + 1 == messages.size();  // Mistral's stands in the last question
    const std::string question = (with_system ? system : "") + content;
    if (llama) {
      out += fmt::format("{}[INST] {} [/INST]", ends.beginning, trimmed(question));
    } else {
      out += fmt::format("[INST] {}{}[/INST]", question, spaces_end_ ? " " : "");
    }
  }
  return out;
}

}  // namespace vitrine::core
