#include "core/text/tokenizer_support.h"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

namespace vitrine::test {

namespace {

// The vocabulary of a small tokenizer.json in the order of its ids.
std::vector<std::string> tinyPieces(const Json& tokenizer) {
  std::map<TokenId, std::string> by_id;
  for (const auto& [piece, id] : tokenizer["model"]["vocab"].items()) by_id[id.get<TokenId>()] = piece;
  std::vector<std::string> pieces;
  for (const auto& [id, piece] : by_id) pieces.push_back(piece);
  return pieces;
}

}  // namespace

std::string readText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string tinyTokenizerText(const std::string& name) {
  return readText(testData("tokenizers") / (name + ".json"));
}

std::shared_ptr<const Tokenizer> tinyTokenizer(const std::string& name) {
  auto tokenizer = Tokenizer::fromJson(tinyTokenizerText(name));
  EXPECT_TRUE(tokenizer) << name << ": " << (tokenizer ? "" : tokenizer.error().describe());
  return tokenizer ? *tokenizer : nullptr;
}

Json byteLevelMetadata() {
  const Json tokenizer = Json::parse(tinyTokenizerText("gpt2"));
  std::vector<std::string> pieces = tinyPieces(tokenizer);
  std::vector<int> types(pieces.size(), 1);
  for (const auto& [piece, type] : {std::pair("<|endoftext|>", 3), {"<|im_end|>", 3}, {"<tool>", 4}}) {
    pieces.emplace_back(piece);
    types.push_back(type);
  }
  Json merges = Json::array();
  for (const Json& merge : tokenizer["model"]["merges"]) {
    merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  }
  return {{"tokenizer.ggml.model", "gpt2"},
          {"tokenizer.ggml.pre", "gpt-2"},
          {"tokenizer.ggml.tokens", pieces},
          {"tokenizer.ggml.token_type", types},
          {"tokenizer.ggml.merges", merges},
          {"tokenizer.ggml.eos_token_id", pieces.size() - 3},
          {"tokenizer.ggml.bos_token_id", pieces.size() - 3}};
}

Json sentencePieceMetadata() {
  const std::vector<std::string> pieces = tinyPieces(Json::parse(tinyTokenizerText("llama2")));
  std::vector<int> types;
  std::vector<float> scores;
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    types.push_back(id == 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1);
    scores.push_back(id < 259 ? 0.0f : -static_cast<float>(id - 259));
  }
  return {{"tokenizer.ggml.model", "llama"},     {"tokenizer.ggml.tokens", pieces},
          {"tokenizer.ggml.token_type", types},  {"tokenizer.ggml.scores", scores},
          {"tokenizer.ggml.bos_token_id", 1},    {"tokenizer.ggml.eos_token_id", 2},
          {"tokenizer.ggml.unknown_token_id", 0}};
}

Json unigramMetadata(const std::string& name) {
  return Json::parse(readText(testData("tokenizers/sentencepiece.json")))[name]["metadata"];
}

Json wordPieceMetadata() {
  std::vector<std::string> pieces = tinyPieces(Json::parse(tinyTokenizerText("bert")));
  std::vector<int> types;
  for (std::string& piece : pieces) {
    const bool control = piece.starts_with('[') && piece.ends_with(']') && piece.size() > 2;
    types.push_back(control ? 3 : 1);
    if (!control) piece = piece.starts_with("##") ? piece.substr(2) : "▁" + piece;
  }
  return {{"tokenizer.ggml.model", "bert"},       {"tokenizer.ggml.tokens", pieces},
          {"tokenizer.ggml.token_type", types},   {"tokenizer.ggml.unknown_token_id", 1},
          {"tokenizer.ggml.cls_token_id", 2},     {"tokenizer.ggml.seperator_token_id", 3},
          {"tokenizer.ggml.padding_token_id", 0}, {"tokenizer.ggml.mask_token_id", -1}};
}

Json rwkvMetadata() {
  std::vector<std::string> pieces{"<s>"};
  for (int byte = 0; byte < 256; ++byte) {
    char spelled[8];
    const bool plain = byte >= 0x20 && byte < 0x7F && byte != '\\';
    std::snprintf(spelled, sizeof spelled, plain ? "%c" : byte == '\\' ? "\\%c" : "\\x%02x", byte);
    pieces.emplace_back(byte == '\n' ? "\\n" : byte == '\t' ? "\\t" : byte == '\r' ? "\\r" : spelled);
  }
  for (const char* piece : {"\\n\\n", " the", " the old", "The", "clock", "lock", "ck\\\\", "it\\'s \"",
                            "\\xe6\\x9d\\xb1", "\\xc3", "\\xa9 "}) {
    pieces.emplace_back(piece);
  }
  std::vector<int> types(pieces.size(), 1);
  types[0] = 3;
  return {{"tokenizer.ggml.model", "rwkv"},
          {"tokenizer.ggml.tokens", pieces},
          {"tokenizer.ggml.token_type", types},
          {"tokenizer.ggml.eot_token_id", 257}};
}

}  // namespace vitrine::test
