// ModelSpec: what the engine runs, for every architecture alike. core/arch/ fills it from a checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/model/channels/dense_mlp.h"
#include "core/model/channels/moe.h"
#include "core/model/channels/rwkv.h"
#include "core/model/mixers/latent_attention.h"
#include "core/model/mixers/linear_attention.h"
#include "core/model/mixers/mamba.h"
#include "core/model/mixers/mamba2.h"
#include "core/model/mixers/rg_lru.h"
#include "core/model/mixers/rwkv.h"
#include "core/model/mixers/short_conv.h"
#include "core/model/weight_ref.h"

namespace vitrine::core {

// How rotary pairs lie in a head: kHalf pairs (i, i + rotary_dim / 2), as Hugging Face stores them
// (GPT-NeoX); kInterleaved pairs (2i, 2i + 1), as the original Llama and llama.cpp's GGUF files for llama
// store them.
enum class RopePairing { kHalf, kInterleaved };

// One rotary table: angle(position, i) = position * inv_freq[i], i < rotary_dim / 2. Every scaling (linear,
// dynamic, llama3, yarn, longrope) is folded into inv_freq and magnitude when the architecture is read.
struct Rope {
  RopePairing pairing = RopePairing::kHalf;
  std::uint32_t rotary_dim = 0;  // leading dimensions of a head that turn, <= head_dim
  std::vector<double> inv_freq;  // rotary_dim / 2 entries, radians a position
  double magnitude = 1.0;        // multiplies cos and sin (yarn's attention factor)

  bool operator==(const Rope&) const = default;
};

// Multi-head attention. The rows of query, key and value are heads one below the other. With a latent there
// is one kv head of rotary + rank dimensions, and the latent's projections stand for query, key and value.
struct AttentionSpec {
  static constexpr std::string_view kName = "attention";
  std::uint32_t heads = 0, kv_heads = 0;
  std::uint32_t head_dim = 0;        // of what queries and cached keys are multiplied over
  Linear query, key, value;          // (heads * head_dim, d), (kv_heads * head_dim, d) twice
  Linear output;                     // (d, heads * head_dim), or (d, heads * latent->value_dim)
  std::optional<LatentSpec> latent;  // deepseek-v2, deepseek-v3
  // RMS norms before rope: over each head (weight of head_dim: qwen3) or over all heads together (weight of
  // heads * head_dim: olmo2).
  std::optional<Norm> query_norm, key_norm;
  std::optional<Rope> rope;
  std::vector<float>
      alibi_slopes;    // a head each: score -= slope * (query - key) (arXiv:2108.12409); or empty
  float scale = 0;     // of q . k, usually 1 / sqrt(head_dim)
  float soft_cap = 0;  // score = cap * tanh(score / cap), before the mask; 0: none (gemma2)
  std::uint32_t sliding_window = 0;  // a query sees this many keys, itself included; 0 sees all
  WeightRef sinks;                   // (heads): a logit of no key in the softmax's sum; or empty (gpt-oss)
  std::optional<Linear> gate;  // (heads * head_dim, d): the heads' outputs times sigmoid(gate) (qwen3-next)

  // Of the sum over values, in front of what a latent's value_up makes of it.
  std::uint32_t valueDim() const { return latent ? latent->rank : head_dim; }
  // What the cache holds of a token for each kv head: key and value, or the row that is both.
  std::uint32_t cacheWidth() const { return latent ? head_dim : 2 * head_dim; }
  // How many values of q or k such a norm takes together.
  std::uint32_t normWidth(const Norm& norm) const {
    return norm.weight ? static_cast<std::uint32_t>(norm.weight.rows) : head_dim;
  }
};

// Each kind has a name (kName) and is read by core/arch, run in double precision by core/reference, uploaded
// by core/model and recorded by core/engine. A kind of its own header lies in core/model/mixers/ or
// core/model/channels/.
using MixerSpec = std::variant<AttentionSpec, MambaSpec, Mamba2Spec, ShortConvSpec, Rwkv4Spec, Rwkv7Spec,
                               RgLruSpec, MlstmSpec, LightningSpec, DeltaNetSpec>;
using ChannelMixerSpec = std::variant<DenseMlpSpec, MoeSpec, RwkvChannelSpec>;

// What the mixers' and the channel mixer's outputs are added to.
enum class Residual {
  kInput,       // x += scale * f(norm(x))
  kNormalized,  // n = norm(x); x = skip * n + scale * f(n) (minimax, bloom's option)
};

// x = residual(x, post(sum of mixers(norm(x)))); then the same with the channel mixer. Norms that are not
// there are the identity.
struct BlockSpec {
  std::optional<Norm> mixer_norm, mixer_post_norm;
  std::vector<MixerSpec> mixers;  // all read the same input, outputs are added; empty in a block without one
  std::vector<float> mixer_factors;  // of each mixer's output; empty: all 1 (falcon-h1)
  std::optional<Norm> channel_norm, channel_post_norm;
  std::optional<ChannelMixerSpec> channel;
  // The channel mixer reads the block's input, beside the mixers, not their sum with it (gpt-neox, phi).
  bool parallel = false;
  Residual residual = Residual::kInput;
  float mixer_scale = 1, channel_scale = 1;  // of what is added
  float mixer_skip = 1, channel_skip = 1;    // of what it is added to

  // The attention of this block, or null.
  const AttentionSpec* attention() const;
};

// An adapter whose updates are in the spec's linears (core/adapter/attach_adapter.h).
struct AttachedAdapter {
  std::string name;
  std::filesystem::path folder;
  std::shared_ptr<const Checkpoint> checkpoint;  // keeps the updates' WeightRefs alive
  std::uint32_t rank = 0;                        // the configuration's; modules may deviate
  double alpha = 0;
  float scale = 1;            // multiplies alpha / rank
  std::uint32_t modules = 0;  // of Hugging Face's linears
  std::uint64_t parameters = 0;
};

struct ModelSpec {
  std::shared_ptr<const Checkpoint> checkpoint;  // keeps every WeightRef alive
  std::string architecture;                      // "llama", "qwen2" ..: for display, never for decisions
  std::uint32_t embedding_dim = 0;
  std::uint32_t vocab_size = 0;
  std::uint32_t context_length = 0;  // the longest that the model was trained for
  WeightRef token_embedding;         // (vocab, d)
  float embedding_scale = 1;
  WeightRef position_embedding;        // (positions, d), added to the tokens' (gpt2); or empty
  std::optional<Norm> embedding_norm;  // bloom, rwkv
  std::vector<BlockSpec> blocks;
  Norm final_norm;
  Linear head;  // (vocab, d); the token embedding again when tied
  bool tied_head = false;
  float logit_scale = 1;     // logits = soft_cap(scale * head(x))
  float logit_soft_cap = 0;  // cap * tanh(logit / cap); 0: none
  std::vector<AttachedAdapter> adapters;
  bool merge_adapters = false;  // into the weights when they are uploaded: scales stay as they are
  std::vector<std::string> unread_tensors;  // what the file holds and nothing above refers to
};

// Reads the checkpoint's architecture and builds its spec; core/arch/ has one file for each family.
// Errors: kUnsupported names the architecture and the closest known one; kInvalidFile names a tensor with the
// expected and the found shape, or a hyper-parameter that lies.
Result<ModelSpec> readModelSpec(std::shared_ptr<const Checkpoint> checkpoint);

}  // namespace vitrine::core
