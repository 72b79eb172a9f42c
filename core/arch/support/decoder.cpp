#include "core/arch/support/decoder.h"

#include <cmath>
#include <map>

#include "core/arch/support/rope.h"

namespace vitrine::core::arch {
namespace {

constexpr Key kLayers = {"num_hidden_layers", "block_count"};
constexpr Key kEmbedding = {"hidden_size", "embedding_length"};
constexpr Key kHeads = {"num_attention_heads", "attention.head_count"};
constexpr Key kKvHeads = {"num_key_value_heads", "attention.head_count_kv"};
constexpr Key kHeadDim = {"head_dim", "attention.key_length"};
constexpr Key kValueDim = {"", "attention.value_length"};
constexpr Key kRotaryDim = {"", "rope.dimension_count"};
constexpr Key kMlpWidth = {"intermediate_size", "feed_forward_length"};
constexpr Key kContext = {"max_position_embeddings", "context_length"};
constexpr Key kVocabulary = {"vocab_size", "vocab_size"};
constexpr Key kEpsilon = {"rms_norm_eps", "attention.layer_norm_rms_epsilon"};
constexpr Key kTied = {"tie_word_embeddings", ""};
constexpr Key kAttentionBias = {"attention_bias", ""};
constexpr Key kMlpBias = {"mlp_bias", ""};
constexpr Key kActivation = {"hidden_act", ""};
constexpr Key kExperts = {"num_local_experts", "expert_count"};

constexpr double kDefaultEpsilon = 1e-6;

// Where tensors live: MODEL embedding, norm; HEAD; BLOCK.<layer>.part, each with .weight or .bias behind.
struct Names {
  std::string_view embedding, final_norm, head, block;
  std::string_view mixer_norm, query, key, value, output, query_norm, key_norm;
  std::string_view channel_norm, gate, up, down;
};
constexpr Names kHuggingFace = {"embed_tokens",     "norm",
                                "lm_head",          "layers.",
                                "input_layernorm",  "self_attn.q_proj",
                                "self_attn.k_proj", "self_attn.v_proj",
                                "self_attn.o_proj", "self_attn.q_norm",
                                "self_attn.k_norm", "post_attention_layernorm",
                                "mlp.gate_proj",    "mlp.up_proj",
                                "mlp.down_proj"};
constexpr Names kGguf = {"token_embd",  "output_norm", "output",   "blk.",        "attn_norm",
                         "attn_q",      "attn_k",      "attn_v",   "attn_output", "attn_q_norm",
                         "attn_k_norm", "ffn_norm",    "ffn_gate", "ffn_up",      "ffn_down"};

struct Sizes {
  std::uint32_t layers = 0, embedding = 0, heads = 0, kv_heads = 0, head_dim = 0, mlp_width = 0;
  std::uint32_t vocabulary = 0, context = 0;
  float epsilon = 0;
};

Result<std::uint32_t> readHeadDim(const Hparams& hparams, const DecoderTraits& traits, const Sizes& sizes) {
  if (!hparams.has(kHeadDim) && !(traits.default_head_dim && !hparams.isGguf())) {
    if (sizes.embedding % sizes.heads != 0)
      return hparams.refuse(kEmbedding, fmt::format("a multiple of the {} heads", sizes.heads));
    return sizes.embedding / sizes.heads;
  }
  TRY_ASSIGN(const std::uint32_t head_dim, hparams.countOr(kHeadDim, traits.default_head_dim, kWidestHead));
  TRY_ASSIGN(const std::uint32_t value_dim, hparams.countOr(kValueDim, head_dim, kWidestHead));
  if (value_dim != head_dim)
    return hparams.refuse(kValueDim, fmt::format("equal to {}, the key's", head_dim));
  return head_dim;
}

Result<Sizes> readSizes(const Hparams& hparams, const DecoderTraits& traits) {
  Sizes sizes;
  TRY_ASSIGN(const std::uint32_t experts, hparams.countOrNone(kExperts, 0, kMostHeads));
  if (experts > 1 && !traits.moe)
    return fail(ErrorCode::kUnsupported, "{} experts: mixtures of this kind are not read", experts);
  TRY_ASSIGN(sizes.layers, hparams.count(kLayers, kMostLayers));
  TRY_ASSIGN(sizes.embedding, hparams.count(kEmbedding, kWidestLayer));
  TRY_ASSIGN(sizes.heads, hparams.count(kHeads, kMostHeads));
  const std::uint32_t kv_heads =
      traits.default_kv_heads && !hparams.isGguf() ? traits.default_kv_heads : sizes.heads;
  TRY_ASSIGN(sizes.kv_heads, hparams.countOr(kKvHeads, kv_heads, kMostHeads));
  if (sizes.heads % sizes.kv_heads != 0)
    return hparams.refuse(kKvHeads, fmt::format("a divisor of the {} heads", sizes.heads));
  TRY_ASSIGN(sizes.head_dim, readHeadDim(hparams, traits, sizes));
  TRY_ASSIGN(sizes.mlp_width, hparams.count(kMlpWidth, kWidestLayer));
  TRY_ASSIGN(sizes.context, hparams.countOr(kContext, traits.default_context, kLongestContext));
  TRY_ASSIGN(const double epsilon,
             hparams.isGguf() ? hparams.positive(kEpsilon) : hparams.positiveOr(kEpsilon, kDefaultEpsilon));
  if (epsilon >= 1) return hparams.refuse(kEpsilon, "less than 1");
  sizes.epsilon = static_cast<float>(epsilon);
  return sizes;
}

Result<Activation> readActivation(const Hparams& hparams) {
  static const std::map<std::string_view, Activation> kKnown = {
      {"silu", Activation::kSilu},          {"swish", Activation::kSilu},
      {"gelu", Activation::kGelu},          {"gelu_new", Activation::kGeluTanh},
      {"gelu_fast", Activation::kGeluTanh}, {"gelu_pytorch_tanh", Activation::kGeluTanh},
      {"relu", Activation::kRelu},          {"relu2", Activation::kReluSquared},
  };
  TRY_ASSIGN(const std::string name, hparams.textOr(kActivation, "silu"));
  const auto found = kKnown.find(name);
  if (found == kKnown.end())
    return hparams.refuse(kActivation, "silu, gelu, gelu_pytorch_tanh, relu or relu2");
  return found->second;
}

class DecoderReader {
 public:
  DecoderReader(const Source& source, const DecoderTraits& traits)
      : hparams_(source.hparams),
        weights_(source.weights),
        traits_(traits),
        names_(source.hparams.isGguf() ? kGguf : kHuggingFace) {
    // A bare model, without its head, is saved without the prefix.
    if (!hparams_.isGguf() && !weights_.has("embed_tokens.weight")) prefix_ = "model.";
  }
  Result<ModelSpec> read();

 private:
  enum class Bias { kNone, kRequired, kIfPresent };

  Bias biasWhere(bool configured) const {
    if (hparams_.isGguf()) return Bias::kIfPresent;
    return configured ? Bias::kRequired : Bias::kNone;
  }
  std::string in(std::uint32_t layer, std::string_view part) const {
    return fmt::format("{}{}{}.{}", prefix_, names_.block, layer, part);
  }
  Result<Linear> linear(const std::string& name, std::uint64_t rows, std::uint64_t columns, Bias bias);
  Result<Norm> norm(const std::string& name, std::uint64_t length);
  Result<void> readBiases();
  Result<void> readTableRope();
  Result<AttentionSpec> attention(std::uint32_t layer, std::uint32_t window);
  Result<DenseMlpSpec> mlp(std::uint32_t layer);
  Result<ChannelMixerSpec> channel(std::uint32_t layer);
  Result<BlockSpec> block(std::uint32_t layer, std::uint32_t window);
  Result<void> readEmbedding(ModelSpec& spec);
  Result<void> readHead(ModelSpec& spec);

  const Hparams& hparams_;
  Weights& weights_;
  const DecoderTraits& traits_;
  const Names& names_;
  std::string prefix_;
  Sizes sizes_;
  Activation activation_ = Activation::kSilu;
  FoldedRope rope_;
  std::optional<MoeReader> moe_;
  Bias qkv_bias_ = Bias::kNone, output_bias_ = Bias::kNone, mlp_bias_ = Bias::kNone;
};

Result<Linear> DecoderReader::linear(const std::string& name, std::uint64_t rows, std::uint64_t columns,
                                     Bias bias) {
  Linear linear;
  TRY_ASSIGN(linear.weight, weights_.matrix(name + ".weight", rows, columns));
  const std::string bias_name = name + ".bias";
  if (bias == Bias::kRequired || (bias == Bias::kIfPresent && weights_.has(bias_name))) {
    TRY_ASSIGN(linear.bias, weights_.vector(bias_name, rows));
  }
  return linear;
}

Result<Norm> DecoderReader::norm(const std::string& name, std::uint64_t length) {
  Norm norm;
  norm.epsilon = sizes_.epsilon;
  TRY_ASSIGN(norm.weight, weights_.vector(name + ".weight", length));
  return norm;
}

Result<void> DecoderReader::readBiases() {
  TRY_ASSIGN(const bool attention, hparams_.flagOr(kAttentionBias, false));
  TRY_ASSIGN(const bool mlp, hparams_.flagOr(kMlpBias, false));
  const bool configured = traits_.attention_bias == AttentionBias::kConfigured && attention;
  qkv_bias_ = biasWhere(configured || traits_.attention_bias == AttentionBias::kQkv);
  output_bias_ = biasWhere(configured);
  mlp_bias_ = biasWhere(mlp);
  return {};
}

Result<void> DecoderReader::readTableRope() {
  RopeShape shape{.pairing = hparams_.isGguf() ? traits_.gguf_pairing : RopePairing::kHalf,
                  .context_length = sizes_.context};
  TRY_ASSIGN(shape.rotary_dim, hparams_.countOr(kRotaryDim, sizes_.head_dim, kWidestHead));
  if (shape.rotary_dim > sizes_.head_dim || shape.rotary_dim % 2 != 0)
    return fail(ErrorCode::kInvalidFile,
                "rotary embeddings over {} of {} dimensions of a head; expected an even part",
                shape.rotary_dim, sizes_.head_dim);
  TRY_ASSIGN(rope_, readRope(hparams_, weights_, shape));
  return {};
}

Result<AttentionSpec> DecoderReader::attention(std::uint32_t layer, std::uint32_t window) {
  const std::uint64_t width = std::uint64_t{sizes_.heads} * sizes_.head_dim;
  const std::uint64_t kv_width = std::uint64_t{sizes_.kv_heads} * sizes_.head_dim;
  AttentionSpec spec;
  spec.heads = sizes_.heads;
  spec.kv_heads = sizes_.kv_heads;
  spec.head_dim = sizes_.head_dim;
  TRY_ASSIGN(spec.query, linear(in(layer, names_.query), width, sizes_.embedding, qkv_bias_));
  TRY_ASSIGN(spec.key, linear(in(layer, names_.key), kv_width, sizes_.embedding, qkv_bias_));
  TRY_ASSIGN(spec.value, linear(in(layer, names_.value), kv_width, sizes_.embedding, qkv_bias_));
  TRY_ASSIGN(spec.output, linear(in(layer, names_.output), sizes_.embedding, width, output_bias_));
  if (traits_.query_key_norm == QueryKeyNorm::kRmsPerHead) {
    TRY_ASSIGN(spec.query_norm, norm(in(layer, names_.query_norm), sizes_.head_dim));
    TRY_ASSIGN(spec.key_norm, norm(in(layer, names_.key_norm), sizes_.head_dim));
  }
  spec.rope = rope_.rope;
  spec.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(sizes_.head_dim)));
  spec.sliding_window = window;
  return spec;
}

Result<DenseMlpSpec> DecoderReader::mlp(std::uint32_t layer) {
  DenseMlpSpec spec;
  spec.width = sizes_.mlp_width;
  spec.activation = activation_;
  TRY_ASSIGN(spec.gate, linear(in(layer, names_.gate), sizes_.mlp_width, sizes_.embedding, mlp_bias_));
  TRY_ASSIGN(spec.up, linear(in(layer, names_.up), sizes_.mlp_width, sizes_.embedding, mlp_bias_));
  TRY_ASSIGN(spec.down, linear(in(layer, names_.down), sizes_.embedding, sizes_.mlp_width, mlp_bias_));
  return spec;
}

Result<ChannelMixerSpec> DecoderReader::channel(std::uint32_t layer) {
  if (!moe_ || !moe_->isSparse(layer)) return mlp(layer);
  return moe_->read(fmt::format("{}{}{}.", prefix_, names_.block, layer));
}

Result<BlockSpec> DecoderReader::block(std::uint32_t layer, std::uint32_t window) {
  BlockSpec spec;
  TRY_ASSIGN(spec.mixer_norm, norm(in(layer, names_.mixer_norm), sizes_.embedding));
  TRY_ASSIGN(AttentionSpec mixer, attention(layer, window));
  spec.mixers.emplace_back(std::move(mixer));
  TRY_ASSIGN(spec.channel_norm, norm(in(layer, names_.channel_norm), sizes_.embedding));
  TRY_ASSIGN(spec.channel, channel(layer));
  return spec;
}

// GGUF need not store the size of the vocabulary: the embedding's rows tell it.
Result<void> DecoderReader::readEmbedding(ModelSpec& spec) {
  const std::string name = fmt::format("{}{}.weight", prefix_, names_.embedding);
  std::uint32_t rows = 0;
  if (hparams_.isGguf() && !hparams_.has(kVocabulary)) {
    const TensorEntry* tensor = weights_.find(name);
    const std::uint64_t found = tensor && !tensor->shape.empty() ? tensor->shape[0] : 0;
    if (tensor && (found == 0 || found > kLargestVocabulary))
      return fail(ErrorCode::kInvalidFile, "tensor {}: a vocabulary of {} tokens", name, found);
    rows = static_cast<std::uint32_t>(found);
  } else {
    TRY_ASSIGN(rows, hparams_.count(kVocabulary, kLargestVocabulary));
  }
  TRY_ASSIGN(spec.token_embedding, weights_.matrix(name, rows, sizes_.embedding));
  spec.vocab_size = rows;
  return {};
}

Result<void> DecoderReader::readHead(ModelSpec& spec) {
  const std::string name = fmt::format("{}.weight", names_.head);
  const bool stored = weights_.has(name);
  // config.json rules; a file without a head and without a word about it is tied.
  TRY_ASSIGN(spec.tied_head, hparams_.flagOr(kTied, !stored && !hparams_.isGguf()));
  if (hparams_.isGguf()) spec.tied_head = !stored;
  if (spec.tied_head) {
    spec.head.weight = spec.token_embedding;
    weights_.ignore(name);
    return {};
  }
  TRY_ASSIGN(spec.head.weight, weights_.matrix(name, spec.vocab_size, sizes_.embedding));
  return {};
}

Result<ModelSpec> DecoderReader::read() {
  ModelSpec spec;
  TRY_ASSIGN(sizes_, readSizes(hparams_, traits_));
  TRY_ASSIGN(activation_, readActivation(hparams_));
  if (traits_.moe) {
    moe_.emplace(hparams_, weights_, *traits_.moe);
    TRY(moe_->readSizes(sizes_.layers, sizes_.embedding, activation_));
  }
  TRY(readBiases());
  TRY(readTableRope());
  spec.embedding_dim = sizes_.embedding;
  spec.context_length = rope_.context_length;
  TRY(readEmbedding(spec));
  TRY_ASSIGN(const std::vector<std::uint32_t> windows, traits_.windows(hparams_, sizes_.layers));
  for (std::uint32_t layer = 0; layer < sizes_.layers; ++layer) {
    TRY_ASSIGN(BlockSpec next, block(layer, windows[layer]));
    spec.blocks.push_back(std::move(next));
  }
  TRY_ASSIGN(spec.final_norm, norm(fmt::format("{}{}", prefix_, names_.final_norm), sizes_.embedding));
  TRY(readHead(spec));
  return spec;
}

}  // namespace

Result<ModelSpec> readDecoder(const Source& source, const DecoderTraits& traits) {
  return DecoderReader(source, traits).read();
}

}  // namespace vitrine::core::arch
