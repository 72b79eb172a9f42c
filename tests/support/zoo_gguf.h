// Turns a Hugging Face checkpoint of a llama, mistral, qwen2, qwen3 or of one of their mixtures of experts
// into a GGUF file as llama.cpp's converter does (F32 tensors; rows of q and k of the llama family reordered;
// llama3's rope as the tensor rope_freqs; experts stacked in one tensor), so that both ways of storing a
// model can be held against the same reference values.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "support/gguf_builder.h"

namespace vitrine::test {

// Rows of each head from halves (0..n/2, n/2..n) to neighbouring pairs.
Bytes interleaveRows(std::span<const std::byte> bytes, std::size_t rows, std::size_t heads);

std::string ggufTensorName(std::string name);

void addGgufRope(GgufBuilder& builder, const std::string& prefix, const nlohmann::json& rope,
                 std::uint32_t head_dim);

// Gate and up in one stack where the converter was asked for it; one by one in old files.
enum class ExpertsInGguf { kStacked, kGateUpFused, kOneByOne };

// Experts stored one by one, or with gate and up in one tensor, as the stacked tensors of GGUF.
class GgufExperts {
 public:
  // Whether the tensor is an expert's.
  bool take(const core::TensorEntry& tensor);
  void write(GgufBuilder& builder, ExpertsInGguf stored = ExpertsInGguf::kStacked) const;

 private:
  void writeOneByOne(GgufBuilder& builder) const;

  std::map<std::string, std::map<std::size_t, const core::TensorEntry*>> stack_;
  std::vector<const core::TensorEntry*> fused_;
};

void addGgufExpertKeys(GgufBuilder& builder, const std::string& prefix, const nlohmann::json& config);

Bytes zooAsGguf(const core::Checkpoint& hf, ExpertsInGguf stored = ExpertsInGguf::kStacked);

}  // namespace vitrine::test
