// Where the numbers of a figure come from: what the JSON sidecar says, so that the figure can be made again.
// No clock time is in it: the same command gives the same bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vitrine::core {

struct Provenance {
  std::string model_path, model_sha256;  // fields that are not known stay empty and are written as null
  std::string trace_path, trace_sha256;
  std::string prompt;
  std::optional<std::uint64_t> seed;
  std::string method;  // "exact", or the id of the method that computed the data
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string device;   // "NVIDIA H100 (Vulkan 1.3)"
  std::string commit;   // of Vitrine
  std::string command;  // the command line that made the figure
};

}  // namespace vitrine::core
