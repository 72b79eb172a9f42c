// DeepSeek-V3 and R1 (arXiv:2412.19437), and Kimi K2, which is the same in other sizes: V2's attention,
// sigmoid scores with a correction bias that balances the experts. The layers that predict further tokens are
// left unread.
#include "core/arch/support/deepseek.h"

namespace vitrine::core::arch::deepseek_v3 {
namespace {

constexpr Key kMethod = {"topk_method", ""}, kScoring = {"scoring_func", ""};

Result<ModelSpec> read(const Source& source) {
  const Hparams& hparams = source.hparams;
  TRY_ASSIGN(const std::string method, hparams.textOr(kMethod, "noaux_tc"));
  if (method != "noaux_tc") return hparams.refuse(kMethod, "noaux_tc");
  TRY_ASSIGN(const std::string scoring, hparams.textOr(kScoring, "sigmoid"));
  if (scoring != "sigmoid") return hparams.refuse(kScoring, "sigmoid");
  return readDeepseek(source, kDeepseekV3Moe);
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {
    .model_types = {"deepseek_v3", "kimi_k2"}, .gguf_names = {}, .read = read};

}  // namespace vitrine::core::arch::deepseek_v3
