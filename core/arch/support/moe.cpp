#include "core/arch/support/moe.h"

namespace vitrine::core::arch {
namespace {

// Hugging Face has three spellings of the number of experts.
constexpr Key kExperts[] = {
    {"num_local_experts", "expert_count"}, {"num_experts", ""}, {"n_routed_experts", ""}};
constexpr Key kTopK = {"num_experts_per_tok", "expert_used_count"};
constexpr Key kNormalize = {"norm_topk_prob", "expert_weights_norm"};
constexpr Key kScale = {"routed_scaling_factor", "expert_weights_scale"};
constexpr Key kScores = {"", "expert_gating_func"};
constexpr Key kGroups = {"n_group", "expert_group_count"};
constexpr Key kTopGroups = {"topk_group", "expert_group_used_count"};
constexpr Key kSparseStep = {"decoder_sparse_step", ""};
constexpr Key kLayerStep = {"moe_layer_freq", ""};
constexpr Key kDenseLayers = {"mlp_only_layers", ""};
constexpr Key kFirstDense = {"first_k_dense_replace", "leading_dense_block_count"};
constexpr Key kSharedWidth = {"shared_expert_intermediate_size", "expert_shared_feed_forward_length"};
constexpr Key kSharedCount = {"n_shared_experts", "expert_shared_count"};
constexpr Key kMlpWidth = {"intermediate_size", "feed_forward_length"};

constexpr std::uint32_t kMostExperts = 1 << 14, kMostGroups = 32;

// What GGUF calls the scores (llama.cpp's llama_expert_gating_func_type).
std::uint32_t ggufScores(RouterScores scores) {
  switch (scores) {
    case RouterScores::kSoftmax:
      return 1;
    case RouterScores::kSigmoid:
      return 2;
    case RouterScores::kChosenSoftmax:
      return 3;
  }
  return 0;
}

}  // namespace

Result<void> MoeReader::readSizes(std::uint32_t layers, std::uint32_t embedding, Activation activation) {
  embedding_ = embedding;
  activation_ = activation;
  const Key* experts = &kExperts[0];
  for (const Key& key : kExperts)
    if (!hparams_.has(*experts)) experts = &key;
  if (!hparams_.has(*experts)) experts = &kExperts[0];
  TRY_ASSIGN(experts_, hparams_.count(*experts, kMostExperts));
  TRY_ASSIGN(width_, hparams_.count(traits_.width, kWidestLayer));
  TRY(readRouter());
  TRY(readSharedWidth());
  return readSparseLayers(layers);
}

Result<void> MoeReader::readRouter() {
  TRY_ASSIGN(router_.top_k, hparams_.count(kTopK, kMostExperts));
  TRY_ASSIGN(router_.normalize,
             hparams_.flagOr(kNormalize, hparams_.isGguf() ? traits_.normalize_gguf : traits_.normalize_hf));
  TRY_ASSIGN(const double scale, hparams_.positiveOr(kScale, 1));
  router_.scale = static_cast<float>(scale);
  router_.scores = traits_.scores;
  router_.epsilon = traits_.epsilon;
  router_.group_score = traits_.group_score;
  // 0 and absent leave it to the family.
  TRY_ASSIGN(const std::uint32_t scores, hparams_.countOrNone(kScores, 0, kMostExperts));
  if (scores != 0 && scores != ggufScores(traits_.scores))
    return hparams_.refuse(kScores, fmt::format("{}, this family's", ggufScores(traits_.scores)));
  if (traits_.grouped) {
    TRY_ASSIGN(router_.groups, hparams_.countOr(kGroups, 1, kMostGroups));
    TRY_ASSIGN(router_.top_groups, hparams_.countOr(kTopGroups, router_.groups, kMostGroups));
  }
  if (experts_ % router_.groups != 0)
    return hparams_.refuse(kGroups, fmt::format("a divisor of the {} experts", experts_));
  if (router_.top_groups > router_.groups)
    return hparams_.refuse(kTopGroups, fmt::format("at most the {} groups", router_.groups));
  const std::uint32_t open = experts_ / router_.groups * router_.top_groups;
  if (router_.top_k > open)
    return hparams_.refuse(kTopK, fmt::format("at most {}, the experts to choose from", open));
  return {};
}

Result<void> MoeReader::readSharedWidth() {
  if (traits_.shared == SharedExpert::kGated) {
    std::uint32_t otherwise = 0;
    if (hparams_.isGguf()) {
      TRY_ASSIGN(otherwise, hparams_.count(kMlpWidth, kWidestLayer));
    }
    TRY_ASSIGN(shared_width_, otherwise ? hparams_.countOr(kSharedWidth, otherwise, kWidestLayer)
                                        : hparams_.count(kSharedWidth, kWidestLayer));
  }
  if (traits_.shared == SharedExpert::kWide) {
    TRY_ASSIGN(shared_width_, hparams_.countOrNone(kSharedWidth, 0, kWidestLayer));
  }
  if (traits_.shared == SharedExpert::kPlain) {
    TRY_ASSIGN(const std::uint32_t count, hparams_.countOrNone(kSharedCount, 0, kMostExperts));
    if (std::uint64_t{count} * width_ > kWidestLayer)
      return hparams_.refuse(kSharedCount, fmt::format("at most {} experts wide", kWidestLayer / width_));
    shared_width_ = count * width_;
  }
  return {};
}

Result<void> MoeReader::readSparseLayers(std::uint32_t layers) {
  TRY_ASSIGN(const std::uint32_t first, hparams_.countOrNone(kFirstDense, 0, kMostLayers));
  TRY_ASSIGN(const std::uint32_t step, hparams_.countOr(kSparseStep, 1, kMostLayers));
  TRY_ASSIGN(const std::uint32_t layer_step, hparams_.countOr(kLayerStep, 1, kMostLayers));
  sparse_.assign(layers, false);
  for (std::uint32_t layer = first; layer < layers; ++layer)
    sparse_[layer] = (layer + 1) % step == 0 && layer % layer_step == 0;
  if (!hparams_.has(kDenseLayers)) return {};
  TRY_ASSIGN(const std::vector<bool> dense, hparams_.namedLayers(kDenseLayers, layers));
  for (std::uint32_t layer = 0; layer < layers; ++layer)
    if (dense[layer]) sparse_[layer] = false;
  return {};
}

Result<Linear> MoeReader::linear(const std::string& name, std::uint64_t rows, std::uint64_t columns) {
  Linear linear;
  TRY_ASSIGN(linear.weight, weights_.matrix(name + ".weight", rows, columns));
  return linear;
}

Result<void> MoeReader::readShared(const std::string& layer, MoeSpec& spec) {
  if (shared_width_ == 0) return {};
  const bool gguf = hparams_.isGguf(), gated = traits_.shared == SharedExpert::kGated;
  const std::string_view hf = gated ? "mlp.shared_expert" : "mlp.shared_experts";
  const auto name = [&](std::string_view part) {
    return gguf ? fmt::format("{}ffn_{}_shexp", layer, part) : fmt::format("{}{}.{}_proj", layer, hf, part);
  };
  DenseMlpSpec shared{.width = shared_width_, .activation = activation_};
  TRY_ASSIGN(shared.gate, linear(name("gate"), shared_width_, embedding_));
  TRY_ASSIGN(shared.up, linear(name("up"), shared_width_, embedding_));
  TRY_ASSIGN(shared.down, linear(name("down"), embedding_, shared_width_));
  spec.shared = std::move(shared);
  if (!gated) return {};
  if (!gguf) {
    TRY_ASSIGN(spec.shared_gate, linear(layer + "mlp.shared_expert_gate", 1, embedding_));
    return {};
  }
  TRY_ASSIGN(WeightRef row, weights_.vector(layer + "ffn_gate_inp_shexp.weight", embedding_));
  std::swap(row.rows, row.columns);  // one row, stored as a vector
  spec.shared_gate = Linear{row, {}};
  return {};
}

Result<MoeSpec> MoeReader::read(const std::string& layer) {
  const bool gguf = hparams_.isGguf();
  MoeSpec spec{.router = router_, .width = width_, .activation = activation_, .clamped = traits_.clamped};
  const std::string router = gguf ? layer + "ffn_gate_inp" : fmt::format("{}{}", layer, traits_.router);
  TRY_ASSIGN(spec.router.linear, linear(router, experts_, embedding_));
  if (traits_.biased) {
    TRY_ASSIGN(spec.router.linear.bias, weights_.vector(router + ".bias", experts_));
  }
  if (traits_.correction) {
    const std::string name = gguf ? layer + "exp_probs_b.bias" : router + ".e_score_correction_bias";
    TRY_ASSIGN(spec.router.correction, weights_.vector(name, experts_));
  }
  TRY_ASSIGN(spec.experts, readExperts(layer));
  TRY(readShared(layer, spec));
  return spec;
}

}  // namespace vitrine::core::arch
