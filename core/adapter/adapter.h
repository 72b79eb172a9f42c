// A LoRA adapter (arXiv:2106.09685, rank-stabilized: arXiv:2312.03732) as PEFT saves it: a folder with
// adapter_config.json and adapter_model.safetensors. Nothing of it refers to a base model yet:
// attach_adapter.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "gpu/error.h"

namespace vitrine::core {

struct AdapterModule {
  std::string name;                              // "model.layers.0.self_attn.q_proj"
  const TensorEntry *a = nullptr, *b = nullptr;  // (rank, in), (out, rank), F32, F16 or BF16
  double factor = 1;                             // alpha / rank, or alpha / sqrt(rank)
};

struct Adapter {
  std::string name;  // the folder's
  std::filesystem::path folder;
  std::shared_ptr<const Checkpoint> checkpoint;  // owns the tensors
  std::uint32_t rank = 0;                        // r and lora_alpha; rank_pattern and alpha_pattern deviate
  double alpha = 0;
  bool rank_stabilized = false;
  std::vector<AdapterModule> modules;  // sorted by name
  std::uint64_t parameters = 0;
};

// Errors: kNotFound for a missing file; kUnsupported names a key of adapter_config.json that asks for more
// than A and B (DoRA, trained biases, whole modules ..), or a tensor that is neither; kInvalidFile names a
// tensor with what was expected and found, also one without its partner or with NaN or infinity.
Result<Adapter> readAdapter(const std::filesystem::path& folder);

}  // namespace vitrine::core
