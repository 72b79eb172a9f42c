// An adapter as a person names it: on the command line, or in the window.
#pragma once

#include <filesystem>
#include <string>

#include "gpu/error.h"

namespace vitrine::core {

struct AdapterChoice {
  std::filesystem::path folder;  // PEFT's
  float scale = 1;               // multiplies alpha / rank; 0: the base model
};

// "FOLDER" or "FOLDER:SCALE"; FOLDER may be the name of one that ships. Errors: kInvalidArgument for a scale
// that is no finite number.
Result<AdapterChoice> parseAdapterChoice(const std::string& text);

}  // namespace vitrine::core
