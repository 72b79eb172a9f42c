// LoRA adapters (arXiv:2106.09685; rank-stabilized: arXiv:2312.03732) in PEFT's folders: adapter_config.json
// and adapter_model.safetensors with lora_A (r, in) and lora_B (out, r) for each module that was trained.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/checkpoint/checkpoint.h"
#include "gpu/error.h"

namespace vitrine::core {

struct AdapterChoice {
  std::filesystem::path folder;
  double scale = 1;  // 0: the base model
};

// "FOLDER" or "FOLDER:SCALE". Errors: kInvalidArgument for a scale that is no finite number.
Result<AdapterChoice> parseAdapterChoice(const std::string& text);

// The base with W + scale * (alpha / r) B A (alpha / sqrt(r) where use_rslora says so) in place of each
// trained module's W, as float32; what was not trained stays as it is stored. The base must be a Hugging Face
// model: modules are found by their tensors' names. Errors: kInvalidFile names the tensor, what was expected
// and what was found; kUnsupported for DoRA, trained biases, whole modules saved beside the adapter, and GGUF
// bases.
Result<std::shared_ptr<const Checkpoint>> mergeAdapter(const Checkpoint& base, const AdapterChoice& adapter);

Result<std::shared_ptr<const Checkpoint>> openWithAdapters(const std::filesystem::path& model,
                                                           std::span<const AdapterChoice> adapters);

}  // namespace vitrine::core
