// The window as a program: Qt, the device, the engine, the view and the window, wired together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/adapter/adapter_choice.h"

namespace vitrine::ui {

struct WindowOptions {
  std::vector<std::filesystem::path>
      models;  // the first is opened; none: the demonstration model, generating
  std::vector<core::AdapterChoice> adapters;  // of the first
  bool merge_adapters = false;
  std::string prompt;                   // generated from at once when not empty
  std::optional<std::uint32_t> device;  // as `--device N`; empty: the best
  std::filesystem::path screenshots;    // not empty: generate, write screenshots and figures there, and quit
  std::string version;                  // "0.1.0", for About
};

// Returns the exit status: 0, or 1 after one line on stderr that says what is wrong and what to do.
int runWindow(const WindowOptions& options);

}  // namespace vitrine::ui
