// Chat templates by the texts that they make.
#include "core/text/chat_template.h"
#include "core/text/tokenizer_support.h"
#include "support/scratch_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fstream>

namespace vitrine::core {
namespace {

using test::Json;
using ::testing::HasSubstr;
using Role = ChatRole;

const std::vector<ChatMessage> kQuestion = {{Role::kUser, " Hi? "}};
const std::vector<ChatMessage> kChat = {
    {Role::kSystem, "Be brief."}, {Role::kUser, "Hi"}, {Role::kAssistant, "Hello"}, {Role::kUser, "Who?"}};

// Spells its beginning "<s>" and its end "</s>".
std::shared_ptr<const Tokenizer> tokenizer() {
  return tokenizerFromGguf(test::sentencePieceMetadata()).value();
}

std::string applied(std::string_view jinja, const std::vector<ChatMessage>& messages,
                    std::string_view family) {
  const auto made = ChatTemplate::recognize(jinja);
  EXPECT_TRUE(made) << made.error().describe();
  EXPECT_EQ(made->family(), family);
  const auto text = made->apply(messages, *tokenizer());
  return text ? *text : text.error().describe();
}

TEST(ChatTemplate, ChatMlWithAndWithoutASystemMessageOfItsOwn) {
  constexpr const char* kBare =
      R"({% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}})"
      R"({% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %})";
  EXPECT_EQ(applied(kBare, kQuestion, "ChatML"),
            "<|im_start|>user\n Hi? <|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(applied(kBare, kChat, "ChatML"),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
            "Hello<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\n");
  // Once with the escape, once with a line break as a JSON file gives it.
  for (const std::string line : {"\\n", "\n"}) {
    const std::string with_system = "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system" + line +
                                    "You are a helpful assistant.<|im_end|>" + line + "' }}{% endif %}" +
                                    kBare;
    EXPECT_EQ(
        applied(with_system, kQuestion, "ChatML"),
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n Hi? <|im_end|>\n"
        "<|im_start|>assistant\n");
    EXPECT_EQ(applied(with_system, kChat, "ChatML"), applied(kBare, kChat, "ChatML"));
  }
}

TEST(ChatTemplate, Llama2) {
  constexpr const char* kTemplate =
      R"({{ '<<SYS>>\n' + system_message + '\n<</SYS>>\n\n' }}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }})"
      R"({{ ' ' + content.strip() + ' ' + eos_token }})";
  EXPECT_EQ(applied(kTemplate, kQuestion, "Llama 2"), "<s>[INST] Hi? [/INST]");
  EXPECT_EQ(applied(kTemplate, kChat, "Llama 2"),
            "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello </s><s>[INST] Who? [/INST]");
}

TEST(ChatTemplate, Llama3WithAndWithoutDates) {
  constexpr const char* kTemplate =
      R"({% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim)"
      R"( + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %})";
  EXPECT_EQ(applied(kTemplate, kQuestion, "Llama 3"),
            "<s><|start_header_id|>user<|end_header_id|>\n\nHi?<|eot_id|><|start_header_id|>assistant<|end_"
            "header_id|>"
            "\n\n");
  const std::string dated = std::string(kTemplate) + R"({{- "Cutting Knowledge Date: December 2023\n" }})";
  EXPECT_EQ(applied(dated, kQuestion, "Llama 3"),
            "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday "
            "Date: 26 Jul "
            "2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi?<|eot_id|><|start_header_id|>"
            "assistant"
            "<|end_header_id|>\n\n");
  EXPECT_THAT(applied(dated, kChat, "Llama 3"),
              HasSubstr("26 Jul 2024\n\nBe brief.<|eot_id|><|start_header_id|>user"));
}

TEST(ChatTemplate, MistralOldAndNew) {
  constexpr const char* kOld =
      R"({{ bos_token }}{{ '[INST] ' + message['content'] + ' [/INST]' }}{{ message['content'] + eos_token }})";
  EXPECT_EQ(applied(kOld, kQuestion, "Mistral"), "<s>[INST]  Hi?  [/INST]");
  EXPECT_THAT(applied(kOld, kChat, "Mistral"), HasSubstr("no place for a system message"));
  constexpr const char* kNew =
      R"({% if messages[0]["role"] == "system" %}{{ bos_token }}{{ "[INST] " + system_message + "\n\n" + content + "[/INST]" }})"
      R"({{ " " + content + eos_token }})";
  EXPECT_EQ(applied(kNew, kChat, "Mistral"), "<s>[INST] Hi[/INST] Hello</s>[INST] Be brief.\n\nWho?[/INST]");
}

TEST(ChatTemplate, Gemma) {
  constexpr const char* kThird =
      R"({{ bos_token }}{{ '<start_of_turn>' + role + '\n' }}{{ content | trim }}{{ '<end_of_turn>\n' }})";
  EXPECT_EQ(applied(kThird, kQuestion, "Gemma"),
            "<s><start_of_turn>user\nHi?<end_of_turn>\n<start_of_turn>model\n");
  EXPECT_EQ(applied(kThird, kChat, "Gemma"),
            "<s><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\nHello<end_of_turn>\n"
            "<start_of_turn>user\nWho?<end_of_turn>\n<start_of_turn>model\n");
  const std::string second = std::string(kThird) + "{{ raise_exception('System role not supported') }}";
  EXPECT_THAT(applied(second, kChat, "Gemma"), HasSubstr("no place for a system message"));
}

TEST(ChatTemplate, Phi3AndZephyr) {
  constexpr const char* kPhi =
      R"({% if message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{{ '<|assistant|>\n' }})";
  EXPECT_EQ(applied(kPhi, kQuestion, "Phi-3"), "<|user|>\n Hi? <|end|>\n<|assistant|>\n");
  EXPECT_EQ(applied(kPhi, kChat, "Phi-3"),
            "<|system|>\nBe "
            "brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nHello<|end|>\n<|user|>\nWho?<|end|>\n"
            "<|assistant|>\n");
  constexpr const char* kZephyr =
      R"({{ '<|user|>\n' + message['content'] + eos_token }}{{ '<|system|>\n' }}{{ '<|assistant|>' }})";
  EXPECT_EQ(applied(kZephyr, kQuestion, "Zephyr"), "<|user|>\n Hi? </s>\n<|assistant|>\n");
  EXPECT_EQ(applied(kZephyr, kChat, "Zephyr"),
            "<|system|>\nBe "
            "brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\nHello</s>\n<|user|>\nWho?</s>\n<|assistant|>\n");
}

TEST(ChatTemplate, SaysWhatItDoesNotRecognize) {
  const auto unknown = ChatTemplate::recognize("{{ 'Human: ' + message }}\n{% endfor %}");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(unknown.error().message, HasSubstr("{{ 'Human: ' + message }}"));
  EXPECT_FALSE(ChatTemplate::recognize(""));
  EXPECT_FALSE(ChatTemplate::recognize("<|im_start|>user<|im_sep|>x<|im_end|>"));  // Phi-4
  const auto made = ChatTemplate::recognize("<|im_start|><|im_end|>");
  for (const std::vector<ChatMessage>& wrong :
       std::vector<std::vector<ChatMessage>>{{},
                                             {{Role::kSystem, "a"}},
                                             {{Role::kAssistant, "a"}},
                                             {{Role::kUser, "a"}, {Role::kUser, "b"}},
                                             {{Role::kUser, "a"}, {Role::kAssistant, "b"}}}) {
    const auto text = made->apply(wrong, *tokenizer());
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(ChatTemplate, IsFoundInGguf) {
  VITRINE_SHARED_OR_SKIP(path, "models/smollm2-135m-instruct/model-q4_1.gguf");
  const auto checkpoint = Checkpoint::open(path);
  ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
  const auto made = ChatTemplate::fromCheckpoint(**checkpoint);
  ASSERT_TRUE(made) << made.error().describe();
  const auto own = Tokenizer::fromCheckpoint(**checkpoint);
  ASSERT_TRUE(own) << own.error().describe();
  const std::string text = made->apply(kQuestion, **own).value();
  EXPECT_EQ(
      text,
      "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
      "<|im_start|>user\n Hi? <|im_end|>\n<|im_start|>assistant\n");
  const std::vector<TokenId> ids = (*own)->encode(text).value();
  EXPECT_EQ((*own)->piece(ids.front()), "<|im_start|>");
}

TEST(ChatTemplate, IsFoundBesideSafetensors) {
  const test::ScratchFolder folder;
  const std::string header = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  std::ofstream(folder / "model.safetensors", std::ios::binary)
      << static_cast<char>(header.size()) << std::string(7, '\0') << header << std::string(4, '\0');
  const auto found = [&] { return ChatTemplate::fromCheckpoint(*Checkpoint::open(folder.path()).value()); };
  EXPECT_EQ(found().error().code, ErrorCode::kNotFound);
  const auto write = [&](const char* name, const std::string& text) { std::ofstream(folder / name) << text; };
  write("tokenizer_config.json", "{");
  EXPECT_EQ(found().error().code, ErrorCode::kInvalidFile);
  write("tokenizer_config.json", "{}");
  EXPECT_EQ(found().error().code, ErrorCode::kNotFound);
  write("tokenizer_config.json", R"({"chat_template":"<start_of_turn><end_of_turn>"})");
  EXPECT_EQ(found()->family(), "Gemma");
  write("tokenizer_config.json", R"({"chat_template":[{"name":"rag","template":"x"},
      {"name":"default","template":"<|im_start|><|im_end|>"}]})");
  EXPECT_EQ(found()->family(), "ChatML");
  write("chat_template.jinja", "[INST] <<SYS>>");
  EXPECT_EQ(found()->family(), "Llama 2");
}

}  // namespace
}  // namespace vitrine::core
