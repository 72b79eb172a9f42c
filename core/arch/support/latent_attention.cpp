#include "core/arch/support/latent_attention.h"

#include <cmath>

#include "core/arch/support/parts.h"

namespace vitrine::core::arch {
namespace {

constexpr Key kHeads = {"num_attention_heads", "attention.head_count"};
constexpr Key kRank = {"kv_lora_rank", "attention.kv_lora_rank"};
constexpr Key kQueryRank = {"q_lora_rank", "attention.q_lora_rank"};
constexpr Key kPlainDim = {"qk_nope_head_dim", ""};
constexpr Key kRotaryDim = {"qk_rope_head_dim", "rope.dimension_count"};
constexpr Key kBias = {"attention_bias", ""};
constexpr Key kInterleaved = {"rope_interleave", ""};
constexpr Key kTemperature = {"", "attention.temperature_scale"};
// Newer GGUF files say under the old keys how wide the rows of the cache are.
constexpr Key kKeyDim[] = {{"", "attention.key_length_mla"}, {"", "attention.key_length"}};
constexpr Key kValueDim[] = {{"v_head_dim", "attention.value_length_mla"},
                             {"v_head_dim", "attention.value_length"}};

Key spelled(const Hparams& hparams, const Key (&names)[2]) {
  return hparams.has(names[0]) ? names[0] : names[1];
}

Result<void> readHeadDims(const Hparams& hparams, LatentSizes& sizes) {
  TRY_ASSIGN(sizes.rotary_dim, hparams.count(kRotaryDim, kWidestHead));
  if (sizes.rotary_dim % 2 != 0) return hparams.refuse(kRotaryDim, "even");
  TRY_ASSIGN(sizes.value_dim, hparams.count(spelled(hparams, kValueDim), kWidestHead));
  if (!hparams.isGguf()) {
    TRY_ASSIGN(sizes.plain_dim, hparams.count(kPlainDim, kWidestHead));
    return {};
  }
  const Key key = spelled(hparams, kKeyDim);
  TRY_ASSIGN(const std::uint32_t key_dim, hparams.count(key, kWidestHead));
  if (key_dim <= sizes.rotary_dim)
    return hparams.refuse(key, fmt::format("more than the {} that turn", sizes.rotary_dim));
  sizes.plain_dim = key_dim - sizes.rotary_dim;
  return {};
}

struct Names {
  std::string_view query, query_down, query_norm, query_up, down, norm, up, output;
};
constexpr Names kHuggingFace = {"self_attn.q_proj",
                                "self_attn.q_a_proj",
                                "self_attn.q_a_layernorm",
                                "self_attn.q_b_proj",
                                "self_attn.kv_a_proj_with_mqa",
                                "self_attn.kv_a_layernorm",
                                "self_attn.kv_b_proj",
                                "self_attn.o_proj"};
constexpr Names kGguf = {"attn_q",        "attn_q_a",       "attn_q_a_norm", "attn_q_b",
                         "attn_kv_a_mqa", "attn_kv_a_norm", "attn_kv_b",     "attn_output"};

class Reader {
 public:
  Reader(const Source& source, const std::string& layer, const LatentSizes& sizes)
      : weights_(source.weights),
        layer_(layer),
        sizes_(sizes),
        names_(source.hparams.isGguf() ? kGguf : kHuggingFace) {}

  Result<AttentionSpec> read() {
    LatentSpec latent{.rank = sizes_.rank, .plain_dim = sizes_.plain_dim, .value_dim = sizes_.value_dim};
    TRY(readQuery(latent));
    TRY(readLatent(latent));
    TRY(readUp(latent));
    AttentionSpec spec;
    spec.heads = sizes_.heads;
    spec.kv_heads = 1;
    spec.head_dim = sizes_.rotary_dim + sizes_.rank;
    TRY_ASSIGN(spec.output, readLinear(weights_, name(names_.output), sizes_.embedding,
                                       std::uint64_t{sizes_.heads} * sizes_.value_dim, sizes_.bias));
    spec.latent = std::move(latent);
    spec.rope = sizes_.rope.rope;
    spec.scale =
        static_cast<float>(sizes_.rope.score_scale / std::sqrt(static_cast<double>(sizes_.keyDim())));
    return spec;
  }

 private:
  std::string name(std::string_view part) const { return fmt::format("{}{}", layer_, part); }

  // Rows of a matrix of `rows`, with their biases where the matrix has any.
  Result<Linear> rowsOf(const std::string& name, std::uint64_t rows, std::uint64_t columns,
                        const RowPart& part, bool bias) {
    Linear linear;
    TRY_ASSIGN(linear.weight, weights_.matrixPart(name + ".weight", rows, columns, part));
    if (bias) {
      TRY_ASSIGN(linear.bias, weights_.vectorPart(name + ".bias", rows, part));
    }
    return linear;
  }

  // Each head's rows are the plain ones, then the rotary ones.
  Result<void> readQuery(LatentSpec& latent) {
    if (sizes_.query_rank) {
      LatentSpec::QueryLatent& query = latent.query.emplace();
      TRY_ASSIGN(query.down, readLinear(weights_, name(names_.query_down), sizes_.query_rank,
                                        sizes_.embedding, sizes_.bias));
      TRY_ASSIGN(query.norm,
                 readRmsNorm(weights_, name(names_.query_norm), sizes_.query_rank, sizes_.epsilon));
    }
    const std::string from = name(sizes_.query_rank ? names_.query_up : names_.query);
    const std::uint64_t heads = sizes_.heads, plain = sizes_.plain_dim, rotary = sizes_.rotary_dim;
    const std::uint64_t head = sizes_.keyDim();
    const std::uint64_t columns = sizes_.query_rank ? sizes_.query_rank : sizes_.embedding;
    TRY_ASSIGN(latent.query_plain,
               rowsOf(from, heads * head, columns,
                      {.first = 0, .count = heads * plain, .run = plain, .stride = head}, false));
    TRY_ASSIGN(latent.query_rotary,
               rowsOf(from, heads * head, columns,
                      {.first = plain, .count = heads * rotary, .run = rotary, .stride = head}, false));
    return {};
  }

  Result<void> readLatent(LatentSpec& latent) {
    const std::uint64_t rank = sizes_.rank, rotary = sizes_.rotary_dim;
    const std::string down = name(names_.down);
    TRY_ASSIGN(latent.down,
               rowsOf(down, rank + rotary, sizes_.embedding, {.first = 0, .count = rank}, sizes_.bias));
    TRY_ASSIGN(latent.key_rotary,
               rowsOf(down, rank + rotary, sizes_.embedding, {.first = rank, .count = rotary}, sizes_.bias));
    TRY_ASSIGN(latent.norm, readRmsNorm(weights_, name(names_.norm), rank, sizes_.epsilon));
    return {};
  }

  // Each head's rows are those of its keys, then those of its values.
  Result<void> readUp(LatentSpec& latent) {
    const std::uint64_t heads = sizes_.heads, plain = sizes_.plain_dim, value = sizes_.value_dim;
    const std::string keys = name("attn_k_b.weight"), values = name("attn_v_b.weight");
    if (weights_.has(keys)) {
      TRY_ASSIGN(latent.key_up_transposed, weights_.stacked(keys, heads, sizes_.rank, plain));
      TRY_ASSIGN(latent.value_up.weight, weights_.stacked(values, heads, value, sizes_.rank));
      return {};
    }
    const std::string both = name(names_.up) + ".weight";
    const std::uint64_t head = plain + value;
    TRY_ASSIGN(latent.key_up.weight,
               weights_.matrixPart(both, heads * head, sizes_.rank,
                                   {.first = 0, .count = heads * plain, .run = plain, .stride = head}));
    TRY_ASSIGN(latent.value_up.weight,
               weights_.matrixPart(both, heads * head, sizes_.rank,
                                   {.first = plain, .count = heads * value, .run = value, .stride = head}));
    return {};
  }

  Weights& weights_;
  const std::string& layer_;
  const LatentSizes& sizes_;
  const Names& names_;
};

}  // namespace

Result<LatentSizes> readLatentSizes(const Source& source, std::uint32_t embedding, std::uint32_t context,
                                    float epsilon) {
  constexpr float kTransformersEpsilon = 1e-6f;
  const Hparams& hparams = source.hparams;
  LatentSizes sizes{
      .embedding = embedding, .epsilon = hparams.isGguf() ? epsilon : kTransformersEpsilon, .rope = {}};
  TRY_ASSIGN(sizes.heads, hparams.count(kHeads, kMostHeads));
  TRY_ASSIGN(sizes.rank, hparams.count(kRank, kWidestHead));
  TRY_ASSIGN(sizes.query_rank, hparams.countOrNone(kQueryRank, 0, kWidestLayer));
  TRY(readHeadDims(hparams, sizes));
  TRY_ASSIGN(sizes.bias, hparams.flagOr(kBias, false));
  if (hparams.has(kTemperature) && !hparams.isZero(kTemperature))
    return hparams.refuse(kTemperature, "0: temperatures by position are not read");
  TRY_ASSIGN(const bool interleaved, hparams.flagOr(kInterleaved, true));
  TRY_ASSIGN(sizes.rope, readRope(hparams, source.weights,
                                  {.pairing = interleaved ? RopePairing::kInterleaved : RopePairing::kHalf,
                                   .rotary_dim = sizes.rotary_dim,
                                   .context_length = context,
                                   .log_multiplier = true}));
  return sizes;
}

Result<AttentionSpec> readLatentAttention(const Source& source, const std::string& layer,
                                          const LatentSizes& sizes) {
  return Reader(source, layer, sizes).read();
}

}  // namespace vitrine::core::arch
