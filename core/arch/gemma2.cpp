// Gemma 2 (arXiv 2408.00118): windows in every other layer, capped scores and logits.
#include "core/arch/support/gemma.h"

namespace vitrine::core::arch::gemma2 {
namespace {

Result<std::vector<std::uint32_t>> windows(const Hparams& hparams, std::uint32_t layers) {
  return periodicWindows(hparams, layers, {.period = 2, .window = 4096});
}

Result<ModelSpec> read(const Source& source) {
  DecoderTraits traits = gemmaTraits();
  traits.default_context = 8192;
  traits.windows = windows;
  TRY_ASSIGN(ModelSpec spec, readDecoder(source, traits));
  TRY(finishGemma(source, {.layers_of_27b = 46, .score_cap = 50, .logit_cap = 30}, spec));
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"gemma2"}, .gguf_names = {"gemma2"}, .read = read};

}  // namespace vitrine::core::arch::gemma2
