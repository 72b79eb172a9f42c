// ModelSpec: what the engine runs, for every architecture alike. core/arch/ fills it from a checkpoint.
// Linear weights are (out_features, in_features): y = W x + b.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/checkpoint/checkpoint.h"

namespace vitrine::core {

// A rectangular part of a stored tensor: rows [first_row, first_row + rows) of it. Lets fused projections
// (qkv in one tensor) and split ones look the same to the engine.
struct WeightRef {
  const TensorEntry* tensor = nullptr;  // owned by the spec's checkpoint
  std::uint64_t first_row = 0;
  std::uint64_t rows = 0;     // out_features, or the length of a vector
  std::uint64_t columns = 0;  // in_features, 1 for a vector

  explicit operator bool() const { return tensor != nullptr; }
};

struct Linear {
  WeightRef weight;  // (out, in)
  WeightRef bias;    // (out), may be empty
};

enum class NormKind { kRms, kLayer };
struct Norm {
  NormKind kind = NormKind::kRms;
  WeightRef weight;  // (d), empty for a norm without gain
  WeightRef bias;    // (d), layer norm only
  float epsilon = 1e-5f;
};

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

struct AttentionSpec {
  std::uint32_t heads = 0, kv_heads = 0;
  std::uint32_t head_dim = 0;
  Linear query, key, value;                  // (heads * head_dim, d), (kv_heads * head_dim, d) twice
  Linear output;                             // (d, heads * head_dim)
  std::optional<Norm> query_norm, key_norm;  // over head_dim, before rope (qwen3)
  std::optional<Rope> rope;
  float scale = 0;                   // of q . k, usually 1 / sqrt(head_dim)
  std::uint32_t sliding_window = 0;  // a query sees this many keys, itself included; 0 sees all
};

enum class Activation { kSilu, kGelu, kGeluTanh, kRelu, kReluSquared };

struct DenseMlpSpec {  // down(activation(gate(x)) * up(x)); without a gate: down(activation(up(x)))
  std::uint32_t width = 0;
  Activation activation = Activation::kSilu;
  std::optional<Linear> gate;
  Linear up, down;
};

using MixerSpec = std::variant<AttentionSpec>;        // recurrent mixers join here
using ChannelMixerSpec = std::variant<DenseMlpSpec>;  // mixtures of experts join here

struct BlockSpec {  // x += mixer(norm(x)); x += channel(norm(x))
  Norm mixer_norm;
  MixerSpec mixer;
  Norm channel_norm;
  ChannelMixerSpec channel;
};

struct ModelSpec {
  std::shared_ptr<const Checkpoint> checkpoint;  // keeps every WeightRef alive
  std::string architecture;                      // "llama", "qwen2" ..: for display, never for decisions
  std::uint32_t embedding_dim = 0;
  std::uint32_t vocab_size = 0;
  std::uint32_t context_length = 0;  // the longest that the model was trained for
  WeightRef token_embedding;         // (vocab, d)
  std::vector<BlockSpec> blocks;
  Norm final_norm;
  Linear head;  // (vocab, d); the token embedding again when tied
  bool tied_head = false;
  std::vector<std::string> unread_tensors;  // what the file holds and nothing above refers to
};

// Reads the checkpoint's architecture and builds its spec; core/arch/ has one file for each family.
// Errors: kUnsupported names the architecture and the closest known one; kInvalidFile names a tensor with the
// expected and the found shape, or a hyper-parameter that lies.
Result<ModelSpec> readModelSpec(std::shared_ptr<const Checkpoint> checkpoint);

}  // namespace vitrine::core
