// How the words of a byte-level BPE vocabulary in a GGUF are cut: tokenizer.ggml.pre names it, llama.cpp's
// table of names (src/llama-vocab.cpp) gives it its meaning.
#pragma once

#include "gpu/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace vitrine::core {

struct LlamaCppPreTokenizer {
  std::vector<std::string>
      patterns;  // applied one after the other; a match is a word, and so is what lies between two
  bool ignore_merges = false;
  bool adds_beginning_of_text = false;  // unless tokenizer.ggml.add_bos_token says otherwise
};

// kUnsupported for a name that is not in the table: words cut wrongly would change every id without a sign of
// it.
Result<LlamaCppPreTokenizer> llamaCppPreTokenizer(std::string_view name);

// GPT-2's own pattern, which Hugging Face's ByteLevel applies.
std::string_view gpt2Pattern();

}  // namespace vitrine::core
