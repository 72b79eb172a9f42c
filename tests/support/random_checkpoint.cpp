#include "support/random_checkpoint.h"

#include <nlohmann/json.hpp>
#include <random>

#include "core/checkpoint/safetensors_writer.h"
#include "support/gguf_builder.h"

namespace vitrine::test {

void writeRandomCheckpoint(const std::filesystem::path& folder, const nlohmann::json& config,
                           const NamedShapes& tensors, float spread, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<Bytes> storage;
  std::vector<core::SafetensorsItem> items;
  storage.reserve(tensors.size());
  for (const auto& [name, shape] : tensors) {
    std::uint64_t elements = 1;
    for (const std::uint64_t size : shape) elements *= size;
    Bytes bytes;
    const bool vector = shape.size() == 1;
    for (std::uint64_t i = 0; i < elements; ++i)
      GgufBuilder::append(bytes, vector ? 1 + 0.2f * normal(random) : spread * normal(random));
    storage.push_back(std::move(bytes));
    items.push_back({name, core::DType::kF32, shape, storage.back()});
  }
  const auto written = core::writeSafetensors(folder / "model.safetensors", items, {{"format", "pt"}});
  VITRINE_ASSERT(written.has_value());
  const std::string text = config.dump();
  writeFile(folder / "config.json", std::as_bytes(std::span(text)));
}

Result<core::ModelSpec> randomSpec(const nlohmann::json& config, const NamedShapes& tensors, float spread,
                                   std::uint64_t seed) {
  ScratchFolder folder;
  writeRandomCheckpoint(folder.path(), config, tensors, spread, seed);
  TRY_ASSIGN(auto checkpoint, core::Checkpoint::open(folder.path()));
  return core::readModelSpec(std::move(checkpoint));
}

}  // namespace vitrine::test
