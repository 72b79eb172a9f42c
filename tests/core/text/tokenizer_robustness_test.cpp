// Tokenizer files that lie: each mutation gives one clear error or a tokenizer that works, never a crash or a
// hang.
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_support.h"
#include "core/text/unicode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitrine::core {
namespace {

using test::Json;
using test::RandomText;
using ::testing::HasSubstr;

// The error must be one line that can be shown; the tokenizer must do its work.
void expectErrorOrWorking(const Result<std::shared_ptr<const Tokenizer>>& tokenizer,
                          const std::string& what) {
  if (!tokenizer) {
    const std::string message = tokenizer.error().describe();
    EXPECT_GT(message.size(), 10u) << what;
    EXPECT_LT(message.size(), 600u) << what;
    EXPECT_EQ(message.find('\n'), std::string::npos) << what << ": " << message;
    EXPECT_EQ(firstInvalidUtf8(message), std::string_view::npos) << what;
    return;
  }
  for (const std::string& text :
       {std::string("The old <|end|> clock\n 12345"), std::string("é東😀\0x", 11), std::string(300, 'a')}) {
    const auto ids = (*tokenizer)->encode(text);
    if (!ids) {
      EXPECT_FALSE(ids.error().message.empty());
      continue;
    }
    for (const TokenId id : *ids) {
      EXPECT_TRUE(id >= 0 && static_cast<std::size_t>(id) < (*tokenizer)->vocabSize()) << what;
      EXPECT_EQ(firstInvalidUtf8((*tokenizer)->display(id)), std::string_view::npos) << what;
    }
    EXPECT_EQ(firstInvalidUtf8((*tokenizer)->decode(*ids)), std::string_view::npos) << what;
  }
  for (const TokenId id : {-1, 0, 1 << 30}) EXPECT_LT((*tokenizer)->bytesOf(id).size(), 1u << 20);
  for (const TokenId id : (*tokenizer)->endOfText())
    EXPECT_LT(static_cast<std::size_t>(id), (*tokenizer)->vocabSize());
}

// Every value of a JSON document, the long lists thinned out.
void collect(Json& value, const std::string& path, std::vector<std::pair<std::string, Json*>>& out) {
  out.emplace_back(path, &value);
  if (!value.is_structured()) return;
  std::size_t index = 0;
  for (auto& [key, child] : value.items()) {
    if (index++ < 12 || index == value.size()) collect(child, path + "/" + key, out);
  }
}

std::vector<Json> replacements() {
  Json deep = 1;
  for (int i = 0; i < 200; ++i) deep = Json::array({std::move(deep)});
  return {nullptr,
          true,
          -1,
          0,
          1,
          258,
          4294967295u,
          1e300,
          18446744073709551615u,
          "",
          "x",
          " ",
          "\n",
          "(a+)+$",
          "[",
          "(a|a)*b",
          std::string(3000, 'y'),
          Json::array(),
          Json::object(),
          Json::array({"a", "b"}),
          Json{{"Regex", "(a+)+$"}},
          Json{{"Regex", "(((((a*)*)*)*)*)*c"}},
          Json{{"String", ""}},
          deep};
}

TEST(TokenizerJson, SurvivesEachFieldReplacedByEachKindOfValue) {
  int mutations = 0;
  for (const char* name :
       {"llama3", "llama2", "mistral", "folding", "unigram", "bert_cased", "bert", "roberta"}) {
    const Json original = Json::parse(test::tinyTokenizerText(name));
    std::size_t fields = 0;
    {
      Json copy = original;
      std::vector<std::pair<std::string, Json*>> all;
      collect(copy, "", all);
      fields = all.size();
    }
    RandomText random(3);
    const std::vector<Json> values = replacements();
    for (std::size_t field = 0; field < fields; ++field) {
      for (int round = 0; round < 3; ++round) {
        Json mutated = original;
        std::vector<std::pair<std::string, Json*>> all;
        collect(mutated, "", all);
        const Json& value =
            values[static_cast<std::size_t>(random.pick(0, static_cast<int>(values.size()) - 1))];
        const std::string what = std::string(name) + all[field].first + " = " + quotable(value.dump());
        *all[field].second = value;
        expectErrorOrWorking(Tokenizer::fromJson(mutated.dump()), what);
        ++mutations;
      }
    }
  }
  EXPECT_GT(mutations, 500);
}

TEST(TokenizerJson, SurvivesDamagedBytes) {
  const std::string original = test::tinyTokenizerText("llama3");
  RandomText random(5);
  const int last = static_cast<int>(original.size()) - 1;
  for (int round = 0; round < 300; ++round) {
    std::string damaged = original;
    if (round % 3 == 0) damaged.resize(static_cast<std::size_t>(random.pick(0, last)));
    for (int n = random.pick(1, 4); n > 0 && !damaged.empty(); --n) {
      damaged[static_cast<std::size_t>(random.pick(0, static_cast<int>(damaged.size()) - 1))] =
          static_cast<char>(random.pick(0, 255));
    }
    expectErrorOrWorking(Tokenizer::fromJson(damaged), "damaged bytes, round " + std::to_string(round));
  }
}

TEST(TokenizerJson, SurvivesNestingWithoutEnd) {
  for (const char* bracket : {"[", "{\"a\":", "{\"model\":["}) {
    std::string text;
    for (int i = 0; i < 200000; ++i) text += bracket;
    const auto tokenizer = Tokenizer::fromJson(text);
    ASSERT_FALSE(tokenizer);
    EXPECT_EQ(tokenizer.error().code, ErrorCode::kInvalidFile);
  }
  std::string nested = "1";
  for (int i = 0; i < 20000; ++i) nested = R"({"type":"Sequence","normalizers":[)" + nested + "]}";
  Json json = Json::parse(test::tinyTokenizerText("gpt2"));
  std::string text = json.dump();
  text.insert(1, "\"normalizer\":" + nested + ",");
  text.replace(text.find("\"normalizer\":null"), 17, "\"x\":null");
  EXPECT_THAT(Tokenizer::fromJson(text).error().describe(), HasSubstr("nested"));
}

TEST(TokenizerJson, NamesWhatIsWrong) {
  const auto errorOf = [](auto change, const char* name = "gpt2") {
    Json json = Json::parse(test::tinyTokenizerText(name));
    change(json);
    const auto tokenizer = Tokenizer::fromJson(json.dump());
    return tokenizer ? std::string("no error") : tokenizer.error().describe();
  };
  EXPECT_THAT(errorOf([](Json& j) { j["model"]["type"] = "Unigram"; }), HasSubstr("BPE only"));
  EXPECT_THAT(errorOf([](Json& j) { j["model"]["type"] = "WordLevel"; }), HasSubstr("WordLevel"));
  EXPECT_THAT(errorOf([](Json& j) { j["model"]["vocab"]["!"] = 1 << 30; }), HasSubstr("token '!'"));
  EXPECT_THAT(errorOf([](Json& j) { j["model"]["vocab"]["!"] = -3; }), HasSubstr("-3"));
  EXPECT_THAT(errorOf([](Json& j) { j["model"]["vocab"]["!"] = j["model"]["vocab"]["#"]; }),
              HasSubstr("is both"));
  EXPECT_THAT(errorOf([](Json& j) { j["model"]["merges"].push_back({"q", "☃"}); }), HasSubstr("no token"));
  EXPECT_THAT(errorOf([](Json& j) { j["model"]["merges"][3] = "nospace"; }), HasSubstr("merges[3]"));
  EXPECT_THAT(errorOf([](Json& j) { j["added_tokens"][0]["id"] = 5; }), HasSubstr("token id 5"));
  EXPECT_THAT(errorOf([](Json& j) { j["added_tokens"][0]["content"] = ""; }), HasSubstr("0 bytes"));
  EXPECT_THAT(errorOf([](Json& j) { j["pre_tokenizer"]["type"] = "Magic"; }), HasSubstr("Magic"));
  EXPECT_THAT(errorOf([](Json& j) { j["decoder"]["type"] = "WordPiece"; }), HasSubstr("WordPiece"));
  EXPECT_THAT(errorOf([](Json& j) {
                j["normalizer"] = {{"type", "Precompiled"}};
              }),
              HasSubstr("precompiled_charsmap"));
  EXPECT_THAT(errorOf([](Json& j) {
                j["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", "=?"}};
              }),
              HasSubstr("base64"));
  EXPECT_THAT(errorOf([](Json& j) { j["normalizer"] = {{"type", "Nmt"}}; }), HasSubstr("'Nmt'"));
  EXPECT_THAT(errorOf([](Json& j) {
                j["post_processor"] = {{"type", "Magic"}};
              }),
              HasSubstr("post-processor 'Magic'"));
  EXPECT_THAT(errorOf([](Json& j) { j["model"]["unk_id"] = 100000; }, "unigram"), HasSubstr("unk_id"));
  EXPECT_THAT(errorOf(
                  [](Json& j) {
                    j["model"]["vocab"][5] = {"a", "b"};
                  },
                  "unigram"),
              HasSubstr("vocab[5]"));
  EXPECT_THAT(errorOf([](Json& j) { j["model"]["unk_token"] = "[NO]"; }, "bert"), HasSubstr("[NO]"));
  EXPECT_THAT(errorOf([](Json& j) { j["model"]["max_input_chars_per_word"] = 0; }, "bert"),
              HasSubstr("max_input_chars_per_word"));
  EXPECT_THAT(errorOf([](Json& j) { j["model"]["continuing_subword_prefix"] = ""; }, "bert"),
              HasSubstr("continuing_subword_prefix"));
  EXPECT_THAT(
      errorOf([](Json& j) { j["post_processor"]["single"][0]["SpecialToken"]["id"] = "[NO]"; }, "bert"),
      HasSubstr("[NO]"));
  EXPECT_THAT(errorOf([](Json& j) { j["post_processor"]["cls"][1] = 100000; }, "bert_cased"),
              HasSubstr("cls"));
  EXPECT_THAT(errorOf([](Json& j) { j["pre_tokenizer"] = nullptr; }), HasSubstr("neither byte-level"));
  EXPECT_THAT(errorOf([](Json& j) { j["model"]["dropout"] = 0.1; }), HasSubstr("dropout"));
  EXPECT_THAT(errorOf([](Json& j) { j["model"]["end_of_word_suffix"] = "</w>"; }), HasSubstr("</w>"));
  EXPECT_THAT(errorOf(
                  [](Json& j) {
                    j["pre_tokenizer"]["pretokenizers"][0]["pattern"] = {{"Regex", "(a"}};
                  },
                  "llama3"),
              HasSubstr("'(a'"));
}

TEST(GgufTokenizer, SurvivesEachFieldReplacedByEachKindOfValue) {
  int mutations = 0;
  for (const Json& original : {test::byteLevelMetadata(), test::sentencePieceMetadata(),
                               test::unigramMetadata(), test::wordPieceMetadata(), test::rwkvMetadata()}) {
    const std::vector<Json> values = replacements();
    std::size_t fields = 0;
    {
      Json copy = original;
      std::vector<std::pair<std::string, Json*>> all;
      collect(copy, "", all);
      fields = all.size();
    }
    for (std::size_t field = 0; field < fields; ++field) {
      for (const Json& value : values) {
        Json mutated = original;
        std::vector<std::pair<std::string, Json*>> all;
        collect(mutated, "", all);
        const std::string what = all[field].first + " = " + quotable(value.dump());
        *all[field].second = value;
        expectErrorOrWorking(tokenizerFromGguf(mutated), what);
        ++mutations;
      }
    }
  }
  EXPECT_GT(mutations, 500);
}

// Offsets, labels and replacements that point anywhere.
TEST(GgufTokenizer, SurvivesADamagedCharsmap) {
  const Json original = test::unigramMetadata();
  RandomText random(7);
  for (int round = 0; round < 1000; ++round) {
    Json mutated = original;
    Json& bytes = mutated["tokenizer.ggml.precompiled_charsmap"];
    const int last = static_cast<int>(bytes.size()) - 1;
    for (int n = random.pick(1, 40); n > 0; --n)
      bytes[static_cast<std::size_t>(random.pick(round % 4 == 0 ? 0 : 4, last))] = random.pick(0, 255);
    const std::string what = "charsmap, round " + std::to_string(round);
    const auto tokenizer = tokenizerFromGguf(mutated);
    expectErrorOrWorking(tokenizer, what);
    if (tokenizer) {
      const auto ids = (*tokenizer)->encode(random.next());
      EXPECT_TRUE(ids || !ids.error().message.empty()) << what;
    }
  }
}

TEST(GgufTokenizer, NamesWhatIsWrong) {
  const auto errorOf = [](Json metadata, auto change) {
    change(metadata);
    const auto tokenizer = tokenizerFromGguf(metadata);
    return tokenizer ? std::string("no error") : tokenizer.error().describe();
  };
  const Json bytes = test::byteLevelMetadata(), pieces = test::sentencePieceMetadata();
  EXPECT_THAT(errorOf(bytes, [](Json& m) { m["tokenizer.ggml.model"] = "plamo2"; }), HasSubstr("plamo2"));
  EXPECT_THAT(errorOf(bytes, [](Json& m) { m["tokenizer.ggml.model"] = "bert"; }),
              HasSubstr("unknown token"));
  EXPECT_THAT(errorOf(bytes, [](Json& m) { m["tokenizer.ggml.model"] = "t5"; }), HasSubstr("scores"));
  EXPECT_THAT(
      errorOf(test::unigramMetadata(), [](Json& m) { m["tokenizer.ggml.precompiled_charsmap"][3] = 4711; }),
      HasSubstr("precompiled_charsmap[3]"));
  EXPECT_THAT(errorOf(test::unigramMetadata(), [](Json& m) { m["tokenizer.ggml.scores"][9] = 1e300; }),
              HasSubstr("token 9"));
  EXPECT_THAT(errorOf(test::rwkvMetadata(), [](Json& m) { m["tokenizer.ggml.tokens"][9] = "a\\x0"; }),
              HasSubstr("token 9"));
  EXPECT_THAT(errorOf(bytes, [](Json& m) { m.erase("tokenizer.ggml.model"); }), HasSubstr("no tokenizer"));
  EXPECT_THAT(errorOf(bytes, [](Json& m) { m["tokenizer.ggml.pre"] = "unheard-of"; }),
              HasSubstr("unheard-of"));
  EXPECT_THAT(errorOf(bytes, [](Json& m) { m["tokenizer.ggml.merges"][2] = "ab"; }), HasSubstr("merges[2]"));
  EXPECT_THAT(errorOf(bytes, [](Json& m) { m["tokenizer.ggml.merges"][2] = "q ☃"; }), HasSubstr("merge 2"));
  EXPECT_THAT(errorOf(bytes, [](Json& m) { m["tokenizer.ggml.tokens"][7] = 7; }), HasSubstr("tokens[7]"));
  EXPECT_THAT(errorOf(bytes, [](Json& m) { m["tokenizer.ggml.token_type"].push_back(1); }),
              HasSubstr("entries"));
  EXPECT_THAT(errorOf(bytes, [](Json& m) { m["tokenizer.ggml.eos_token_id"] = 100000; }),
              HasSubstr("eos_token_id"));
  EXPECT_THAT(errorOf(pieces, [](Json& m) { m["tokenizer.ggml.scores"].erase(0); }), HasSubstr("scores"));
  EXPECT_THAT(errorOf(pieces, [](Json& m) { m["tokenizer.ggml.scores"][9] = 1e300; }), HasSubstr("token 9"));
  EXPECT_THAT(errorOf(pieces, [](Json& m) { m["tokenizer.ggml.tokens"][300] = std::string(600, 'x'); }),
              HasSubstr("600"));
  // A file without "pre" is old, not wrong.
  EXPECT_EQ(errorOf(bytes, [](Json& m) { m.erase("tokenizer.ggml.pre"); }), "no error");
}

}  // namespace
}  // namespace vitrine::core
