#include "support/any_gguf.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "support/dense_gguf.h"
#include "support/gpt_oss_gguf.h"
#include "support/granite_hybrid_gguf.h"
#include "support/latent_gguf.h"
#include "support/linear_attention_gguf.h"
#include "support/state_space_gguf.h"
#include "support/zoo_gguf.h"

namespace vitrine::test {

std::optional<Bytes> anyAsGguf(const core::Checkpoint& hf) {
  const std::string type = hf.metadata().at("model_type");
  const auto is = [&type](std::initializer_list<const char*> types) {
    return std::ranges::find(types, type) != types.end();
  };
  if (is({"llama", "mistral", "mixtral", "qwen2", "qwen3", "olmoe", "qwen2_moe", "qwen3_moe", "granitemoe",
          "dots1"}))
    return zooAsGguf(hf);
  if (is({"gemma2", "gemma3_text", "phi3", "phi", "gpt2", "gpt_neox", "bloom", "stablelm", "starcoder2",
          "olmo2", "smollm3", "granite", "glm4"}))
    return DenseGguf(hf).build();
  if (is({"mamba", "falcon_mamba", "mamba2", "nemotron_h", "falcon_h1", "lfm2"})) return stateSpaceAsGguf(hf);
  if (is({"deepseek_v2", "deepseek_v3"})) return LatentGguf(hf, KeyValueUp::kTwoTensors).build();
  if (is({"gpt_oss"})) return GptOssGguf(hf).build();
  if (is({"qwen3_next"})) return Qwen3NextGguf(hf, DeltaInput::kTwoTensors).build();
  if (is({"minimax"})) return minimaxAsGguf(hf);
  if (is({"bamba"})) return GraniteHybridGguf(hf, {.multipliers = true, .experts = true}).build();
  return std::nullopt;
}

}  // namespace vitrine::test
