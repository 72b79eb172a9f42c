#include "core/arch/support/decoder_sizes.h"

#include <map>

namespace vitrine::core::arch {
namespace {

constexpr Key kValueDim = {"", "attention.value_length"};
constexpr Key kExperts = {"num_local_experts", "expert_count"};

Result<std::uint32_t> readHeadDim(const Hparams& hparams, const DecoderTraits& traits,
                                  const DecoderSizes& sizes) {
  const DecoderKeys& keys = traits.keys;
  if (!hparams.has(keys.head_dim) && !(traits.default_head_dim && !hparams.isGguf())) {
    if (sizes.embedding % sizes.heads != 0)
      return hparams.refuse(keys.embedding, fmt::format("a multiple of the {} heads", sizes.heads));
    return sizes.embedding / sizes.heads;
  }
  TRY_ASSIGN(const std::uint32_t head_dim,
             hparams.countOr(keys.head_dim, traits.default_head_dim, kWidestHead));
  TRY_ASSIGN(const std::uint32_t value_dim, hparams.countOr(kValueDim, head_dim, kWidestHead));
  if (value_dim != head_dim)
    return hparams.refuse(kValueDim, fmt::format("equal to {}, the key's", head_dim));
  return head_dim;
}

Result<std::uint32_t> readMlpWidth(const Hparams& hparams, const DecoderTraits& traits,
                                   std::uint32_t embedding) {
  constexpr std::uint32_t kWidening = 4;
  const Key key = traits.keys.mlp_width;
  const bool may_miss = !hparams.isGguf() && traits.mlp == MlpShape::kPlain;
  if (!hparams.has(key) && may_miss && embedding <= kWidestLayer / kWidening) return kWidening * embedding;
  return hparams.count(key, kWidestLayer);
}

}  // namespace

Result<DecoderSizes> readSizes(const Hparams& hparams, const DecoderTraits& traits) {
  const DecoderKeys& keys = traits.keys;
  DecoderSizes sizes;
  TRY_ASSIGN(const std::uint32_t experts, hparams.countOrNone(kExperts, 0, kMostHeads));
  if (experts > 1 && !traits.moe)
    return fail(ErrorCode::kUnsupported, "{} experts: mixtures of this kind are not read", experts);
  TRY_ASSIGN(sizes.layers, hparams.count(keys.layers, kMostLayers));
  TRY_ASSIGN(sizes.embedding, hparams.count(keys.embedding, kWidestLayer));
  TRY_ASSIGN(sizes.heads, hparams.count(keys.heads, kMostHeads));
  const std::uint32_t kv_heads =
      traits.default_kv_heads && !hparams.isGguf() ? traits.default_kv_heads : sizes.heads;
  TRY_ASSIGN(sizes.kv_heads, hparams.countOr(keys.kv_heads, kv_heads, kMostHeads));
  if (sizes.heads % sizes.kv_heads != 0)
    return hparams.refuse(keys.kv_heads, fmt::format("a divisor of the {} heads", sizes.heads));
  TRY_ASSIGN(sizes.head_dim, readHeadDim(hparams, traits, sizes));
  TRY_ASSIGN(sizes.mlp_width, readMlpWidth(hparams, traits, sizes.embedding));
  TRY_ASSIGN(sizes.context, hparams.countOr(keys.context, traits.default_context, kLongestContext));
  TRY_ASSIGN(const double epsilon, hparams.isGguf()
                                       ? hparams.positive(keys.epsilon)
                                       : hparams.positiveOr(keys.epsilon, traits.default_epsilon));
  if (epsilon >= 1) return hparams.refuse(keys.epsilon, "less than 1");
  sizes.epsilon = static_cast<float>(epsilon);
  return sizes;
}

Result<Activation> readActivation(const Hparams& hparams, const DecoderTraits& traits) {
  static const std::map<std::string_view, Activation> kKnown = {
      {"silu", Activation::kSilu},          {"swish", Activation::kSilu},
      {"gelu", Activation::kGelu},          {"gelu_new", Activation::kGeluTanh},
      {"gelu_fast", Activation::kGeluTanh}, {"gelu_pytorch_tanh", Activation::kGeluTanh},
      {"relu", Activation::kRelu},          {"relu2", Activation::kReluSquared},
  };
  TRY_ASSIGN(const std::string name,
             hparams.textOr(traits.keys.activation, std::string(traits.default_activation)));
  const auto found = kKnown.find(name);
  if (found == kKnown.end())
    return hparams.refuse(traits.keys.activation, "silu, gelu, gelu_pytorch_tanh, relu or relu2");
  return found->second;
}

}  // namespace vitrine::core::arch
