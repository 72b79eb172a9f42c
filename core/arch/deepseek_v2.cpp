// DeepSeek-V2 (arXiv:2405.04434) and V2-Lite: softmax scores choose the experts, among all of them or among
// those of the groups with the best one. llama.cpp's deepseek2 is V2, V3 and all that is built like them.
#include "core/arch/support/deepseek.h"

namespace vitrine::core::arch::deepseek_v2 {
namespace {

constexpr Key kMethod = {"topk_method", ""}, kScoring = {"scoring_func", ""},
              kNormalize = {"norm_topk_prob", ""};
constexpr Key kGgufScores = {"", "expert_gating_func"}, kFirstSparse = {"", "leading_dense_block_count"};
constexpr std::uint32_t kSigmoid = 2;  // llama.cpp's number

constexpr MoeTraits kGrouped = {.shared = SharedExpert::kPlain};
constexpr MoeTraits kGreedy = {.grouped = false, .shared = SharedExpert::kPlain};

// Files that do not say how experts are scored are V2's, unless they have V3's corrections.
Result<const MoeTraits*> ggufRouter(const Source& source) {
  TRY_ASSIGN(const std::uint32_t scores, source.hparams.countOrNone(kGgufScores, 0, kSigmoid));
  TRY_ASSIGN(const std::uint32_t first, source.hparams.countOrNone(kFirstSparse, 0, kMostLayers));
  const bool corrected = source.weights.has(fmt::format("blk.{}.exp_probs_b.bias", first));
  return scores == kSigmoid || (scores == 0 && corrected) ? &kDeepseekV3Moe : &kGrouped;
}

Result<const MoeTraits*> router(const Hparams& hparams) {
  TRY_ASSIGN(const std::string scoring, hparams.textOr(kScoring, "softmax"));
  if (scoring != "softmax") return hparams.refuse(kScoring, "softmax");
  // With true the published code leaves out routed_scaling_factor, and transformers does not normalize.
  TRY_ASSIGN(const bool normalize, hparams.flagOr(kNormalize, false));
  if (normalize) return hparams.refuse(kNormalize, "false");
  TRY_ASSIGN(const std::string method, hparams.textOr(kMethod, "greedy"));
  if (method == "greedy") return &kGreedy;
  if (method == "group_limited_greedy") return &kGrouped;
  return hparams.refuse(kMethod, "greedy or group_limited_greedy");
}

Result<ModelSpec> read(const Source& source) {
  TRY_ASSIGN(const MoeTraits* moe, source.hparams.isGguf() ? ggufRouter(source) : router(source.hparams));
  return readDeepseek(source, *moe);
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {
    .model_types = {"deepseek_v2"}, .gguf_names = {"deepseek2"}, .read = read};

}  // namespace vitrine::core::arch::deepseek_v2
