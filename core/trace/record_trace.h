// What `vitrine trace` writes: the activations of one forward pass as named float32 tensors that any NumPy or
// PyTorch script can read (names in design.md: input_ids, logits, hidden.L, attention.L, k.L, v.L, router.L,
// state.L, decay.L, implied_attention.L, key_sigma.L, value_sigma.L and hidden_sigma.L).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/session.h"

namespace vitrine::core {

struct TraceOptions {
  bool logits = true, hidden = true, attention = true, kv = false, router = false, state = false;
  bool implied = false, decay = false, spectra = false;
  CacheType cache = CacheType::kF32;  // exact; F16 shows what generation sees
};

// "logits,hidden,attention,implied,router,kv,state,decay,spectra".
Result<TraceOptions> parseCapture(std::string_view list);

// Runs `ids` through a new session and writes everything to `path`. attention.L is (heads, T, T) with 0 where
// masked; implied_attention.L is the same of layers whose mixer implies a map (core/model/map_source.h;
// kUnsupported where there is none); k.L and v.L are (kv heads, T, head_dim), keys after rope in the order of
// dimensions of the file; of latent attention k.L alone, (1, T, rotary + rank): the rotary key, then the
// latent behind its norm. router.L is (T, experts): the router's raw logits, before softmax or sigmoid, as
// transformers' router_logits (kUnsupported without a mixture of experts); experts.L (T, top_k) int32 names
// the chosen ones, best first, expert_weights.L (T, top_k) how much of each output is taken. state.L is what
// a recurrent mixer carries on after the last token, as StateRecord says (kUnsupported for a model that has
// none). decay.L holds the factors in [0, 1] by which each step keeps that state: (T, heads) of Mamba-2,
// lightning attention, mLSTM and gated DeltaNet, (T, channels) of RWKV-4 and Griffin, (T, heads, keys) of
// RWKV-7, (T, channels, state) of Mamba (kUnsupported where no state decays). key_sigma.L and value_sigma.L
// (kv heads, head_dim) are the singular values, descending, of what the cache has of each head: of k.L and
// v.L, or of their last rows where the layer has a sliding window; zeros follow where there are fewer tokens.
// Of latent attention they are (1, rotary + rank) and (1, rank), of the latent alone. hidden_sigma.L is that
// of hidden.L. They come from the sums that a live session keeps (core/engine/spectra_views.h), all exact
// here. kInvalidFile names the place of a NaN or infinity. Layers without the one or the other are left out.
Result<void> recordTrace(std::shared_ptr<const Model> model, std::span<const TokenId> ids,
                         const TraceOptions& options, const std::filesystem::path& path,
                         const std::map<std::string, std::string>& metadata);

}  // namespace vitrine::core
