// What a method of family analysis looks at, named by paths as users name it, and the input made of that.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/adapter/adapter_choice.h"
#include "core/methods/analysis.h"

namespace vitrine::core::methods {

struct AnalysisSource {
  std::filesystem::path model;          // of fine-tunes the base
  std::string matrices;                 // globs over names; empty: all
  std::filesystem::path tuned;          // kFineTunes: a checkpoint beside the base; or empty
  std::vector<AdapterChoice> adapters;  // kFineTunes: together one fine-tune of the base; kHeads: added to it
  // What the model is run on, where the method does: a prompt, files of text, a checkpoint; or empty.
  std::string prompt;
  std::filesystem::path text, tuned_text, sibling;
};

// Opens what the method's subject and its runs need, save a device; reads no matrix. Errors: those of
// opening, kNotFound where the globs name no matrix, kInvalidArgument without a model or, for fine-tunes,
// without anything tuned.
Result<AnalysisInput> analysisInput(const Analysis& analysis, const AnalysisSource& source);

// The first layer's matrices where names have layers, "*layers.0.*"; else empty: a run of seconds.
std::string firstLayerGlob(std::span<const std::string> names);

}  // namespace vitrine::core::methods
