// Random LoRA adapters for a checkpoint, as PEFT writes them, and the same model with an adapter added to its
// stored weights: what every way of running an adapter is held against.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "support/scratch_folder.h"

namespace vitrine::test {

struct AdapterPlan {
  std::vector<std::string> targets;  // module names or ends of them
  std::uint32_t rank = 4;
  double alpha = 6;
  bool rank_stabilized = false, transposed = false;  // transposed: the base stores (in, out)
  std::string prefix = {};                           // in front of the file's own names
  std::uint64_t seed = 1;
  nlohmann::json extra = nlohmann::json::object();  // over the configuration's keys

  double factor() const { return alpha / (rank_stabilized ? std::sqrt(double(rank)) : double(rank)); }
};

void writeText(const std::filesystem::path& path, const std::string& text);

std::vector<float> valuesOf(const core::TensorEntry& tensor);

nlohmann::json adapterConfig(const AdapterPlan& plan);

using NamedValues = std::vector<std::tuple<std::string, std::vector<std::uint64_t>, std::vector<float>>>;

void writeTensors(const std::filesystem::path& path, const NamedValues& tensors);

// Returns the number of modules.
int writeRandomAdapter(const std::filesystem::path& folder, const core::Checkpoint& base,
                       const AdapterPlan& plan);

// Writes the base with scale * factor * B A in its matrices, in float32.
void writeWithAdapter(const std::filesystem::path& to, const core::Checkpoint& base,
                      const core::Checkpoint& adapter, const AdapterPlan& plan, double scale);

}  // namespace vitrine::test
