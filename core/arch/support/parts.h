// Parts of a model that readers put together themselves: layers, embedding and head, for families whose
// blocks are not the plain decoder's. Names are full names without ".weight" or ".bias".
#pragma once

#include <string>
#include <vector>

#include "core/arch/architecture.h"
#include "core/model/model_spec.h"

namespace vitrine::core::arch {

Result<Linear> readLinear(Weights& weights, const std::string& name, std::uint64_t rows,
                          std::uint64_t columns, bool bias);
Result<Norm> readRmsNorm(Weights& weights, const std::string& name, std::uint64_t length, float epsilon);
// A number between 0 and 1, or `otherwise`; a GGUF file must have it.
Result<float> readEpsilon(const Hparams& hparams, Key key, double otherwise);
Result<Activation> readActivation(const Hparams& hparams, Key key, std::string otherwise);

// How many blocks there are, without those that predict further tokens: they come last in a GGUF file, and
// are not read.
Result<std::uint32_t> readBlockCount(const Hparams& hparams);

// A list of one number a layer, as llama.cpp writes for models whose layers differ: `most` at most, the same
// for all that have one, 0 for the others.
Result<std::vector<std::uint32_t>> readLayerNumbers(const Hparams& hparams, Key key, std::uint32_t layers,
                                                    std::uint32_t most);

struct EndNames {
  std::string embedding, final_norm, head;
};
// embedding_dim, vocab_size, token_embedding, final_norm, head and tied_head of the spec.
Result<void> readEnds(const Source& source, const EndNames& names, std::uint32_t embedding_dim, float epsilon,
                      bool tied_by_default, ModelSpec& spec);

struct AttentionSizes {
  std::uint32_t embedding = 0, heads = 0, kv_heads = 0, head_dim = 0;
};
// num_attention_heads, num_key_value_heads and head_dim of config.json, checked.
Result<AttentionSizes> readAttentionSizes(const Hparams& hparams, std::uint32_t embedding);

struct AttentionNames {
  std::string query, key, value, output;  // query: empty where it is stored in a way of its own
};
Result<AttentionSpec> readAttention(Weights& weights, const AttentionNames& names,
                                    const AttentionSizes& sizes, bool bias);

struct MlpNames {
  std::string gate, up, down;  // gate: empty where there is none
};
Result<DenseMlpSpec> readMlp(Weights& weights, const MlpNames& names, std::uint32_t embedding,
                             std::uint32_t width, Activation activation, bool bias);

}  // namespace vitrine::core::arch
