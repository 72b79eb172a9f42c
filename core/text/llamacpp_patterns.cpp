#include "core/text/llamacpp_patterns.h"

#include "core/text/unicode.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>

namespace vitrine::core {
namespace {

constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Parts of OpenAI's cl100k and o200k patterns, from which many later ones are put together.
constexpr std::string_view kContractions = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
constexpr std::string_view kWord = R"([^\r\n\p{L}\p{N}]?\p{L}+)";
constexpr std::string_view kSymbols = R"( ?[^\s\p{L}\p{N}]+[\r\n]*)";
constexpr std::string_view kSymbolsOrSlash = R"( ?[^\s\p{L}\p{N}]+[\r\n/]*)";
constexpr std::string_view kSpaces = R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kSpacesAndOneBreak = R"(\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kThreeNumbers = R"(\p{N}{1,3})";

constexpr std::string_view kDigit = R"(\p{N})";
constexpr std::string_view kThreeDigits = "[0-9][0-9][0-9]";
constexpr std::string_view kPunctuation = R"([\p{P}\$\+<=>\^~\|`]+)";
constexpr std::string_view kBloom = R"( ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+)";
constexpr std::string_view kHanAndHangul = R"([\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+)";
constexpr std::string_view kHanAndKana = R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)";
constexpr std::string_view kDeepSeekMarks =
    R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)";
constexpr std::string_view kDeepSeekV3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"
    R"(| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Cased letters of the scripts that DeepSeek's first vocabulary knows.
constexpr std::string_view kDeepSeekLetters =
    R"(\s?[)"
    R"(A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293})"
    R"(\x{295}-\x{2AF}\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A})"
    R"(\x{38C}\x{38E}-\x{3A1}\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556})"
    R"(\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF})"
    R"(\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D})"
    R"(\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D})"
    R"(\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC})"
    R"(\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC})"
    R"(\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128})"
    R"(\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}\x{2183})"
    R"(\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D})"
    R"(\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787}\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF})"
    R"(\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}\x{10400}-\x{1044F})"
    R"(\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2})"
    R"(\x{118A0}-\x{118DF}\x{1E900}-\x{1E943})"
    R"(]+)";

enum class Merges { kAlways, kUnlessToken };      // kUnlessToken: a word that is a token is taken as it is
enum class Beginning { kUnlessAsked, kDefault };  // kDefault: the beginning-of-text token is added

struct Row {
  std::vector<std::string> patterns;
  std::vector<std::string_view> names;
  Merges merges = Merges::kAlways;
  Beginning beginning = Beginning::kUnlessAsked;
};

// A word in which capitals come before small letters: "Hello", "HELLO", "NASAs".
std::string casedWords(std::string_view suffix) {
  constexpr std::string_view kLead = R"([^\r\n\p{L}\p{N}]?)";
  constexpr std::string_view kUpper = R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])";
  constexpr std::string_view kLower = R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])";
  return fmt::format("{0}{1}*{2}+{3}|{0}{1}+{2}*{3}", kLead, kUpper, kLower, suffix);
}

std::string anyOf(std::initializer_list<std::string_view> patterns) {
  return fmt::format("{}", fmt::join(patterns, "|"));
}

std::vector<Row> makeTable() {
  const std::string gpt2(kGpt2), digit(kDigit), bloom(kBloom), punctuation(kPunctuation),
      three_digits(kThreeDigits);
  const std::string llama3 = anyOf({kContractions, kWord, kThreeNumbers, kSymbols, kSpaces});
  return {
      {{punctuation, gpt2, R"(\p{N}+)", three_digits}, {"default"}},
      {{gpt2}, {"gpt-2",      "gpt2",       "phi-2",           "mpt",          "olmo",
                "jais",       "gigachat",   "a.x-4.0",         "mellum",       "modern-bert",
                "exaone4",    "trillion",   "granite-docling", "jina-es",      "jina-de",
                "jina-v1-en", "jina-v2-es", "jina-v2-de",      "jina-v2-code", "roberta-bpe"}},
      {{digit, gpt2},
       {"starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"}},
      {{punctuation, gpt2, three_digits}, {"falcon"}},
      {{llama3},
       {"llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
        "jina-v5-nano"},
       Merges::kUnlessToken,
       Beginning::kDefault},
      {{llama3}, {"dbrx", "smaug-bpe", "glm4", "chatglm-bpe"}},
      {{anyOf({kContractions, kWord, kDigit, kSymbols, kSpaces})},
       {"qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "solar-open",
        "grok-2"}},
      {{anyOf({kContractions, R"([^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+)", kDigit,
               R"( ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)", kSpaces})},
       {"qwen35"}},
      {{anyOf({casedWords(""), kDigit, kSymbolsOrSlash, kSpaces})},
       {"tekken"},
       Merges::kUnlessToken,
       Beginning::kDefault},
      {{anyOf({casedWords(std::string(kContractions) + "?"), kThreeNumbers, kSymbolsOrSlash, kSpaces})},
       {"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"}},
      {{anyOf({"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])", kWord, kDigit, kSymbols, kSpacesAndOneBreak})},
       {"bailingmoe", "bailingmoe2", "llada-moe"}},
      {{anyOf({kContractions, kWord, kDigit, R"( ?[^\s\p{L}\p{N}\r\n]+)", kSpaces})}, {"seed-coder"}},
      {{bloom}, {"bloom", "poro-chat", "gpt3-finnish"}},
      {{bloom, digit}, {"viking"}},
      {{R"([\r\n])", std::string(kDeepSeekLetters), std::string(kDeepSeekMarks), R"(\s+$)",
        std::string(kHanAndHangul), R"(\p{N}+)"},
       {"deepseek-llm"}},
      {{R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", std::string(kHanAndHangul), digit}, {"deepseek-coder"}},
      {{std::string(kThreeNumbers), std::string(kHanAndKana), std::string(kDeepSeekV3)},
       {"deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"}},
  };
}

}  // namespace

std::string_view gpt2Pattern() {
  return kGpt2;
}

Result<LlamaCppPreTokenizer> llamaCppPreTokenizer(std::string_view name) {
  static const std::vector<Row> kTable = makeTable();
  for (const Row& row : kTable) {
    if (std::find(row.names.begin(), row.names.end(), name) == row.names.end()) continue;
    LlamaCppPreTokenizer found;
    found.patterns = row.patterns;
    found.ignore_merges = row.merges == Merges::kUnlessToken;
    found.adds_beginning_of_text = row.beginning == Beginning::kDefault;
    return found;
  }
  return fail(ErrorCode::kUnsupported,
              "tokenizer.ggml.pre is '{}', which this version does not know: its words cannot be cut as the "
              "model expects",
              quotable(name));
}

}  // namespace vitrine::core
