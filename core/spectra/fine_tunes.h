// A fine-tune and its base, opened by the paths that users name.
#pragma once

#include <filesystem>
#include <span>

#include "core/adapter/adapter_choice.h"
#include "core/spectra/model_comparison.h"

namespace vitrine::core {

struct FineTunePairs {
  std::string name;  // the tuned checkpoint's, or the adapters' with their scales where those are not 1
  std::string base;  // the base checkpoint's
  MatrixPairs matrices;
  // Both models as they run, the tuned one with its adapters. Errors: readModelSpec()'s.
  std::function<Result<ModelSpec>()> base_spec, tuned_spec;
};

// Reads no matrix. Errors: those of opening and attaching; kNotFound where no matrix is in both.
Result<FineTunePairs> openFineTune(const std::filesystem::path& base, const std::filesystem::path& tuned,
                                   std::string_view glob = "");
// The adapters together are one fine-tune of the base.
Result<FineTunePairs> openAdapted(const std::filesystem::path& base, std::span<const AdapterChoice> adapters,
                                  std::string_view glob = "");

}  // namespace vitrine::core
