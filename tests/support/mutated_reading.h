// Reads the spec of a file that lies: one clear error, or a spec that stays inside its tensors; no crash, no
// hang, and no allocation that the file does not justify.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "core/checkpoint/allocation_watch.h"
#include "core/model/model_spec.h"

namespace vitrine::test {
namespace bounds {

using namespace core;

inline bool inside(const WeightRef& ref) {
  if (!ref) return true;
  const auto& shape = ref.tensor->shape;
  const std::uint64_t elements = ref.tensor->elements();
  if (ref.rows == 0 || ref.columns == 0) return false;
  if (ref.columns == 1 && !ref.transposed) return ref.storedRow(ref.rows - 1) < elements;
  if (ref.rows == 1 && shape.size() == 1) return ref.columns <= elements;  // a row stored as a vector
  const std::uint64_t width = ref.transposed || ref.columns == shape.back() ? shape.back() : ref.columns;
  const std::uint64_t height = elements / width;
  if (!ref.transposed) return ref.storedRow(ref.rows - 1) < height;
  return ref.storedColumn(ref.rows - 1) < width && ref.first_row + ref.columns <= height;
}

inline bool inside(const Linear& linear) {
  return inside(linear.weight) && inside(linear.bias);
}

inline bool inside(const Norm& norm) {
  return inside(norm.weight) && inside(norm.bias);
}

inline bool inside(const DenseMlpSpec& mlp);

template <typename Part>
bool inside(const std::optional<Part>& part) {
  return !part || inside(*part);
}

inline bool insideAttention(const AttentionSpec& a) {
  return inside(a.query) && inside(a.key) && inside(a.value) && inside(a.output) && inside(a.query_norm) &&
         inside(a.key_norm) && inside(a.sinks) && inside(a.gate);
}

inline bool inside(const DenseMlpSpec& mlp) {
  return inside(mlp.gate) && inside(mlp.up) && inside(mlp.down);
}

inline bool insideChannel(const ChannelMixerSpec& channel) {
  if (const auto* dense = std::get_if<DenseMlpSpec>(&channel)) return inside(*dense);
  if (const auto* rwkv = std::get_if<RwkvChannelSpec>(&channel))
    return inside(rwkv->key) && inside(rwkv->value) && inside(rwkv->receptance) &&
           std::ranges::all_of(rwkv->mixes, [](const WeightRef& mix) { return inside(mix); });
  const auto& moe = std::get<MoeSpec>(channel);
  for (const ExpertSpec& expert : moe.experts)
    if (!inside(expert.gate) || !inside(expert.up) || !inside(expert.gate_up) || !inside(expert.down))
      return false;
  return inside(moe.router.linear) && inside(moe.router.correction) && inside(moe.shared) &&
         inside(moe.shared_gate);
}

inline bool insideMixer(const MixerSpec& mixer) {
  if (const auto* attention = std::get_if<AttentionSpec>(&mixer)) return insideAttention(*attention);
  return std::visit(
      [](const auto& spec) {
        bool fits = inside(spec.output);
        if constexpr (requires { spec.input; }) fits = fits && inside(spec.input);
        if constexpr (requires { spec.conv; })
          fits = fits && inside(spec.conv.weight) && inside(spec.conv.bias);
        if constexpr (requires { spec.query; }) fits = fits && inside(spec.query);
        if constexpr (requires { spec.key; }) fits = fits && inside(spec.key);
        if constexpr (requires { spec.value; }) fits = fits && inside(spec.value);
        if constexpr (requires { spec.norm; }) fits = fits && inside(spec.norm);
        return fits;
      },
      mixer);
}

inline bool inside(const ModelSpec& spec) {
  for (const BlockSpec& block : spec.blocks) {
    for (const MixerSpec& mixer : block.mixers)
      if (!insideMixer(mixer)) return false;
    if (block.channel && !insideChannel(*block.channel)) return false;
    if (!inside(block.mixer_norm) || !inside(block.channel_norm)) return false;
  }
  return inside(spec.token_embedding) && inside(spec.position_embedding) && inside(spec.final_norm) &&
         inside(spec.head);
}

}  // namespace bounds

// The error, or "" when the model is read.
inline std::string readMutated(const std::filesystem::path& model, const std::string& what) {
  constexpr std::size_t kMostMemory = 16 << 20;  // the largest row holds 3 MB of weights, which nobody copies
  const auto start = std::chrono::steady_clock::now();
  startAllocationWatch();
  const auto checkpoint = core::Checkpoint::open(model);
  auto spec = checkpoint ? core::readModelSpec(*checkpoint) : tl::unexpected(checkpoint.error());
  const AllocationRecord memory = stopAllocationWatch();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_LE(memory.peak, kMostMemory) << what;
  EXPECT_LT(took.count(), 10) << what;
  if (spec) {
    EXPECT_TRUE(bounds::inside(*spec)) << what << ": a weight lies outside its tensor";
    return "";
  }
  const std::string message = spec.error().describe();
  EXPECT_LT(message.size(), 1500u) << what << ": " << message;
  for (const char c : message) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << what << ": " << message;
  return message.empty() ? "an error without words" : message;
}

// A message about a tensor names it, and says `words`.
inline void expectNamed(const std::string& message, const std::string& tensor,
                        const std::vector<std::string>& words) {
  EXPECT_NE(message.find(tensor), std::string::npos) << tensor << ": " << message;
  for (const std::string& word : words)
    EXPECT_NE(message.find(word), std::string::npos) << tensor << ": " << message;
}

}  // namespace vitrine::test
